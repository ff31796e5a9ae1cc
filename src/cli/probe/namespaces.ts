// Network namespaces of this machine, and which of them an address is in.
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadNative } from '../../kernel/native.ts';
import type { IpAddress } from '../../model/address.ts';

const NAMED = '/run/netns';
const MAX_NAMESPACES = 4096;

/** A path by which the namespace with that address can be entered; undefined = none of this machine's has it. */
export function findNamespace(address: IpAddress): string | undefined {
  const wanted = Buffer.alloc(4 * address.words.length);
  for (const [at, word] of address.words.entries()) wanted.writeUInt32BE(word, 4 * at);
  return [...networkNamespaces()].slice(0, MAX_NAMESPACES).find((path) => hasAddress(path, wanted));
}

/** Each once: this process's own, those that have names, those of other processes. Addresses such as 127.0.0.1 are in all. */
function* networkNamespaces(): Generator<string> {
  const seen = new Set<number>();
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const candidates = [
    '/proc/self/ns/net',
    ...namesIn(NAMED),
    ...processes.map((pid) => join('/proc', pid, 'ns', 'net')),
  ];
  for (const path of candidates) {
    const inode = inodeOf(path);
    if (inode === undefined || seen.has(inode)) continue;
    seen.add(inode);
    yield path;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** undefined = it is gone, or no namespace. */
function inodeOf(path: string): number | undefined {
  try {
    if (path.startsWith('/proc/')) return Number(/^net:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]);
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

function hasAddress(path: string, wanted: Buffer): boolean {
  try {
    const { inNamespace, addressList } = loadNative();
    return inNamespace(path, addressList).some(({ bytes }) => wanted.equals(bytes));
  } catch {
    return false;
  }
}
