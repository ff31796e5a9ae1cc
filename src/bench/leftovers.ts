// What an arena leaves on the machine, how it is named, and how it is removed: by its own run, on the way out, or after a crash.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type FileLock, loadNative } from '../kernel/native.ts';
import { runCommandAtExit } from './command.ts';
import { listDirectory, namespacesWithPrefix, removeNamespaces } from './net-namespaces.ts';

/** One folder per arena: its lock, its bpffs, and the files of what runs in it. */
const DIRECTORY = '/run/tortie-bench';
const PREFIX = 'tortie-bench-';
const ID_PATTERN = /^tortie-bench-([0-9a-f]{8})-/;

/** A name that no other arena has, held for as long as its lock is: a crashed run lets go of it. */
export interface ArenaClaim {
  readonly id: string;
  readonly directory: string;
  readonly lock: FileLock;
}

/** Throws KERNEL or PERMISSION. */
export function claimArena(): ArenaClaim {
  for (;;) {
    const id = randomBytes(4).toString('hex');
    const directory = join(DIRECTORY, id);
    mkdirSync(join(directory, 'bpf'), { recursive: true });
    const lock = tryLock(id);
    // Without it, another run took the new folder for one that was left behind.
    if (lock !== undefined) return { id, directory, lock };
  }
}

/** The real name of an arena's namespace. */
export function arenaNamespace(id: string, name: string): string {
  return `${PREFIX}${id}-${name}`;
}

/** Mount point of an arena's own bpffs. */
export function arenaBpffs(id: string): string {
  return join(DIRECTORY, id, 'bpf');
}

/** Kills what still runs in an arena and removes its namespaces, links, bpffs and folder. Synchronous: it also works at exit. */
export function removeArena(id: string): void {
  removeNamespaces(namespacesWithPrefix(`${PREFIX}${id}-`));
  // Detached lazily: a process that is just dying may still hold a file in it.
  if (listDirectory(DIRECTORY).includes(id)) runCommandAtExit(['umount', '-l', arenaBpffs(id)]);
  rmSync(join(DIRECTORY, id), { recursive: true, force: true });
}

/** Removes what runs left behind that did not end in order. Returns the ids of those arenas. */
export function sweepArenas(): string[] {
  const named = namespacesWithPrefix(PREFIX).flatMap((name) => ID_PATTERN.exec(name)?.[1] ?? []);
  return [...new Set([...named, ...listDirectory(DIRECTORY)])].filter(sweepArena);
}

/** False: it is in use. */
function sweepArena(id: string): boolean {
  mkdirSync(join(DIRECTORY, id), { recursive: true });
  const lock = tryLock(id);
  if (lock === undefined) return false;
  removeArena(id);
  lock.close();
  return true;
}

function tryLock(id: string): FileLock | undefined {
  try {
    return loadNative().FileLock.acquire(join(DIRECTORY, id, 'lock'));
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'ENOENT') return undefined;
    throw error;
  }
}
