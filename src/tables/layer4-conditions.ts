// What a rule asks of layer 4, as sets of layer-4 indexes. Many rules ask the same: equal conditions are one object, which
// is quick to find again.
import type { PortRange, ResolvedPorts, ResolvedRule } from '../calc/resolved.ts';
import { complement, type IntervalSet, intersect } from './interval-sets.ts';
import { portSet, protocolConditions } from './l4-space.ts';
import { L4_ENTRIES } from './layout.ts';
import { RecentMemo } from './recent-memo.ts';

export interface Layer4Conditions {
  /** Protocol and ICMP conditions, without excluded numeric ports. */
  readonly base: IntervalSet;
  /** Part of base that numeric ports match; base itself when the rule has no port condition. */
  readonly numeric: IntervalSet;
}

const MAX_CONDITIONS = 1 << 16;
const conditions = new RecentMemo<string, Layer4Conditions>(MAX_CONDITIONS);
/** By protocol and port, of rules with one port and no other condition: nearly all of those lists that are very long. */
const plainConditions = new RecentMemo<number, Layer4Conditions>(MAX_CONDITIONS);

export function layer4Conditions(rule: ResolvedRule): Layer4Conditions {
  const plain = plainKey(rule);
  return plain === undefined ? knownConditions(rule) : plainConditions.get(plain, () => plainOf(rule));
}

/** The base is one object for all of a protocol. */
function plainOf({ protocol, destination }: ResolvedRule): Layer4Conditions {
  const { base } = knownConditions({ protocol, destination: {} });
  return { base, numeric: intersect(base, portSet(destination.ports?.ranges ?? [])) };
}

function plainKey({ protocol, notProtocol, icmp, notIcmp, destination }: ResolvedRule): number | undefined {
  const { ports, notPorts } = destination;
  if (protocol === undefined || ports === undefined || ports.ranges.length !== 1) return undefined;
  if (notPorts !== undefined || notProtocol !== undefined || icmp !== undefined || notIcmp !== undefined)
    return undefined;
  const { first, last } = ports.ranges[0] as PortRange;
  return first === last ? protocol * 65536 + first : undefined;
}

type Conditions = Pick<ResolvedRule, 'protocol' | 'notProtocol' | 'icmp' | 'notIcmp'> & {
  readonly destination: Pick<ResolvedRule['destination'], 'ports' | 'notPorts'>;
};

function knownConditions(rule: Conditions): Layer4Conditions {
  const { protocol, notProtocol, icmp, notIcmp, destination } = rule;
  const parts = [icmp?.type, icmp?.code, notIcmp?.type, notIcmp?.code];
  const key = `${protocol}|${notProtocol}|${parts.join()}|${textOf(destination.ports)}|${textOf(destination.notPorts)}`;
  return conditions.get(key, () => conditionsOf(rule));
}

function conditionsOf(rule: Conditions): Layer4Conditions {
  const { ports, notPorts } = rule.destination;
  const excluded = portSet(notPorts?.ranges ?? []);
  const base = intersect(protocolConditions(rule), complement(excluded, L4_ENTRIES));
  return { base, numeric: ports === undefined ? base : intersect(base, portSet(ports.ranges)) };
}

/** Ranges of ports; undefined = any. */
function textOf(ports: ResolvedPorts | undefined): string | undefined {
  return ports?.ranges.map(({ first, last }) => `${first}-${last}`).join();
}
