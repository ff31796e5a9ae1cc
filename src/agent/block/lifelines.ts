// Addresses that this machine, or whoever asks for a block, cannot do without: the other end of the operator's SSH session,
// default gateways, name servers, and what neighbour discovery needs. A prefix that contains one is refused.
import { maskWord } from '../../base/ip-text.ts';
import { loadNative } from '../../kernel/native.ts';
import { type Family, formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import { type ReadFile, readIfThere } from '../ssh-connection.ts';
import { defaultRoutesV4, defaultRoutesV6, nameServers, peersOfPort, plainAddress } from './network-files.ts';
import type { Refusal } from './prefix-reader.ts';

export interface Lifeline {
  readonly address: IpAddress;
  /** Completes `contains 192.0.2.1, `. */
  readonly what: string;
}

/** The other ends of connections to a local port. */
export type PeersOf = (port: number) => IpAddress[];

const SSH_PORT = 22;
const RESOLV_CONFS = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** `session` = that of whoever asks, where there is one. */
export function findLifelines(
  session: SshSession | undefined,
  read: ReadFile = readIfThere,
  peersOf: PeersOf = (port) => peersByProc(port, read),
): Lifeline[] {
  // What an address was found as first is what matters most.
  const found = new Map<string, Lifeline>();
  const add = (addresses: readonly (IpAddress | undefined)[], what: string): void => {
    for (const address of addresses) {
      if (address === undefined || isLoopback(address)) continue;
      const text = formatAddress(address);
      if (!found.has(text)) found.set(text, { address, what });
    }
  };
  add([session?.client], 'which this SSH session comes from');
  for (const port of new Set([SSH_PORT, session?.port ?? SSH_PORT])) {
    add(peersOf(port), 'which has an SSH session with this machine');
  }
  const routes = [
    ...defaultRoutesV4(read('/proc/net/route') ?? ''),
    ...defaultRoutesV6(read('/proc/net/ipv6_route') ?? ''),
  ];
  const gateways = routes.map(({ gateway }) => gateway);
  add(gateways, 'which is a default gateway');
  for (const path of RESOLV_CONFS) add(nameServers(read(path) ?? ''), 'which is a name server of this machine');
  return [...found.values()];
}

/**
 * As the kernel picks them out: /proc/net/tcp would have every connection, half open ones too, of which there are most when
 * somebody is to be blocked. That is read only where the kernel cannot do it.
 */
export const peersByKernel: PeersOf = (port) => {
  try {
    return loadNative().tcpPeers(port).flatMap(addressOf);
  } catch {
    return peersByProc(port, readIfThere);
  }
};

function addressOf(bytes: Uint8Array): IpAddress[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return plainAddress(Array.from({ length: bytes.length / 4 }, (_, word) => view.getUint32(4 * word)));
}

function peersByProc(port: number, read: ReadFile): IpAddress[] {
  return ['tcp', 'tcp6'].flatMap((file) => peersOfPort(read(`/proc/net/${file}`) ?? '', port));
}

/** The reason to refuse a prefix that contains one of them. */
export function refusalOf(lifelines: readonly Lifeline[]): Refusal {
  const own: Readonly<Record<Family, readonly Lifeline[]>> = {
    4: lifelines.filter(({ address }) => address.family === 4),
    6: lifelines.filter(({ address }) => address.family === 6),
  };
  return (family, words, at, length) => {
    for (const { address, what } of own[family]) {
      if (isIn(words, at, length, address.words)) return `contains ${formatAddress(address)}, ${what}`;
    }
    return family === 6 && meetsLinkLocal(words[at] as number, length)
      ? 'meets fe80::/10, without which IPv6 neighbours are not found'
      : undefined;
  };
}

function isIn(words: Uint32Array, at: number, length: number, address: readonly number[]): boolean {
  for (let word = 0; 32 * word < length; word += 1) {
    if ((((words[at + word] as number) ^ (address[word] as number)) & maskWord(length, word)) !== 0) return false;
  }
  return true;
}

function meetsLinkLocal(first: number, length: number): boolean {
  const shared = maskWord(Math.min(length, 10), 0);
  return ((first ^ 0xfe800000) & shared) === 0;
}

export interface SshSession {
  readonly client: IpAddress;
  /** Of this machine. */
  readonly port: number;
}

/** SSH_CONNECTION as sshd sets it: `client port server port`. undefined = it is no such text. */
export function parseSshConnection(text: string): SshSession | undefined {
  const [, written = '', port] = /^(\S+) \d+ \S+ (\d{1,5})$/.exec(text) ?? [];
  const client = parseAddress(written.replace(/%.*$/, ''));
  return client === undefined ? undefined : { client, port: Number(port) };
}

/** Loopback is not guarded. */
function isLoopback({ family, words }: IpAddress): boolean {
  if (family === 4) return (words[0] as number) >>> 24 === 127;
  return words.every((word, index) => word === (index === 3 ? 1 : 0));
}
