// Takes everything off the kernel that Tortie ever put there: programs, links, pins. The opposite of Dataplane.open.
import { existsSync, rmSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import { detachFilters } from './clsact-hook.ts';
import { HOST_LINKS } from './host-links.ts';
import type { BpfLink } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import { filteredInterfaces, namesIn } from './pins.ts';

export interface CleanUpReport {
  /** Interfaces that had one of our programs. */
  readonly interfaces: readonly string[];
  readonly isPinRootRemoved: boolean;
}

/** linux/magic.h: BPF_FS_MAGIC */
const BPFFS_MAGIC = 0xcafe4a11;
/** What opening says of the pin of something else, and of a directory. */
const NO_LINK: ReadonlySet<string | undefined> = new Set(['EINVAL', 'EACCES']);

/**
 * Works for pins of every layout version, and for what is pinned there and is nobody's. Interfaces that agents with a pin root
 * beside this one have stay as they are. Throws USAGE for a directory that is no bpffs, PERMISSION or KERNEL.
 */
export function cleanUp(pinRoot: string): CleanUpReport {
  if (existsSync(pinRoot) && statfsSync(pinRoot).type !== BPFFS_MAGIC) {
    throw new DataplaneError('USAGE', 'is not in a BPF file system', {
      operation: 'clean up',
      target: pinRoot,
      hint: 'name the directory that the agent was given with --pin-root',
    });
  }
  const present = loadNative().linkList();
  const interfaces = new Set<string>();
  const roots = [pinRoot, ...namesIn(pinRoot).map((name) => join(pinRoot, name))];
  for (const links of roots.map((root) => join(root, 'links'))) {
    for (const name of namesIn(links)) {
      const ifindex = detachLink(join(links, name));
      for (const link of present) if (link.ifindex === ifindex) interfaces.add(link.name);
    }
  }
  const hooks = join(pinRoot, HOST_LINKS);
  for (const name of namesIn(hooks)) detachLink(join(hooks, name));
  const others = interfacesBeside(pinRoot);
  for (const { ifindex, name } of present) {
    if (!others.has(ifindex) && detachFilters(ifindex)) interfaces.add(name);
  }
  const isPinRootRemoved = existsSync(pinRoot);
  rmSync(pinRoot, { recursive: true, force: true });
  return { interfaces: [...interfaces].sort(), isPinRootRemoved };
}

/** Numbers of interfaces that have filters of agents with another pin root in the same directory. */
function interfacesBeside(pinRoot: string): Set<number> {
  const own = new Set(filteredInterfaces(pinRoot));
  const parent = dirname(pinRoot);
  const others = namesIn(parent).filter((name) => name !== basename(pinRoot));
  const theirs = others.flatMap((name) => filteredInterfaces(join(parent, name)));
  return new Set(theirs.filter((ifindex) => !own.has(ifindex)));
}

/** Detaching first: other processes may hold the link open. Returns the interface that it was at; 0 = none. */
function detachLink(pin: string): number {
  return translateErrors('detach link', pin, () => {
    const link = openLink(pin);
    if (link === undefined) return 0;
    try {
      const { ifindex } = link.info;
      if (ifindex !== 0) link.detach();
      return ifindex;
    } finally {
      link.close();
    }
  });
}

function openLink(pin: string): BpfLink | undefined {
  try {
    return loadNative().BpfLink.openPinned(pin);
  } catch (error) {
    if (NO_LINK.has(errnoName(error))) return undefined;
    throw error;
  }
}
