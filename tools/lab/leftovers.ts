// What a lab leaves on the machine, how it is named, and how it is removed: by its own lab, on the way out, or after a crash.
import { readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { runCommandAtExit } from './command.ts';

const NETNS_DIRECTORY = '/run/netns';
/** One folder per lab: its bpffs is mounted inside, and its programs keep their files there. */
export const LAB_DIRECTORY = '/run/tt-lab';

const PREFIX_PATTERN = /^tt(\d+)-\d+\.\d+/;
let labCount = 0;

/** A name that no other lab on this machine has, and that tells which process made it. */
export function newPrefix(): string {
  labCount += 1;
  return `tt${process.pid}-${threadId}.${labCount}`;
}

/** Path of a named network namespace, as nsenter and setns want it. */
export function netnsPath(namespace: string): string {
  return join(NETNS_DIRECTORY, namespace);
}

/** A lab's own folder. */
export function labPath(prefix: string): string {
  return join(LAB_DIRECTORY, prefix);
}

/** Mount point of a lab's own bpffs. */
export function bpffsPath(prefix: string): string {
  return join(labPath(prefix), 'bpf');
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function namespacesOf(prefix: string): string[] {
  return listDirectory(NETNS_DIRECTORY).filter((name) => name.startsWith(`${prefix}-`));
}

/** Processes whose network namespace is one of the named ones, by comparing inodes. */
export function processesIn(namespaces: readonly string[]): number[] {
  const links = new Set(namespaces.flatMap((name) => netnsLink(name) ?? []));
  return listDirectory('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => links.has(processLink(pid)))
    .map(Number);
}

function netnsLink(namespace: string): string | undefined {
  try {
    return `net:[${statSync(netnsPath(namespace)).ino}]`;
  } catch {
    return undefined;
  }
}

function processLink(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
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
  const namespaces = namespacesOf(prefix);
  for (const pid of processesIn(namespaces)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
  }
  if (namespaces.length > 0) {
    runCommandAtExit(['ip', '-force', '-batch', '-'], namespaces.map((name) => `netns del ${name}\n`).join(''));
  }
  // Detached lazily: a process that is just dying may still hold a file in it.
  if (listDirectory(LAB_DIRECTORY).includes(prefix)) runCommandAtExit(['umount', '-l', bpffsPath(prefix)]);
  rmSync(labPath(prefix), { recursive: true, force: true });
}

/** Removes what runs left behind that did not end in order. Returns the prefixes removed. */
export function sweepLabs(): string[] {
  const names = [...listDirectory(NETNS_DIRECTORY), ...listDirectory(LAB_DIRECTORY)];
  const prefixes = new Set(names.flatMap((name) => PREFIX_PATTERN.exec(name)?.[0] ?? []));
  const dead = [...prefixes].filter((prefix) => !isAlive(Number(PREFIX_PATTERN.exec(prefix)?.[1])));
  for (const prefix of dead) removeLab(prefix);
  return dead;
}
