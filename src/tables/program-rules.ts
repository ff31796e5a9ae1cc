// Rules prepared for classification, one by one: whose side is whose, what they ask of layer 4, which port sets they mention.
import type { PortSet, ResolvedPorts, ResolvedRule, ResolvedRules, ResolvedSide } from '../calc/resolved.ts';
import type { Direction, RuleAction } from '../model/policy.ts';
import type { TraceEntry } from '../model/trace.ts';
import type { IntervalSet } from './interval-sets.ts';
import { layer4Conditions } from './layer4-conditions.ts';

/** Which address a condition looks at: the endpoint's own, or the other end's. */
export type Role = 'local' | 'peer';

/** What becomes of what a rule or an end takes; `next`: the whole list decides nothing about it. */
export type Ending = Exclude<RuleAction, 'log'> | 'next';

/** A rule as rows are computed from it. */
export interface ProgramRule {
  readonly action: Ending | 'log';
  readonly entry: TraceEntry;
  readonly matchesV4: boolean;
  readonly matchesV6: boolean;
  readonly sides: Readonly<Record<Role, ResolvedSide>>;
  /** Protocol and ICMP conditions, without excluded numeric ports. */
  readonly base: IntervalSet;
  /** Part of base that numeric ports match; base itself when the rule has no port condition. */
  readonly numeric: IntervalSet;
  /** Named ports, excluded named ports and service backends of the destination; their holders are on destinationRole. */
  readonly named: readonly PortSet[];
  readonly notNamed: readonly PortSet[];
  readonly backends?: PortSet;
  readonly destinationRole: Role;
  readonly sourceRole: Role;
  /** Source-port conditions; undefined = none. */
  readonly sourcePorts?: ResolvedPorts;
  readonly notSourcePorts?: ResolvedPorts;
}

/** Lists that differ in little else share their policies' rules: resolved rules belong to one policy, or one profile. */
const prepared: Record<Direction, WeakMap<ResolvedRules, readonly ProgramRule[]>> = {
  ingress: new WeakMap(),
  egress: new WeakMap(),
};

export function prepareOnce(
  rules: ResolvedRules,
  direction: Direction,
  prepare: (rule: ResolvedRule) => ProgramRule,
): readonly ProgramRule[] {
  let made = prepared[direction].get(rules);
  if (made === undefined) {
    made = rules[direction].map(prepare);
    prepared[direction].set(rules, made);
  }
  return made;
}

const NO_PORT_SETS: readonly PortSet[] = [];
const ANY_SIDE: ResolvedSide = { within: [], without: [] };

/** A rule that matches everything. */
export function denyAll(direction: Direction, entry: TraceEntry): ProgramRule {
  const location = { file: '', line: 0 };
  const rule: ResolvedRule = {
    action: 'deny',
    index: 0,
    matchesV4: true,
    matchesV6: true,
    source: ANY_SIDE,
    destination: ANY_SIDE,
    location,
  };
  return prepareRule(rule, direction, 'deny', entry);
}

/** The rule as rows are computed from it, for one direction of the endpoint. */
export function prepareRule(
  rule: ResolvedRule,
  direction: Direction,
  action: ProgramRule['action'],
  entry: TraceEntry,
): ProgramRule {
  const { source, destination, matchesV4, matchesV6 } = rule;
  const isIngress = direction === 'ingress';
  const { base, numeric } = layer4Conditions(rule);
  return {
    action,
    entry,
    matchesV4,
    matchesV6,
    sides: isIngress ? { local: destination, peer: source } : { local: source, peer: destination },
    base,
    numeric,
    named: destination.ports?.named ?? NO_PORT_SETS,
    notNamed: destination.notPorts?.named ?? NO_PORT_SETS,
    backends: destination.backends,
    destinationRole: isIngress ? 'local' : 'peer',
    sourceRole: isIngress ? 'peer' : 'local',
    sourcePorts: source.ports,
    notSourcePorts: source.notPorts,
  };
}

/** Source ports apart, which are no matter of layer-4 classes unless they have names. */
export function dependsOnPeer(rule: ProgramRule): boolean {
  if (rule.sides.peer.without.length > 0) return true;
  if (rule.destinationRole === 'peer') {
    return rule.named.length > 0 || rule.notNamed.length > 0 || rule.backends !== undefined;
  }
  return [rule.sourcePorts, rule.notSourcePorts].some((ports) => ports !== undefined && ports.named.length > 0);
}

export function forEachPortSet(rule: ProgramRule, visit: (portSet: PortSet) => void): void {
  rule.named.forEach(visit);
  rule.notNamed.forEach(visit);
  if (rule.backends !== undefined) visit(rule.backends);
  forEachSourcePortSet(rule, visit);
}

export function forEachSourcePortSet(
  { sourcePorts, notSourcePorts }: ProgramRule,
  visit: (portSet: PortSet) => void,
): void {
  sourcePorts?.named.forEach(visit);
  notSourcePorts?.named.forEach(visit);
}
