// The programs at netfilter's hooks: one pinned link for each hook and family. Such links cannot be updated, so another
// program comes beside the one before, and only then that goes: what passes meanwhile has passed both.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BpfLink, BpfObject, BpfProgram, NetfilterHook } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import type { Repair } from './repair.ts';

/** Below the pin root: where such links are pinned. */
export const HOST_LINKS = 'host-links';

const HOOKS: Readonly<Record<NetfilterHook, string>> = {
  'local-in': 'tt_to_host',
  forward: 'tt_forward',
  'local-out': 'tt_from_host',
};
const FAMILIES = [4, 6] as const;

/**
 * Behind destination translation (-100) and the mangle tables, before the filter tables of others (0) and source
 * translation (100). Two, because no two programs may have the same.
 */
const PRIORITIES = [-2, -1] as const;

interface Held {
  readonly pin: string;
  readonly link: BpfLink;
}

export class HostLinks {
  readonly #directory: string;
  readonly #programs: ReadonlyMap<NetfilterHook, BpfProgram>;
  #held: Held[] = [];

  /** Pins are in `directory`, which `tortie cleanup` knows. */
  constructor(object: BpfObject, directory: string) {
    this.#directory = directory;
    this.#programs = new Map(
      Object.entries(HOOKS).map(([hook, name]) => [hook as NetfilterHook, object.program(name)]),
    );
  }

  /**
   * Makes sure that the programs of this object, and none of ours besides, are at all hooks, and pinned. Returns what was
   * not so. Throws PERMISSION or KERNEL.
   */
  ensure(): Repair[] {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#adopt();
    return [...this.#programs].flatMap(([hook, program]) =>
      FAMILIES.flatMap((family) =>
        translateErrors('attach netfilter', `IPv${family} ${hook}`, () => this.#ensureOne(hook, family, program)),
      ),
    );
  }

  /** Takes all of ours off the hooks. */
  detach(): void {
    this.#adopt();
    for (const held of [...this.#held]) this.#drop(held);
  }

  /** Programs stay where they are. */
  close(): void {
    for (const { link } of this.#held) link.close();
    this.#held = [];
  }

  /** Links that are pinned, and not held yet. */
  #adopt(): void {
    for (const name of existsSync(this.#directory) ? readdirSync(this.#directory) : []) {
      const pin = join(this.#directory, name);
      if (this.#held.some((held) => held.pin === pin)) continue;
      try {
        this.#held.push({ pin, link: loadNative().BpfLink.openPinned(pin) });
      } catch (error) {
        if (errnoName(error) !== 'EINVAL' && errnoName(error) !== 'ENOENT') throw error;
        rmSync(pin, { force: true });
      }
    }
  }

  #ensureOne(hook: NetfilterHook, family: 4 | 6, program: BpfProgram): Repair[] {
    const name = `${hook}-${family}`;
    const { id } = program.info;
    const there = this.#held.filter(({ pin }) => pin.startsWith(join(this.#directory, `${name}-`)));
    const [ours] = there.filter(({ link }) => link.info.programId === id);
    const repairs: Repair[] = [];
    if (ours === undefined) {
      const found = there.length === 0 ? 'no program' : 'another program';
      repairs.push({ cause: there.length === 0 ? 'program-missing' : 'program-replaced', target: name, found });
      this.#attach(name, hook, family, program);
    } else if (!existsSync(ours.pin)) {
      ours.link.pin(ours.pin);
      repairs.push({ cause: 'pin-missing', target: ours.pin, found: 'nothing' });
    }
    for (const other of there) if (other !== ours) this.#drop(other);
    return repairs;
  }

  #attach(name: string, hook: NetfilterHook, family: 4 | 6, program: BpfProgram): void {
    const taken = new Set(this.#held.map(({ pin }) => pin));
    const pinFor = (place: number): string => join(this.#directory, `${name}-${place}`);
    const place = PRIORITIES.findIndex((_, candidate) => !taken.has(pinFor(candidate)));
    const priority = PRIORITIES[Math.max(place, 0)] as number;
    const link = loadNative().netfilterAttach(program, family, hook, priority);
    const pin = pinFor(Math.max(place, 0));
    link.pin(pin);
    this.#held.push({ pin, link });
  }

  #drop(held: Held): void {
    held.link.detach();
    held.link.close();
    rmSync(held.pin, { force: true });
    this.#held = this.#held.filter((other) => other !== held);
  }
}
