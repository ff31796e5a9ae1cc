// The ports of one rule of a Kubernetes policy, which may be of several protocols -> one group for each protocol,
// because a Rule has one protocol. Their order is what numbers the rules in traces.
import { protocolName } from '../flow.ts';
import type { PortMatch } from '../policy.ts';

/** One item of a rule's list: a protocol, a port, or both. */
export interface ProtocolPort {
  /** undefined = whichever protocol the named port is defined for. */
  readonly protocol?: number;
  /** undefined = every port of the protocol. */
  readonly port?: PortMatch;
}

/** Ports of one protocol; no protocol and no ports = every packet. */
export interface PortGroup {
  readonly protocol?: number;
  readonly ports: readonly PortMatch[];
}

const EVERY_PACKET: readonly PortGroup[] = [{ ports: [] }];

/**
 * By protocol: first without one, then in the order of their names, as Calico numbers them. Adjacent and overlapping
 * ranges are joined.
 */
export function groupPorts(items: readonly ProtocolPort[]): readonly PortGroup[] {
  if (items.length === 0) return EVERY_PACKET;
  const groups = new Map<number | undefined, ProtocolPort[]>();
  for (const item of items) {
    const group = groups.get(item.protocol);
    if (group === undefined) groups.set(item.protocol, [item]);
    else group.push(item);
  }
  return [...groups]
    .sort(([a], [b]) => (sortName(a) < sortName(b) ? -1 : 1))
    .map(([protocol, group]) => ({ protocol, ports: mergePorts(group) }));
}

function sortName(protocol: number | undefined): string {
  return protocol === undefined ? '' : protocolName(protocol);
}

/** Empty when one of them means every port. */
function mergePorts(items: readonly ProtocolPort[]): PortMatch[] {
  const ranges: { first: number; last: number }[] = [];
  const names = new Set<string>();
  for (const { port } of items) {
    if (port === undefined) return [];
    if (port.kind === 'range') ranges.push({ first: port.first, last: port.last });
    else names.add(port.name);
  }
  const merged: { first: number; last: number }[] = [];
  for (const range of ranges.sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) previous.last = Math.max(previous.last, range.last);
    else merged.push(range);
  }
  return [
    ...merged.map((range): PortMatch => ({ kind: 'range', ...range })),
    ...[...names].map((name): PortMatch => ({ kind: 'named', name })),
  ];
}
