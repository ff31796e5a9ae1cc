// /proc/net/tcp and its like: every socket of this network namespace. Parsing only.
import type { IpAddress } from '../../model/address.ts';
import { plainAddress } from '../block/network-files.ts';

export interface ProcSocket {
  readonly local: IpAddress;
  readonly localPort: number;
  /** All zero = none. */
  readonly remote: IpAddress;
  readonly remotePort: number;
  /** include/net/tcp_states.h */
  readonly state: number;
  /** By which its holder is found; 0 = nobody holds it. */
  readonly inode: number;
}

export const TCP_LISTEN = 10;
export const TCP_SYN_SENT = 2;
export const TCP_ESTABLISHED = 1;

/** Of tcp, tcp6, udp or udp6. IPv4 behind a socket of IPv6 is an address of IPv4. */
export function parseSockets(text: string): ProcSocket[] {
  return text.split('\n').flatMap((line): ProcSocket[] => {
    const fields = line.trim().split(/\s+/);
    const [local, remote] = [endOf(fields[1]), endOf(fields[2])];
    if (local === undefined || remote === undefined) return [];
    const [state, inode] = [Number.parseInt(fields[3] ?? '', 16), Number(fields[9])];
    return [
      { local: local.address, localPort: local.port, remote: remote.address, remotePort: remote.port, state, inode },
    ];
  });
}

function endOf(text = ''): { readonly address: IpAddress; readonly port: number } | undefined {
  const [, hex = '', port = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text) ?? [];
  const words = (hex.match(/.{8}/g) ?? []).map(swappedWord);
  const [address] = plainAddress(words);
  return address === undefined ? undefined : { address, port: Number.parseInt(port, 16) };
}

/** These files have words in the machine's byte order: the low byte first. */
export function swappedWord(hex: string): number {
  return Number.parseInt((hex.match(/../g) ?? []).reverse().join(''), 16) >>> 0;
}
