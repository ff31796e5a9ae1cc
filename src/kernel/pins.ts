// Where programs, maps and links are pinned. A layout's version is part of the path of its maps, so that two versions never
// share one; what has a path without a version means the same to all of them.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Layout } from '../abi/common.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import { makeDirectory } from './make-directory.ts';
import { loadNative, translateErrors } from './native.ts';

export const DEFAULT_BPFFS = '/sys/fs/bpf';

/** Maps that programs of one layout hand on to those of the next. */
export const LIVE_MAPS = ['tt_flows', 'tt_flow_locks', 'tt_fragments', 'tt_flow_cache', 'tt_counters'] as const;
/** Maps where programs of two layouts meet. */
export const BRIDGE_MAPS = ['tt_switch', 'tt_sides'] as const;

/** What flow logs have told of the flows in tt_flows; there while flow logs are kept. */
export const FLOW_TOLD_MAP = 'tt_flow_told';

const LIVE: ReadonlySet<string> = new Set([...LIVE_MAPS, FLOW_TOLD_MAP]);
const BRIDGE: ReadonlySet<string> = new Set(BRIDGE_MAPS);

/** Below a pin root: an empty directory for each interface that has clsact filters of its agents, named by its number. */
const FILTERS = 'filters';
/** Of a link that is about to take the place of another one. Names of bpffs have no dots, names of interfaces no colons. */
const SUCCESSOR = ':new';
const LINK = /^(?<name>.+)-(?:ingress|egress)$/;

/**
 * Paths under `<bpffs>/tortie[-<instance>]/`: `v<layout>/maps` for the tables, `live-v<layout>` for what outlives them,
 * `bridge`, `links` and `filters` for what every version reads.
 */
export class Pins {
  readonly root: string;

  /** root is the directory that `tortie cleanup` removes. */
  constructor(root: string) {
    this.root = root;
  }

  /** All that maps are in. */
  get mapDirectories(): readonly string[] {
    return [this.#tableDirectory, this.#liveDirectory, join(this.root, 'bridge')];
  }

  map(name: string): string {
    if (LIVE.has(name)) return join(this.#liveDirectory, name);
    return join(BRIDGE.has(name) ? join(this.root, 'bridge') : this.#tableDirectory, name);
  }

  get linkDirectory(): string {
    return join(this.root, 'links');
  }

  /** One pin for each interface and direction; the interface's name says which. */
  link(interfaceName: string, direction: string): string {
    return join(this.linkDirectory, `${interfaceName.replaceAll('.', ':')}-${direction}`);
  }

  get filterDirectory(): string {
    return join(this.root, FILTERS);
  }

  /** Whether an agent has put programs on interfaces. */
  get hasInterfaces(): boolean {
    return namesIn(this.linkDirectory).length > 0 || namesIn(this.filterDirectory).length > 0;
  }

  isThere(path: string): boolean {
    return existsSync(path);
  }

  /** Creates the directories, mounting bpffs first where there is none. Owner-only. */
  create(bpffs: string): void {
    if (!isBpffs(bpffs)) {
      makeDirectory(bpffs);
      translateErrors('mount bpffs', bpffs, () => loadNative().mountBpffs(bpffs));
    }
    for (const directory of [...this.mapDirectories, this.linkDirectory]) {
      try {
        makeDirectory(directory);
      } catch (cause) {
        throw new DataplaneError('PERMISSION', 'cannot create pin directory', {
          operation: 'create pins',
          target: directory,
          hint: 'run as root, or with CAP_BPF and write access to bpffs',
          cause,
        });
      }
    }
  }

  /** Unpins the tables of this layout, and leaves an empty directory for others. */
  removeTables(): void {
    rmSync(this.#tableDirectory, { recursive: true, force: true });
    makeDirectory(this.#tableDirectory);
  }

  /** Unpins what is of other layouts. */
  removeOthers(): void {
    const ours = [`v${Layout.VERSION}`, `live-v${Layout.LIVE_VERSION}`];
    const others = readdirSync(this.root).filter((name) => /^(live-)?v\d+$/.test(name) && !ours.includes(name));
    for (const name of others) rmSync(join(this.root, name), { recursive: true, force: true });
  }

  get #tableDirectory(): string {
    return join(this.root, `v${Layout.VERSION}`, 'maps');
  }

  get #liveDirectory(): string {
    return join(this.root, `live-v${Layout.LIVE_VERSION}`);
  }
}

/** Nothing, where there is no such directory. */
export function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** Name of the interface that a link of that file name is for; undefined = it is no link in its place. */
export function interfaceOfLink(fileName: string): string | undefined {
  return LINK.exec(fileName)?.groups?.name?.replaceAll(':', '.');
}

/** Where a link is pinned that is about to be renamed to `pin`. */
export function successorOf(pin: string): string {
  return `${pin}${SUCCESSOR}`;
}

/** Where the link at that path belongs; undefined = it is there already. */
export function placeOfSuccessor(path: string): string | undefined {
  return path.endsWith(SUCCESSOR) ? path.slice(0, -SUCCESSOR.length) : undefined;
}

/** Numbers of the interfaces that have clsact filters of the agents with that pin root. */
export function filteredInterfaces(root: string): number[] {
  return namesIn(join(root, FILTERS)).map(Number).filter(Number.isInteger);
}

function isBpffs(path: string): boolean {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .some((line) => {
      const [, mountPoint, type] = line.split(' ');
      return mountPoint === path && type === 'bpf';
    });
}
