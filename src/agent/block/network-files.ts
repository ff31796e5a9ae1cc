// What /proc/net says of this network namespace's routes and VLANs, and /etc/resolv.conf of its name servers. Parsing only.
import type { IpAddress } from '../../model/address.ts';
import { parseAddress } from '../../model/address.ts';

export interface DefaultRoute {
  readonly interfaceName: string;
  /** undefined = the network itself is on the link. */
  readonly gateway: IpAddress | undefined;
}

const RTF_UP = 1;
const RTF_GATEWAY = 2;
const RTF_REJECT = 0x200;

/** /proc/net/route: default routes of the main table; of several ways of one route the first. */
export function defaultRoutesV4(text: string): DefaultRoute[] {
  return text.split('\n').flatMap((line) => {
    const [interfaceName = '', destination, gateway = '', flagText, , , , mask] = line.trim().split(/\s+/);
    const flags = Number.parseInt(flagText ?? '', 16);
    if (destination !== '00000000' || mask !== '00000000' || (flags & RTF_UP) === 0) return [];
    if ((flags & RTF_REJECT) !== 0) return [];
    const word = swapped(Number.parseInt(gateway, 16));
    return [{ interfaceName, gateway: (flags & RTF_GATEWAY) === 0 ? undefined : { family: 4, words: [word] } }];
  });
}

/** /proc/net/ipv6_route: the same of IPv6. */
export function defaultRoutesV6(text: string): DefaultRoute[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [destination = '', length, , , gateway = ''] = fields;
    const flags = Number.parseInt(fields[8] ?? '', 16);
    const interfaceName = fields[9] ?? '';
    if (!/^0{32}$/.test(destination) || length !== '00' || interfaceName === 'lo') return [];
    if ((flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) return [];
    return [{ interfaceName, gateway: (flags & RTF_GATEWAY) === 0 ? undefined : wordsOf(gateway) }];
  });
}

/** /proc/net/vlan/config: the interface below each VLAN's. */
export function vlanParents(text: string): Map<string, string> {
  const rows = text.split('\n').map((line) => line.split('|').map((field) => field.trim()));
  return new Map(rows.flatMap(([name, id, parent]) => (/^\d+$/.test(id ?? '') ? [[name ?? '', parent ?? '']] : [])));
}

/** nameserver lines of a resolv.conf. */
export function nameServers(text: string): IpAddress[] {
  return text.split('\n').flatMap((line) => {
    const [, written = ''] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    return parseAddress(written.replace(/%.*$/, '')) ?? [];
  });
}

/** /proc/net/tcp or tcp6: the other ends of connections to a local port. */
export function peersOfPort(text: string, port: number): IpAddress[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state] = line.trim().split(/\s+/);
    if (state !== ESTABLISHED || !local.endsWith(`:${wanted}`)) return [];
    const hex = remote.slice(0, remote.indexOf(':'));
    const words = (hex.match(/.{8}/g) ?? []).map((word) => swapped(Number.parseInt(word, 16)));
    return plainAddress(words);
  });
}

const ESTABLISHED = '01';

/** IPv4 behind a socket of IPv6 is an address of IPv4. */
export function plainAddress(words: readonly number[]): IpAddress[] {
  if (words.length === 1) return [{ family: 4, words }];
  if (words.length !== 4) return [];
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return [isMapped ? { family: 4, words: [words[3] as number] } : { family: 6, words }];
}

function wordsOf(hex: string): IpAddress | undefined {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => Number.parseInt(word, 16));
  return words.length === 4 ? { family: 6, words } : undefined;
}

/** These files have words in the machine's byte order; all machines that Tortie is built for have the low byte first. */
function swapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
