// The interfaces of this network namespace, kept current by netlink, and our programs on those that are workloads'.

import type { Logger } from '../base/log.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { LinkMonitor, NetworkLink } from '../kernel/native.ts';
import { loadNative, translateErrors } from '../kernel/native.ts';

export class Interfaces {
  readonly #dataplane: Dataplane;
  readonly #log: Logger;
  readonly #prefix: string;
  #links = new Map<string, NetworkLink>();
  /** ifindex of each interface that has had our programs, by name: one of that name made anew is no repair. */
  readonly #guarded = new Map<string, number>();
  #monitor: LinkMonitor | undefined;
  #repairs = 0;

  /** Interfaces whose name starts with the prefix are guarded as soon as they appear; '' = only named ones. */
  constructor(dataplane: Dataplane, prefix: string, log: Logger) {
    this.#dataplane = dataplane;
    this.#prefix = prefix;
    this.#log = log;
  }

  /** By name. */
  get links(): ReadonlyMap<string, NetworkLink> {
    return this.#links;
  }

  /** How often one of our programs was missing from an interface that had it. */
  get repairs(): number {
    return this.#repairs;
  }

  nameOf(ifindex: number): string | undefined {
    for (const link of this.#links.values()) if (link.ifindex === ifindex) return link.name;
    return undefined;
  }

  /** Calls back after every change of an interface. */
  watch(onChange: () => void): void {
    this.#monitor = translateErrors('watch interfaces', 'rtnetlink', () =>
      loadNative().LinkMonitor.open(() => onChange()),
    );
  }

  refresh(): void {
    const list = translateErrors('list interfaces', 'rtnetlink', () => loadNative().linkList());
    this.#links = new Map(list.map((link) => [link.name, link]));
  }

  /**
   * Attaches the programs to every workload interface, known endpoint or not: without one they drop.
   * Returns what went wrong, by interface.
   */
  guard(named: Iterable<string>): Map<string, Error> {
    const known = new Set(this.#dataplane.attachedInterfaces());
    const wanted = new Set([...named, ...known].filter((name) => this.#links.has(name)));
    if (this.#prefix !== '') for (const name of this.#links.keys()) if (name.startsWith(this.#prefix)) wanted.add(name);
    const failures = new Map<string, Error>();
    for (const name of wanted) {
      try {
        const link = this.#links.get(name) as NetworkLink;
        const isChanged = this.#dataplane.attach(link);
        if (isChanged && this.#guarded.get(name) === link.ifindex) this.#noteRepair(name);
        this.#guarded.set(name, link.ifindex);
      } catch (error) {
        failures.set(name, error as Error);
      }
    }
    for (const name of known) if (!this.#links.has(name)) this.#dataplane.forgetInterface(name);
    for (const name of this.#guarded.keys()) if (!this.#links.has(name)) this.#guarded.delete(name);
    return failures;
  }

  close(): void {
    this.#monitor?.close();
  }

  #noteRepair(name: string): void {
    this.#repairs += 1;
    this.#log.warn('attached programs again', { interface: name });
  }
}
