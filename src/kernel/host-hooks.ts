// Policy of host endpoints in the kernel: the programs at netfilter's hooks and the table of interfaces that they go by. Loaded
// and attached for as long as a table asks for anything: a host without such policy pays nothing for it.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import { HOST_SCOPES } from '../model/policy.ts';
import type { HostEntries, HostLists as NamedLists } from '../tables/host-entries.ts';
import { hostListKey } from '../tables/host-list-key.ts';
import { HostInterfaces } from './host-interfaces.ts';
import { HOST_LINKS, HostLinks } from './host-links.ts';
import { canHostPolicy, loadHostObject } from './host-object.ts';
import { asksAnything, type HostLists, type HostTable, NO_TABLE, type NumberedInterface } from './host-table.ts';
import type { ImageWriter, RootNumber } from './image-writer.ts';
import { MapPins } from './map-pins.ts';
import type { BpfObject } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import type { MapSizes } from './object.ts';
import type { Pins } from './pins.ts';
import { type ProgramRuns, programRuns } from './program-runs.ts';
import type { Repair } from './repair.ts';

const TABLE = 'tt_host_ifaces';

interface Loaded {
  readonly object: BpfObject;
  readonly words: Uint32Array;
  readonly interfaces: HostInterfaces;
  readonly links: HostLinks;
  readonly pins: MapPins;
}

export class HostHooks {
  readonly #sizes: MapSizes;
  readonly #pins: Pins;
  readonly #images: Pick<ImageWriter, 'activeRoot'>;
  #loaded: Loaded | undefined;
  /** Why programs cannot be had; asked for once in a process. */
  #refusal: DataplaneError | undefined;
  /** What was asked for last. */
  #wanted = NO_TABLE;
  /** Our programs were put at all hooks. */
  #isAttached = false;
  /** Why they are not, though they are wanted. */
  #problem: DataplaneError | undefined;

  /**
   * After the object of the workloads was loaded. Takes over what is pinned. Throws what loadHostObject does if programs of an
   * agent before are at the hooks: they would go by a table that nobody keeps.
   */
  constructor(sizes: MapSizes, pins: Pins, images: Pick<ImageWriter, 'activeRoot'>) {
    this.#sizes = sizes;
    this.#pins = pins;
    this.#images = images;
    if (pins.isThere(pins.map(TABLE))) this.#load();
  }

  /** Where links are pinned. */
  get linkDirectory(): string {
    return join(this.#pins.root, HOST_LINKS);
  }

  /** Why policy of host endpoints that there is is not in force; undefined = all of it is. */
  get problem(): DataplaneError | undefined {
    return this.#problem;
  }

  /** Memory of the table, for those that compare; undefined = there is none. */
  get words(): Uint32Array | undefined {
    return this.#loaded?.words;
  }

  /** What can be in force of a table: all of it, or nothing. Has the programs loaded. */
  admit(table: HostTable): HostTable {
    const isAsked = asksAnything(table);
    if (isAsked && this.#loaded === undefined) this.#load();
    this.#wanted = this.#loaded === undefined ? NO_TABLE : table;
    if (!isAsked) this.#problem = undefined;
    else if (this.#loaded === undefined) this.#problem = this.#refusal;
    return this.#wanted;
  }

  /** Of a table that was admitted. */
  isInForce(table: HostTable): boolean {
    return this.#loaded === undefined || this.#loaded.interfaces.isInForce(table);
  }

  /** Has the table come into force with the root that comes next. Throws TABLE_FULL; nothing is changed then. */
  prepare(table: HostTable): void {
    this.#loaded?.interfaces.prepare(table, (1 - this.#images.activeRoot) as RootNumber);
  }

  /** Has the programs at the hooks if they are wanted there. What keeps them away is told as the problem, and tried again. */
  attach(): void {
    if (this.#loaded === undefined || this.#isAttached || !asksAnything(this.#wanted)) return;
    this.#attempt(this.#loaded);
  }

  /** Once no packet is judged by the root before. Programs that have nothing to say any more go. */
  settle(): void {
    const loaded = this.#loaded;
    loaded?.interfaces.settle(this.#images.activeRoot);
    if (asksAnything(this.#wanted) || (loaded !== undefined && asksAnything(loaded.interfaces.inForce))) return;
    this.#detach();
    if (loaded !== undefined) this.#unload(loaded);
  }

  /**
   * Has pins and programs where they were. Not while a change is under way, nor before our tables are in force. Throws
   * PERMISSION or KERNEL.
   */
  restorePins(): Repair[] {
    const loaded = this.#loaded;
    if (loaded === undefined) return [];
    const repairs = loaded.pins.ensure();
    if (!asksAnything(loaded.interfaces.inForce)) return repairs;
    const isNew = !this.#isAttached;
    const found = this.#attempt(loaded);
    return isNew ? repairs : [...repairs, ...found];
  }

  /** Undoes what others wrote to the table. Returns how many rows that were. */
  restoreTable(): number {
    return this.#loaded?.interfaces.restore() ?? 0;
  }

  /** Ids of lists in force, under the keys that the entries of these interfaces have them by. No id is there twice. */
  idsInForce({ byName, others }: HostEntries, interfaces: readonly NumberedInterface[]): Map<string, number> {
    const ids = new Map<string, number>();
    if (this.#loaded === undefined) return ids;
    const table = this.#loaded.interfaces.inForce;
    note(ids, others.lists, table.others);
    for (const { ifindex, name } of interfaces) {
      const entry = byName.get(name);
      if (entry?.kind === 'host') note(ids, entry.lists, table.interfaces.get(ifindex));
    }
    return ids;
  }

  /** None while they are not loaded. */
  programs(): ProgramRuns[] {
    return this.#loaded === undefined ? [] : programRuns(this.#loaded.object);
  }

  /** Programs stay where they are. */
  close(): void {
    this.#loaded?.links.close();
    this.#loaded?.object.close();
  }

  #load(): void {
    if (this.#refusal !== undefined) return;
    try {
      if (!canHostPolicy()) throw unsupported();
      this.#loaded = open(this.#sizes, this.#pins, this.#images.activeRoot, this.linkDirectory);
      this.#wanted = this.#loaded.interfaces.inForce;
    } catch (error) {
      if (!(error instanceof DataplaneError) || this.#pinnedLinks().length > 0) throw error;
      this.#refusal = error;
    }
  }

  #attempt({ links }: Loaded): Repair[] {
    try {
      const repairs = links.ensure();
      this.#isAttached = true;
      this.#problem = undefined;
      return repairs;
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      this.#isAttached = false;
      this.#problem = error;
      return [];
    }
  }

  #unload({ object, links }: Loaded): void {
    links.close();
    object.close();
    rmSync(this.#pins.map(TABLE), { force: true });
    this.#loaded = undefined;
  }

  /** Of any version: one that took over may have left some. */
  #detach(): void {
    this.#isAttached = false;
    for (const pin of this.#pinnedLinks()) {
      translateErrors('detach link', pin, () => {
        const link = loadNative().BpfLink.openPinned(pin);
        link.detach();
        link.close();
      });
      rmSync(pin, { force: true });
    }
  }

  #pinnedLinks(): string[] {
    const directory = this.linkDirectory;
    return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  }
}

function open(sizes: MapSizes, pins: Pins, active: RootNumber, linkDirectory: string): Loaded {
  const object = loadHostObject(sizes, pins);
  const map = object.map(TABLE);
  const words = new Uint32Array(map.mmap());
  return {
    object,
    words,
    interfaces: new HostInterfaces(words, active),
    links: new HostLinks(object, linkDirectory),
    pins: new MapPins(new Map([[TABLE, map]]), pins),
  };
}

function note(ids: Map<string, number>, named: NamedLists | undefined, lists: HostLists | undefined): void {
  if (named === undefined || lists === undefined) return;
  for (const [place, scope] of HOST_SCOPES.entries()) {
    const key = hostListKey(named.key, scope);
    const id = lists.ids[place] as number;
    const isThere = (lists.flags & (1 << place)) !== 0;
    if (isThere && !ids.has(key) && ![...ids.values()].includes(id)) ids.set(key, id);
  }
}

function unsupported(): DataplaneError {
  return new DataplaneError('FEATURE_UNSUPPORTED', 'the kernel has no programs at the hooks of netfilter', {
    operation: 'enforce',
    target: 'host endpoints',
    expected: 'Linux 6.4 or later, with its types in /sys/kernel/btf',
    hint: 'all other policy is enforced',
  });
}
