// The main routing table as /proc/net shows it: by which interface an address is reached, and where default routes lead.
import { type Cidr, containsAddress, type IpAddress } from '../../model/address.ts';
import { defaultRoutesV4, defaultRoutesV6 } from '../block/network-files.ts';
import type { ReadFile } from '../ssh-connection.ts';
import { swappedWord } from './proc-sockets.ts';

export interface Route {
  readonly net: Cidr;
  readonly metric: number;
  readonly interfaceName: string;
}

const RTF_UP = 1;
const RTF_REJECT = 0x200;

export class Routes {
  readonly #routes: readonly Route[];
  /** Of default routes. */
  readonly uplinks: readonly string[];

  constructor(read: ReadFile) {
    const [v4, v6] = [read('/proc/net/route') ?? '', read('/proc/net/ipv6_route') ?? ''];
    this.#routes = [...parseRoutesV4(v4), ...parseRoutesV6(v6)];
    const defaults = [...defaultRoutesV4(v4), ...defaultRoutesV6(v6)];
    this.uplinks = [...new Set(defaults.map(({ interfaceName }) => interfaceName))];
  }

  /** undefined = no route of the main table leads there. */
  interfaceTo(address: IpAddress): string | undefined {
    let best: Route | undefined;
    for (const route of this.#routes) {
      if (!containsAddress(route.net, address)) continue;
      if (best === undefined || isBetter(route, best)) best = route;
    }
    return best?.interfaceName;
  }
}

export function parseRoutesV4(text: string): Route[] {
  return text.split('\n').flatMap((line): Route[] => {
    const [interfaceName = '', destination = '', , flags = '', , , metric, mask = ''] = line.trim().split(/\s+/);
    if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask) || !isUsable(flags)) return [];
    const length = Math.clz32(~swappedWord(mask));
    return [{ net: { family: 4, words: [swappedWord(destination)], length }, metric: Number(metric), interfaceName }];
  });
}

/** Without those of the machine's own addresses. */
export function parseRoutesV6(text: string): Route[] {
  return text.split('\n').flatMap((line): Route[] => {
    const fields = line.trim().split(/\s+/);
    const [destination = '', length = '', , , , metric = '', , , flags = '', interfaceName = ''] = fields;
    if (!/^[0-9a-f]{32}$/.test(destination) || !isUsable(flags) || interfaceName === 'lo') return [];
    const words = (destination.match(/.{8}/g) ?? []).map((word) => Number.parseInt(word, 16));
    const net: Cidr = { family: 6, words, length: Number.parseInt(length, 16) };
    return [{ net, metric: Number.parseInt(metric, 16), interfaceName }];
  });
}

function isUsable(flagText: string): boolean {
  const flags = Number.parseInt(flagText, 16);
  return (flags & RTF_UP) !== 0 && (flags & RTF_REJECT) === 0;
}

function isBetter(route: Route, best: Route): boolean {
  return route.net.length === best.net.length ? route.metric < best.metric : route.net.length > best.net.length;
}
