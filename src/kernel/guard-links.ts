// The guard's program on interfaces: one pinned XDP link each, native where the driver can, generic where not. Programs of
// others are never replaced. Which interfaces are to be guarded is the agent's to say.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import { makeDirectory } from './make-directory.ts';
import type { BpfLink, BpfProgram, XdpMode } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import type { Repair } from './repair.ts';

export interface GuardTarget {
  readonly name: string;
  readonly ifindex: number;
  /** Frames are sent back from it, which the driver's own mode cannot do there. */
  readonly needsGeneric?: boolean;
}

export interface GuardedInterface {
  readonly mode: XdpMode;
  /** What was not as it should be. */
  readonly repairs: readonly Repair[];
}

interface HeldLink {
  readonly link: BpfLink;
  pin: string;
}

/** Failures that another mode would share. */
const NOT_OF_THE_MODE: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'ENODEV', 'EBUSY', 'EEXIST']);
const TAKEN: ReadonlySet<string | undefined> = new Set(['EBUSY', 'EEXIST']);

export class GuardLinks {
  readonly #directory: string;
  /** By interface number. */
  readonly #links = new Map<number, HeldLink>();

  /** Takes over what an agent before has pinned there. Throws PERMISSION and KERNEL. */
  constructor(directory: string) {
    this.#directory = directory;
    for (const pin of existsSync(directory) ? readdirSync(directory) : []) this.#adopt(pin.replaceAll(':', '.'));
  }

  /** Numbers of the interfaces that have a link. */
  get interfaces(): number[] {
    return [...this.#links.keys()];
  }

  /**
   * Makes sure that this program is on the interface, and pinned. Throws INTERFACE_TAKEN where another one is, INTERFACE_MISSING,
   * PERMISSION or KERNEL.
   */
  ensure(target: GuardTarget, program: BpfProgram): GuardedInterface {
    const { name, ifindex, needsGeneric = false } = target;
    return translateErrors('attach guard', name, () => {
      let there = loadNative().xdpQuery(ifindex);
      if (needsGeneric && this.#links.get(ifindex)?.link.info.programId === there.native) {
        this.release(ifindex);
        there = loadNative().xdpQuery(ifindex);
      }
      const held = this.#links.get(ifindex);
      const ids = [there.native, there.generic, there.offloaded].filter((id) => id !== 0);
      if (held === undefined || !ids.includes(held.link.info.programId)) {
        const mode = this.#attach(target, program, ids);
        const found = ids.length === 0 ? 'no XDP program' : `XDP program ${ids.join(', ')}`;
        return { mode, repairs: held === undefined ? [] : [{ cause: 'program-missing', target: name, found }] };
      }
      if (held.link.info.programId !== program.info.id) held.link.update(program);
      const mode = there.native === 0 ? 'generic' : 'native';
      return { mode, repairs: this.#ensurePin(name, held) };
    });
  }

  /** Has the program take the place of the one before on all interfaces. Returns what went wrong: there `ensure` will do it. */
  replaceProgram(program: BpfProgram): Error[] {
    return [...this.#links.values()].flatMap(({ link, pin }) => {
      try {
        if (link.info.ifindex !== 0) translateErrors('update guard', pin, () => link.update(program));
        return [];
      } catch (error) {
        return [error as Error];
      }
    });
  }

  /** Takes the program off the interface of that number, if it still is there. */
  release(ifindex: number): void {
    const held = this.#links.get(ifindex);
    if (held === undefined) return;
    this.#links.delete(ifindex);
    translateErrors('detach guard', held.pin, () => {
      if (held.link.info.ifindex !== 0) held.link.detach();
    });
    held.link.close();
    rmSync(this.#path(held.pin), { force: true });
  }

  /** Programs stay where they are. */
  close(): void {
    for (const { link } of this.#links.values()) link.close();
    this.#links.clear();
  }

  #attach({ name, ifindex, needsGeneric = false }: GuardTarget, program: BpfProgram, ids: readonly number[]): XdpMode {
    this.release(ifindex);
    if (ids.length > 0) throw taken(name, ids);
    const { xdpAttach } = loadNative();
    for (const mode of needsGeneric ? (['generic'] as const) : (['native', 'generic'] as const)) {
      try {
        this.#keep(name, ifindex, xdpAttach(program, ifindex, mode));
        return mode;
      } catch (error) {
        if (TAKEN.has(errnoName(error))) throw taken(name, ids);
        if (mode === 'generic' || NOT_OF_THE_MODE.has(errnoName(error))) throw error;
      }
    }
    throw new RangeError('there are two modes');
  }

  #keep(name: string, ifindex: number, link: BpfLink): void {
    this.#links.set(ifindex, { link, pin: name });
    makeDirectory(this.#directory);
    rmSync(this.#path(name), { force: true });
    link.pin(this.#path(name));
  }

  /** The pin goes by the interface's name, which may have changed. */
  #ensurePin(name: string, held: HeldLink): Repair[] {
    const path = this.#path(name);
    if (held.pin !== name && existsSync(this.#path(held.pin))) renameSync(this.#path(held.pin), path);
    held.pin = name;
    if (existsSync(path)) return [];
    makeDirectory(this.#directory);
    held.link.pin(path);
    return [{ cause: 'pin-missing', target: path, found: 'nothing' }];
  }

  #adopt(pin: string): void {
    const path = this.#path(pin);
    try {
      const link = loadNative().BpfLink.openPinned(path);
      const { ifindex } = link.info;
      if (ifindex !== 0 && !this.#links.has(ifindex)) {
        this.#links.set(ifindex, { link, pin });
        return;
      }
      link.close();
    } catch (error) {
      if (errnoName(error) !== 'EINVAL' && errnoName(error) !== 'ENOENT') throw error;
    }
    rmSync(path, { force: true });
  }

  #path(pin: string): string {
    // bpffs takes no dots, and interfaces have no colons in their names.
    return join(this.#directory, pin.replaceAll('.', ':'));
  }
}

function taken(name: string, ids: readonly number[]): DataplaneError {
  return new DataplaneError('INTERFACE_TAKEN', 'another XDP program is there and is left alone', {
    operation: 'attach guard',
    target: name,
    ...(ids.length === 0 ? {} : { found: `program ${ids.join(', ')}` }),
    hint: `blocked sources are not dropped on it; see: bpftool net show dev ${name}`,
  });
}
