// The workloads that packet tests talk about, and packets between them in few words.
import { EndpointFlags } from '../../../src/abi/endpoint.gen.ts';
import { type FrameOptions, frame } from '../../support/packets/ethernet.ts';
import { type IpPacket, type Ipv4, type Ipv6, ipv4, ipv6 } from '../../support/packets/ip.ts';
import type { Segment } from '../../support/packets/transport.ts';
import type { Rule, TinyPolicy } from './tables.ts';
import type { Workload } from './workload.ts';

export const WEB: Workload = {
  id: 1,
  ifindex: 16,
  v4: '10.65.0.2',
  v6: 'fd00:65::2',
  mac: '02:00:00:00:00:01',
  hostMac: 'ee:ee:ee:ee:ee:01',
};

/** Reachable by bpf_redirect_peer. */
export const DB: Workload = {
  id: 2,
  ifindex: 17,
  v4: '10.65.0.3',
  v6: 'fd00:65::3',
  mac: '02:00:00:00:00:02',
  hostMac: 'ee:ee:ee:ee:ee:02',
  flags: EndpointFlags.READY | EndpointFlags.PEER_DELIVERY,
};

/** Reachable through the stack only. */
export const API: Workload = {
  id: 3,
  ifindex: 18,
  v4: '10.65.0.4',
  v6: 'fd00:65::4',
  mac: '02:00:00:00:00:03',
  hostMac: 'ee:ee:ee:ee:ee:03',
};

export const OUTSIDE = { v4: '192.0.2.9', v6: '2001:db8::9' } as const;
export const HOST = { v4: '10.65.0.1', v6: 'fd00:65::1' } as const;

export function ip(
  source: string,
  destination: string,
  segment: Segment,
  options: Partial<Ipv4 & Ipv6> = {},
): IpPacket {
  if (source.includes(':')) return ipv6({ source, destination, segment, ...options });
  return ipv4({ source, destination, segment, ...options });
}

/** A frame with an IP packet; the family follows from the addresses. */
export function packet(
  source: string,
  destination: string,
  segment: Segment,
  options: Partial<Ipv4 & Ipv6> = {},
  ethernet: FrameOptions = {},
): Uint8Array {
  return frame(ip(source, destination, segment, options), ethernet);
}

/** Everything that is not named is allowed, both ways, for all workloads; rules come on top. */
export function openPolicy(rules: readonly Rule[] = [], generation = 1): TinyPolicy {
  const open = [WEB, DB, API].flatMap(({ id }): Rule[] => [
    { endpoint: id, direction: 'egress', cell: 'allow' },
    { endpoint: id, direction: 'ingress', cell: 'allow' },
  ]);
  return { generation, rules: [...open, ...rules] };
}
