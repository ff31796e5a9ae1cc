// The interfaces of this network namespace, kept current by netlink, and our programs on those that are workloads'.

import type { Logger } from '../base/log.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { LinkMonitor, NetworkLink } from '../kernel/native.ts';
import { loadNative, translateErrors } from '../kernel/native.ts';

export class Interfaces {
  readonly #dataplane: Dataplane;
  readonly #log: Logger;
  #prefixes: readonly string[] = [];
  #links = new Map<string, NetworkLink>();
  /** ifindex of each interface that has had our programs, by name: one of that name made anew is no repair. */
  readonly #guarded = new Map<string, number>();
  #monitor: LinkMonitor | undefined;
  #repairs = 0;

  constructor(dataplane: Dataplane, prefixes: string, log: Logger) {
    this.#dataplane = dataplane;
    this.#log = log;
    this.setPrefixes(prefixes);
  }

  /**
   * Interfaces whose name starts with one of them, separated by commas, are guarded as soon as they appear; '' = only named
   * ones. Those that were guarded stay so.
   */
  setPrefixes(prefixes: string): void {
    this.#prefixes = prefixes === '' ? [] : prefixes.split(',');
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

  /** links is the same map as before for as long as nothing about them has changed. */
  refresh(): void {
    const list = translateErrors('list interfaces', 'rtnetlink', () => loadNative().linkList());
    const isSame =
      list.length === this.#links.size && list.every((link) => isSameLink(link, this.#links.get(link.name)));
    if (!isSame) this.#links = new Map(list.map((link) => [link.name, link]));
  }

  /**
   * Attaches the programs to every workload interface, known endpoint or not: without one they drop.
   * Returns what went wrong, by interface.
   */
  guard(named: Iterable<string>): Map<string, Error> {
    const known = new Set(this.#dataplane.attachedInterfaces());
    const failures = this.#attach(this.#wanted([...named, ...known]));
    for (const name of known) if (!this.#links.has(name)) this.#dataplane.forgetInterface(name);
    for (const name of this.#guarded.keys()) if (!this.#links.has(name)) this.#guarded.delete(name);
    return failures;
  }

  /** The same for interfaces that are not known to have the programs yet: asks the kernel about no other. */
  guardNew(named: Iterable<string>): Map<string, Error> {
    return this.#attach(this.#wanted(named).filter(({ name, ifindex }) => this.#guarded.get(name) !== ifindex));
  }

  /** Those that exist, of the named ones and of those that begin with a prefix. */
  #wanted(named: Iterable<string>): NetworkLink[] {
    const names = new Set(named);
    for (const name of this.#links.keys())
      if (this.#prefixes.some((prefix) => name.startsWith(prefix))) names.add(name);
    return [...names].flatMap((name) => this.#links.get(name) ?? []);
  }

  #attach(links: readonly NetworkLink[]): Map<string, Error> {
    const failures = new Map<string, Error>();
    for (const link of links) {
      try {
        const isChanged = this.#dataplane.attach(link);
        if (isChanged && this.#guarded.get(link.name) === link.ifindex) this.#noteRepair(link.name);
        this.#guarded.set(link.name, link.ifindex);
      } catch (error) {
        failures.set(link.name, error as Error);
        this.#guarded.delete(link.name);
      }
    }
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

function isSameLink(a: NetworkLink, b: NetworkLink | undefined): boolean {
  return b !== undefined && (Object.keys(a) as (keyof NetworkLink)[]).every((field) => a[field] === b[field]);
}
