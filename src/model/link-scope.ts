// The IPv6 messages without which a link has no neighbours: they pass before policy, as bpf/stages/neighbour.h has it. What
// passes at a host is listed in docs/hosts.md.
import type { IpAddress } from './address.ts';
import { type Flow, PROTOCOL } from './flow.ts';

/** Multicast listener query, report and done; router solicitation; neighbour solicitation and advertisement. */
export const LINK_TYPES: ReadonlySet<number> = new Set([130, 131, 132, 133, 135, 136]);

const ROUTER_ADVERTISEMENT = 134;
const [DHCPV6_CLIENT, DHCPV6_SERVER] = [546, 547];
/** Of MLDv2, which hosts send. Workloads' are judged by their policy. */
const LISTENER_REPORT_V2 = 143;

/** Whether the flow's first packet, sent with hop limit 255, is one of them, with an end that no router serves. */
export function isLinkScopeDiscovery(flow: Flow): boolean {
  const { source, protocol, icmpType } = flow;
  return source.family === 6 && protocol === PROTOCOL.ICMPV6 && LINK_TYPES.has(icmpType) && isOfLink(flow);
}

/** An end is one that no router serves. */
function isOfLink({ source, destination }: Flow): boolean {
  return (
    source.words.every((word) => word === 0) ||
    isLinkLocal(source) ||
    isLinkLocal(destination) ||
    isLinkMulticast(destination)
  );
}

/**
 * Whether no list of a host judges the packet, sent with hop limit 255. A host has neighbours by its global addresses too;
 * what it forwards has lost a hop and is no discovery of its own, unless it is of the link, and so was bridged. Workloads are
 * no routers: what tells the host of routes and addresses comes from others.
 */
export function isHostDiscovery(flow: Flow, arrival: HostArrival): boolean {
  const { kind, isFromWorkload } = arrival;
  const { source, protocol, icmpType } = flow;
  if (source.family !== 6) return false;
  if (protocol === PROTOCOL.UDP) return isAddressing(flow, arrival);
  if (protocol !== PROTOCOL.ICMPV6) return false;
  if (icmpType === ROUTER_ADVERTISEMENT) return kind === 'to-host' && !isFromWorkload && isLinkLocal(source);
  if (!LINK_TYPES.has(icmpType) && icmpType !== LISTENER_REPORT_V2) return false;
  return kind !== 'forward' || isOfLink(flow);
}

export interface HostArrival {
  readonly kind: 'to-host' | 'from-host' | 'forward';
  /** The interface that brought it is a workload's. */
  readonly isFromWorkload: boolean;
}

/** DHCPv6 of a host that is a client, with servers and relays of its link (RFC 8415, 7.2). */
function isAddressing(
  { source, destination, sourcePort, destinationPort }: Flow,
  { kind, isFromWorkload }: HostArrival,
): boolean {
  if (!isLinkLocal(source) || isFromWorkload) return false;
  if (kind === 'to-host') return destinationPort === DHCPV6_CLIENT && isLinkLocal(destination);
  if (kind === 'forward' || sourcePort !== DHCPV6_CLIENT || destinationPort !== DHCPV6_SERVER) return false;
  return isLinkLocal(destination) || isLinkMulticast(destination);
}

/** fe80::/10 */
function isLinkLocal({ words }: IpAddress): boolean {
  return (words[0] as number) >>> 22 === 0xfe80 >>> 6;
}

/** ff02::/16 */
function isLinkMulticast({ words }: IpAddress): boolean {
  return (words[0] as number) >>> 16 === 0xff02;
}
