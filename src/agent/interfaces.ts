// The interfaces of this network namespace, kept current by netlink, and our programs on those that are workloads'.

import type { Attachments } from '../kernel/attachment.ts';
import type { LinkMonitor, NetworkLink } from '../kernel/native.ts';
import { loadNative, translateErrors } from '../kernel/native.ts';
import type { Repairs } from './repairs.ts';

export class Interfaces {
  readonly #attachments: Attachments;
  readonly #repairs: Repairs;
  #prefixes: readonly string[] = [];
  #links = new Map<string, NetworkLink>();
  /** ifindex of each interface that has our programs, by name. */
  readonly #guarded = new Map<string, number>();
  /** Names of interfaces that had our programs and are gone. */
  readonly #gone = new Set<string>();
  /** What an interface that had our programs is called now, by the name it had. */
  readonly #renamed = new Map<string, string>();
  #monitor: LinkMonitor | undefined;
  /** Interfaces whose filters have changed, by ifindex. */
  readonly #touched = new Set<number>();

  constructor(attachments: Attachments, prefixes: string, repairs: Repairs) {
    this.#attachments = attachments;
    this.#repairs = repairs;
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

  /** What an interface of that name is called now, if it was guarded and somebody renamed it. */
  newNameOf(name: string): string | undefined {
    return this.#renamed.get(name);
  }

  /** Whether interfaces of that name are workloads', as far as the name tells. */
  isWorkloadName(name: string): boolean {
    return this.#prefixes.some((prefix) => name.startsWith(prefix));
  }

  nameOf(ifindex: number): string | undefined {
    for (const link of this.#links.values()) if (link.ifindex === ifindex) return link.name;
    return undefined;
  }

  /** Calls back after every change of an interface. Programs that are taken off by netlink are back before that. */
  watch(onChange: () => void): void {
    this.#monitor = translateErrors('watch interfaces', 'rtnetlink', () =>
      loadNative().LinkMonitor.open(({ ifindex, filters, removed }) => {
        if (filters) return this.#lookSoonAt(ifindex, onChange);
        if (removed) this.#lose(ifindex);
        onChange();
      }),
    );
  }

  /** links is the same map as before for as long as nothing about them has changed. */
  refresh(): void {
    const list = translateErrors('list interfaces', 'rtnetlink', () => loadNative().linkList());
    const isSame =
      list.length === this.#links.size && list.every((link) => isSameLink(link, this.#links.get(link.name)));
    if (isSame) return;
    this.#links = new Map(list.map((link) => [link.name, link]));
    this.#followRenames();
    for (const [name, ifindex] of this.#guarded) if (this.#links.get(name)?.ifindex !== ifindex) this.#lose(ifindex);
  }

  /**
   * Attaches the programs to every workload interface, known endpoint or not: without one they drop.
   * `named` may be there, `expected` may not be. Returns what went wrong, by interface.
   */
  guard(named: Iterable<string>, expected: ReadonlySet<string>): Map<string, Error> {
    const linked = this.#attachments.linkedInterfaces();
    const failures = this.#attach(this.#wanted([...named, ...linked, ...this.#guarded.keys()]));
    for (const name of linked) if (!this.#links.has(name)) this.#attachments.forget(name);
    for (const name of this.#gone) if (!expected.has(name)) this.#gone.delete(name);
    return failures;
  }

  /** The same for interfaces that are not known to have the programs yet: asks the kernel about no other. */
  guardNew(named: Iterable<string>): Map<string, Error> {
    return this.#attach(this.#wanted(named).filter(({ name, ifindex }) => this.#guarded.get(name) !== ifindex));
  }

  close(): void {
    this.#monitor?.close();
  }

  /** Those that exist, of the named ones and of those that begin with a prefix. */
  #wanted(named: Iterable<string>): NetworkLink[] {
    const names = new Set(named);
    for (const name of this.#links.keys()) if (this.isWorkloadName(name)) names.add(name);
    return [...names].flatMap((name) => this.#links.get(name) ?? []);
  }

  #attach(links: readonly NetworkLink[]): Map<string, Error> {
    const failures = new Map<string, Error>();
    for (const link of links) {
      const { name, ifindex } = link;
      try {
        const repairs = this.#attachments.ensure(link);
        if (this.#guarded.get(name) === ifindex) this.#repairs.note(repairs);
        this.#guarded.set(name, ifindex);
        if (!this.#gone.delete(name)) continue;
        this.#repairs.note([{ cause: 'interface-anew', target: name, found: `interface number ${ifindex}` }]);
      } catch (error) {
        failures.set(name, error as Error);
        this.#guarded.delete(name);
      }
    }
    return failures;
  }

  /** One that is gone, or was: another of its number or name may be there already, and has no programs. */
  #lose(ifindex: number): void {
    for (const [name, number] of this.#guarded) {
      if (number !== ifindex) continue;
      this.#guarded.delete(name);
      this.#gone.add(name);
    }
  }

  /** Once for many changes of filters, our own among them. */
  #lookSoonAt(ifindex: number, onFailure: () => void): void {
    if (this.#touched.size === 0) setImmediate(() => this.#lookAtTouched(onFailure));
    this.#touched.add(ifindex);
  }

  #lookAtTouched(onFailure: () => void): void {
    const links = [...this.#links.values()].filter(
      ({ name, ifindex }) => this.#touched.has(ifindex) && this.#guarded.get(name) === ifindex,
    );
    this.#touched.clear();
    if (this.#attach(links).size > 0) onFailure();
  }

  /** An interface keeps its programs when it is renamed: they must be known under the new name, not given up with the old. */
  #followRenames(): void {
    const byIndex = new Map([...this.#links.values()].map((link) => [link.ifindex, link.name]));
    const linked = new Set(this.#attachments.linkedInterfaces());
    for (const name of new Set([...linked, ...this.#guarded.keys()])) {
      const ifindex = this.#guarded.get(name) ?? this.#attachments.attachedTo(name);
      const newName = byIndex.get(ifindex);
      if (newName === undefined || newName === name || linked.has(newName) || this.#guarded.has(newName)) continue;
      if (this.#attachments.isOn(name, ifindex)) this.#rename(name, newName, ifindex);
    }
    for (const [name, newName] of this.#renamed) if (!this.#links.has(newName)) this.#renamed.delete(name);
  }

  #rename(from: string, to: string, ifindex: number): void {
    this.#attachments.rename(from, to);
    this.#guarded.delete(from);
    this.#guarded.set(to, ifindex);
    this.#renamed.delete(to);
    this.#renamed.set(from, to);
    this.#repairs.note([{ cause: 'interface-renamed', target: from, found: `${to}, which stays guarded` }]);
  }
}

function isSameLink(a: NetworkLink, b: NetworkLink | undefined): boolean {
  return b !== undefined && (Object.keys(a) as (keyof NetworkLink)[]).every((field) => a[field] === b[field]);
}
