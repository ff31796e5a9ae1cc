// What a rule asks of layer 4, as sets of layer-4 indexes. Many rules ask the same: equal conditions are one object, which
// is quick to find again.
import type { PortRange, ResolvedPorts, ResolvedRule } from '../calc/resolved.ts';
import { complement, type IntervalSet, intersect } from './interval-sets.ts';
import { portSet, protocolConditions } from './l4-space.ts';
import { L4_ENTRIES } from './layout.ts';

export interface Layer4Conditions {
  /** Protocol and ICMP conditions, without excluded numeric ports. */
  readonly base: IntervalSet;
  /** Part of base that numeric ports match; base itself when the rule has no port condition. */
  readonly numeric: IntervalSet;
}

/** A kilobyte each. */
const MAX_CONDITIONS = 1 << 12;
/** Some hundred bytes each: base is one for all of a protocol. */
const MAX_PLAIN_CONDITIONS = 1 << 15;
const conditions = new Map<string, Layer4Conditions>();
/** By protocol and port, of rules with one port and no other condition: nearly all of those lists that are very long. */
const plainConditions = new Map<number, Layer4Conditions>();

export function layer4Conditions(rule: ResolvedRule): Layer4Conditions {
  const plain = plainKey(rule);
  if (plain === undefined) return knownConditions(rule);
  let known = plainConditions.get(plain);
  if (known === undefined) {
    const { base } = knownConditions({ protocol: rule.protocol, destination: {} });
    known = { base, numeric: intersect(base, portSet(rule.destination.ports?.ranges ?? [])) };
    remember(plainConditions, plain, known, MAX_PLAIN_CONDITIONS);
  }
  return known;
}

/** Without order of use: what is asked for again comes back soon, and policy that has gone is not kept for long. */
function remember<Key>(map: Map<Key, Layer4Conditions>, key: Key, known: Layer4Conditions, limit: number): void {
  if (map.size >= limit) map.clear();
  map.set(key, known);
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
  let known = conditions.get(key);
  if (known === undefined) {
    const excluded = portSet(destination.notPorts?.ranges ?? []);
    const base = intersect(protocolConditions(rule), complement(excluded, L4_ENTRIES));
    const numeric = destination.ports === undefined ? base : intersect(base, portSet(destination.ports.ranges));
    known = { base, numeric };
    remember(conditions, key, known, MAX_CONDITIONS);
  }
  return known;
}

/** Ranges of ports; undefined = any. */
function textOf(ports: ResolvedPorts | undefined): string | undefined {
  return ports?.ranges.map(({ first, last }) => `${first}-${last}`).join();
}
