// The IPv6 messages without which a link has no neighbours: they pass before policy, as bpf/stages/neighbour.h has it.
import type { IpAddress } from './address.ts';
import { type Flow, PROTOCOL } from './flow.ts';

/** Multicast listener query, report and done; router solicitation; neighbour solicitation and advertisement. */
export const LINK_TYPES: ReadonlySet<number> = new Set([130, 131, 132, 133, 135, 136]);

/** Whether the flow's first packet, sent with hop limit 255, is one of them, with an end that no router serves. */
export function isLinkScopeDiscovery({ source, destination, protocol, icmpType }: Flow): boolean {
  if (source.family !== 6 || protocol !== PROTOCOL.ICMPV6 || !LINK_TYPES.has(icmpType)) return false;
  return (
    source.words.every((word) => word === 0) ||
    isLinkLocal(source) ||
    isLinkLocal(destination) ||
    (destination.words[0] as number) >>> 16 === 0xff02
  );
}

/**
 * Likewise at a host's own hooks. A host has neighbours by its global addresses too; what it forwards has lost a hop and is
 * no discovery of its own.
 */
export function isHostDiscovery(flow: Flow, kind: 'to-host' | 'from-host' | 'forward'): boolean {
  if (kind === 'forward') return isLinkScopeDiscovery(flow);
  return flow.source.family === 6 && flow.protocol === PROTOCOL.ICMPV6 && LINK_TYPES.has(flow.icmpType);
}

/** fe80::/10 */
function isLinkLocal({ words }: IpAddress): boolean {
  return (words[0] as number) >>> 22 === 0xfe80 >>> 6;
}
