// What a lab leaves on the machine, how it is named, and how it is removed: by its own lab, on the way out, or after a crash.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { runCommandAtExit } from '../../src/bench/command.ts';
import { listDirectory, namespacesWithPrefix, removeNamespaces } from '../../src/bench/net-namespaces.ts';

/** One folder per lab: its bpffs is mounted inside, and its programs keep their files there. */
export const LAB_DIRECTORY = '/run/tt-lab';

const PREFIX_PATTERN = /^tt(\d+)-\d+\.\d+/;
let labCount = 0;

/** A name that no other lab on this machine has, and that tells which process made it. */
export function newPrefix(): string {
  labCount += 1;
  return `tt${process.pid}-${threadId}.${labCount}`;
}

/** A lab's own folder. */
export function labPath(prefix: string): string {
  return join(LAB_DIRECTORY, prefix);
}

/** Mount point of a lab's own bpffs. */
export function bpffsPath(prefix: string): string {
  return join(labPath(prefix), 'bpf');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Kills what still runs in a lab's namespaces, then removes them, its links and its bpffs. Synchronous, so that it works at exit. */
export function removeLab(prefix: string): void {
  removeNamespaces(namespacesWithPrefix(`${prefix}-`));
  // Detached lazily: a process that is just dying may still hold a file in it.
  if (listDirectory(LAB_DIRECTORY).includes(prefix)) runCommandAtExit(['umount', '-l', bpffsPath(prefix)]);
  rmSync(labPath(prefix), { recursive: true, force: true });
}

/** Removes what runs left behind that did not end in order. Returns the prefixes removed. */
export function sweepLabs(): string[] {
  const names = [...namespacesWithPrefix('tt'), ...listDirectory(LAB_DIRECTORY)];
  const prefixes = new Set(names.flatMap((name) => PREFIX_PATTERN.exec(name)?.[0] ?? []));
  const dead = [...prefixes].filter((prefix) => !isAlive(Number(PREFIX_PATTERN.exec(prefix)?.[1])));
  for (const prefix of dead) removeLab(prefix);
  return dead;
}
