// Network namespaces of this machine, and which of them an address is in.
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';
import { loadNative } from '../../kernel/native.ts';
import { formatAddress, type IpAddress } from '../../model/address.ts';

const NAMED = '/run/netns';
const OWN = '/proc/self/ns/net';
const MAX_NAMESPACES = 4096;
const SHOWN = 4;

/** A namespace by a path that it can be entered by, and the MAC address of its interface that has the address. */
export interface Holder {
  readonly path: string;
  readonly mac: string;
}

/** What is known of an end whose namespace is looked for. */
export interface Sought {
  /** As people call it. */
  readonly name: string;
  readonly address: IpAddress;
  /** Of the other end of the link that leads to it; undefined = not known. */
  readonly mac?: string;
}

/**
 * The namespace that an end is in. This process's own goes first: what it sends to the address stays there. Several others
 * may have the address; then the link says which. Throws NOT_FOUND, also when it does not say.
 */
export function findNamespace(sought: Sought, holders = holdersOf(sought.address)): string | undefined {
  const [first] = holders;
  if (first === undefined || first.path === OWN || holders.length === 1) return first?.path;
  const linked = holders.filter(({ mac }) => sought.mac !== undefined && mac === sought.mac);
  if (linked.length === 1) return linked[0]?.path;
  const paths = holders.map(({ path }) => path);
  throw new DataplaneError('NOT_FOUND', 'several network namespaces have its address', {
    operation: 'probe',
    target: sought.name,
    found: `${formatAddress(sought.address)} in ${paths.slice(0, SHOWN).join(', ')}${paths.length > SHOWN ? ', ...' : ''}`,
    hint: 'say which with --from-netns or --to-netns',
  });
}

/** Each namespace that has the address, its own first. */
export function holdersOf(address: IpAddress): Holder[] {
  const wanted = Buffer.alloc(4 * address.words.length);
  for (const [at, word] of address.words.entries()) wanted.writeUInt32BE(word, 4 * at);
  const found: Holder[] = [];
  let looked = 0;
  for (const path of networkNamespaces()) {
    if (looked++ === MAX_NAMESPACES) break;
    const holder = holderAt(path, wanted);
    if (holder !== undefined) found.push(holder);
    // Nobody else is asked for what is here, such as 127.0.0.1.
    if (holder?.path === OWN) break;
  }
  return found;
}

/** Of what an operator names: a path, a process, or a name of `ip netns`. */
export function namespacePath(text: string): string {
  if (text.includes('/')) return text;
  return /^\d+$/.test(text) ? `/proc/${text}/ns/net` : join(NAMED, text);
}

/** MAC address at the other end of an interface of this namespace; undefined = it has none that the kernel names. */
export function peerMacOf(interfaceName: string): string | undefined {
  const link = loadNative()
    .linkList()
    .find(({ name }) => name === interfaceName);
  return link === undefined || link.peerMac === '' ? undefined : link.peerMac;
}

/** Each once: this process's own, those that have names, those of other processes. */
function* networkNamespaces(): Generator<string> {
  const seen = new Set<number>();
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const candidates = [OWN, ...namesIn(NAMED), ...processes.map((pid) => join('/proc', pid, 'ns', 'net'))];
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

/** undefined = it has not got the address, or is not there any more. */
function holderAt(path: string, wanted: Buffer): Holder | undefined {
  try {
    const { inNamespace, addressList, linkList } = loadNative();
    return inNamespace(path, () => {
      const ifindex = addressList().find(({ bytes }) => wanted.equals(bytes))?.ifindex;
      if (ifindex === undefined) return undefined;
      return { path, mac: linkList().find((link) => link.ifindex === ifindex)?.mac ?? '' };
    });
  } catch {
    return undefined;
  }
}
