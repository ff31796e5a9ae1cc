// The programs at netfilter's hooks: one pinned link for each hook and family. Such links cannot be updated, so another
// program comes beside the one before, and only then that goes: what passes meanwhile has passed both.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import { makeDirectory } from './make-directory.ts';
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
 * translation (100). A program must have one of its own, which nothing else at the hook has: the first that is free.
 */
export const PRIORITIES = [-8, -7, -6, -5, -4, -3, -2, -1] as const;

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
   * Makes sure that the programs of this object, and none of ours besides, are at all hooks of this network namespace, and
   * pinned. Returns what was not so. Throws PERMISSION, HOOK_TAKEN or KERNEL.
   */
  ensure(): Repair[] {
    makeDirectory(this.#directory);
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
    let kept = ours;
    if (ours === undefined) {
      const found = there.length === 0 ? 'no program' : 'another program';
      repairs.push({ cause: there.length === 0 ? 'program-missing' : 'program-replaced', target: name, found });
      kept = this.#hold(name, attach(program, family, hook));
    } else {
      const instead = attachWhereGone(ours.link, program);
      if (instead !== undefined) {
        repairs.push({ cause: 'program-missing', target: name, found: 'a link that was detached' });
        kept = this.#hold(name, instead);
      } else if (!existsSync(ours.pin)) {
        ours.link.pin(ours.pin);
        repairs.push({ cause: 'pin-missing', target: ours.pin, found: 'nothing' });
      }
    }
    for (const other of there) if (other !== kept) this.#drop(other);
    return repairs;
  }

  /** Pins a link beside those that are held. */
  #hold(name: string, link: BpfLink): Held {
    const taken = new Set(this.#held.map(({ pin }) => pin));
    let number = 0;
    while (taken.has(join(this.#directory, `${name}-${number}`))) number += 1;
    const held = { pin: join(this.#directory, `${name}-${number}`), link };
    rmSync(held.pin, { force: true });
    link.pin(held.pin);
    this.#held.push(held);
    return held;
  }

  #drop(held: Held): void {
    held.link.detach();
    held.link.close();
    rmSync(held.pin, { force: true });
    this.#held = this.#held.filter((other) => other !== held);
  }
}

/** With the first priority that is free. Throws HOOK_TAKEN. */
function attach(program: BpfProgram, family: 4 | 6, hook: NetfilterHook): BpfLink {
  for (const priority of PRIORITIES) {
    const link = attachAt(program, family, hook, priority);
    if (link !== undefined) return link;
  }
  throw new DataplaneError('HOOK_TAKEN', 'others have every priority that ours may have', {
    operation: 'attach netfilter',
    target: `IPv${family} ${hook}`,
    found: `hooks of others with the priorities ${PRIORITIES.join(', ')}`,
    expected: 'one of them to be free',
    hint: 'see: nft list hooks',
  });
}

/** A new link in the place of one that others have detached; undefined = it is there. */
function attachWhereGone(link: BpfLink, program: BpfProgram): BpfLink | undefined {
  const place = loadNative().netfilterQuery(link);
  if (place?.hook === undefined) return undefined;
  // A detached link still says where it was, and nobody says that it is detached. What is there has its priority alone.
  return attachAt(program, place.family, place.hook, place.priority);
}

/** undefined = something has that priority. */
function attachAt(program: BpfProgram, family: 4 | 6, hook: NetfilterHook, priority: number): BpfLink | undefined {
  try {
    return loadNative().netfilterAttach(program, family, hook, priority);
  } catch (error) {
    if (errnoName(error) === 'EBUSY') return undefined;
    throw error;
  }
}
