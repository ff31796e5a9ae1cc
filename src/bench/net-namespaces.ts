// Named network namespaces as this machine keeps them: where they are, who runs in them, how they go. Everything here is synchronous,
// so that it works on the way out of the process. What a namespace is for is not known here.
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runCommandAtExit } from './command.ts';

const NETNS_DIRECTORY = '/run/netns';

/** Path of a named network namespace, as nsenter and setns want it. */
export function netnsPath(namespace: string): string {
  return join(NETNS_DIRECTORY, namespace);
}

/** An argument vector that runs `argv` in a namespace. Only the network changes: unlike `ip netns exec` this keeps the mounts. */
export function enterNamespace(namespace: string, argv: readonly string[]): string[] {
  return ['nsenter', `--net=${netnsPath(namespace)}`, '--', ...argv];
}

/** Names that begin like this. */
export function namespacesWithPrefix(prefix: string): string[] {
  return listDirectory(NETNS_DIRECTORY).filter((name) => name.startsWith(prefix));
}

/** Processes whose network namespace is one of the named ones, by comparing inodes. */
export function processesIn(namespaces: readonly string[]): number[] {
  const links = new Set(namespaces.flatMap((name) => netnsLink(name) ?? []));
  return listDirectory('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => links.has(processLink(pid)))
    .map(Number);
}

/** Kills what runs in the namespaces and removes them, with the links inside. */
export function removeNamespaces(namespaces: readonly string[]): void {
  if (namespaces.length === 0) return;
  for (const pid of processesIn(namespaces)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
  }
  runCommandAtExit(['ip', '-force', '-batch', '-'], namespaces.map((name) => `netns del ${name}\n`).join(''));
}

/** Entries of a folder; none when it is not there. */
export function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
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
