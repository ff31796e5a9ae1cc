// One PolicyList prepared for classification: rules in one sequence, each with the side that varies with the peer's
// address kept apart from the side that is the endpoint's own.

import type {
  PolicyList,
  PortSet,
  ResolvedPolicy,
  ResolvedPorts,
  ResolvedRule,
  ResolvedRules,
  ResolvedSide,
  ResolvedTier,
  SetId,
} from '../calc/resolved.ts';
import type { Direction, RuleAction } from '../model/policy.ts';
import {
  DEFAULT_RULE_INDEX,
  PROFILE_TIER,
  policyTraceEntry,
  profileTraceEntry,
  type TraceEntry,
} from '../model/trace.ts';
import { complement, type IntervalSet, intersect, unionOf } from './interval-sets.ts';
import { pointSet, portSet, protocolConditions, protocolSet } from './l4-space.ts';
import { L4_ENTRIES } from './layout.ts';
import { keyOfSet } from './set-counts.ts';

/** Which address a condition looks at: the endpoint's own, or the other end's. */
export type Role = 'local' | 'peer';

/** A rule as rows are computed from it. */
export interface ProgramRule {
  readonly action: RuleAction;
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

/** A tier's rules, or all profiles' rules, and what happens at their end. */
export interface ProgramTier {
  readonly rules: readonly ProgramRule[];
  /** Position of rules[0] in the whole sequence. */
  readonly firstIndex: number;
  readonly end: TraceEntry;
}

export interface ListProgram {
  readonly direction: Direction;
  readonly tiers: readonly ProgramTier[];
  /** Rules that no set of peers is a condition of, by position. */
  readonly unfiltered: readonly number[];
  /** Other rules, by one of the sets that the peer must be in. */
  readonly byPeerSet: ReadonlyMap<SetId, readonly number[]>;
  /** Those of `unfiltered` that may match other layer-4 classes for one peer than for another. */
  readonly dependent: readonly ProgramRule[];
  /** The rule at a position of the whole sequence. */
  ruleAt(index: number): ProgramRule;
  readonly hasSourcePorts: boolean;
  /** Every port set that the rules mention. */
  readonly portSets: readonly PortSet[];
}

/** A list in force, and as it would be if its staged policies were enforced. */
export interface ListPrograms {
  readonly enforced: ListProgram;
  /** undefined = no staged policy is in the list. Has every rule of `enforced`, and more. */
  readonly pending?: ListProgram;
}

/** Both programs of a list. */
export function prepareList(list: PolicyList): ListPrograms {
  const hasStaged = list.tiers.some(({ policies }) => policies.some(({ policy }) => policy.staged));
  const enforced = flatten(list, ({ policies }) => policies.filter(({ policy }) => !policy.staged));
  return hasStaged ? { enforced, pending: flatten(list, ({ policies }) => policies) } : { enforced };
}

/** The program whose rules distinguish everything that either does. */
export function widestProgram({ enforced, pending }: ListPrograms): ListProgram {
  return pending ?? enforced;
}

function flatten(list: PolicyList, policiesOf: (tier: ResolvedTier) => readonly ResolvedPolicy[]): ListProgram {
  const tiers: ProgramTier[] = [];
  let firstIndex = 0;
  const add = (rules: readonly ProgramRule[], end: TraceEntry): void => {
    tiers.push({ rules, firstIndex, end });
    firstIndex += rules.length;
  };
  for (const tier of list.tiers) addTier(tier, policiesOf(tier), list.direction, add);
  add(profileRules(list), profileTraceEntry(PROFILE_TIER, 'deny', DEFAULT_RULE_INDEX));
  const rules = tiers.flatMap((tier) => tier.rules);
  const unfiltered: number[] = [];
  const byPeerSet = new Map<SetId, number[]>();
  rules.forEach((rule, index) => {
    const set = rule.sides.peer.within[0];
    if (set === undefined) unfiltered.push(index);
    else {
      const behind = byPeerSet.get(set);
      if (behind === undefined) byPeerSet.set(set, [index]);
      else behind.push(index);
    }
  });
  return {
    direction: list.direction,
    tiers,
    unfiltered,
    byPeerSet,
    dependent: unfiltered.map((index) => rules[index] as ProgramRule).filter(dependsOnPeer),
    ruleAt: (index) => rules[index] as ProgramRule,
    hasSourcePorts: rules.some((rule) => rule.sourcePorts !== undefined || rule.notSourcePorts !== undefined),
    portSets: [...new Set(rules.flatMap(portSetsOf))],
  };
}

function addTier(
  { tier }: ResolvedTier,
  policies: readonly ResolvedPolicy[],
  direction: Direction,
  add: (rules: readonly ProgramRule[], end: TraceEntry) => void,
): void {
  const last = policies.at(-1)?.policy;
  if (last === undefined) return;
  const rules = policies.flatMap(({ policy, rules: resolved }) =>
    prepareOnce(resolved, direction, (rule) => {
      const action = rule.action === 'log' ? 'pass' : rule.action;
      return prepareRule(rule, direction, rule.action, policyTraceEntry(policy, action, rule.index, rule.location));
    }),
  );
  add(rules, policyTraceEntry(last, tier.defaultAction, DEFAULT_RULE_INDEX, last.location));
}

/** A profile that does not exist denies everything; Pass has no tier to go to and denies. */
function profileRules({ profiles, direction }: PolicyList): ProgramRule[] {
  return profiles.flatMap(({ name, profile, rules }) => {
    if (profile === undefined) return [denyAll(direction, profileTraceEntry(name, 'deny', 0))];
    return prepareOnce(rules, direction, (rule) => {
      const action = rule.action === 'pass' ? 'deny' : rule.action;
      const entry = profileTraceEntry(name, action === 'allow' ? 'allow' : 'deny', rule.index, rule.location);
      return prepareRule(rule, direction, action, entry);
    });
  });
}

/** Lists that differ in little else share their policies' rules: resolved rules belong to one policy, or one profile. */
const prepared: Record<Direction, WeakMap<ResolvedRules, readonly ProgramRule[]>> = {
  ingress: new WeakMap(),
  egress: new WeakMap(),
};

function prepareOnce(
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

const ANY_SIDE: ResolvedSide = { within: [], without: [] };

function denyAll(direction: Direction, entry: TraceEntry): ProgramRule {
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

function prepareRule(rule: ResolvedRule, direction: Direction, action: RuleAction, entry: TraceEntry): ProgramRule {
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
    named: destination.ports?.named ?? [],
    notNamed: destination.notPorts?.named ?? [],
    backends: destination.backends,
    destinationRole: isIngress ? 'local' : 'peer',
    sourceRole: isIngress ? 'peer' : 'local',
    sourcePorts: source.ports,
    notSourcePorts: source.notPorts,
  };
}

interface Layer4Conditions {
  readonly base: IntervalSet;
  readonly numeric: IntervalSet;
}

/** Many rules have equal conditions: equal sets are one object, which is quick to find again. */
const conditions = new Map<string, Layer4Conditions>();
const MAX_CONDITIONS = 1 << 16;

function layer4Conditions(rule: ResolvedRule): Layer4Conditions {
  const { protocol, notProtocol, icmp, notIcmp, destination } = rule;
  const parts = [icmp?.type, icmp?.code, notIcmp?.type, notIcmp?.code];
  const key = `${protocol}|${notProtocol}|${parts.join()}|${textOf(destination.ports)}|${textOf(destination.notPorts)}`;
  let known = conditions.get(key);
  if (known === undefined) {
    const excluded = portSet(destination.notPorts?.ranges ?? []);
    const base = intersect(protocolConditions(rule), complement(excluded, L4_ENTRIES));
    const numeric = destination.ports === undefined ? base : intersect(base, portSet(destination.ports.ranges));
    known = { base, numeric };
    if (conditions.size >= MAX_CONDITIONS) conditions.clear();
    conditions.set(key, known);
  }
  return known;
}

/** Ranges of ports; undefined = any. */
function textOf(ports: ResolvedPorts | undefined): string | undefined {
  return ports?.ranges.map(({ first, last }) => `${first}-${last}`).join();
}

/** Source ports apart, which are no matter of layer-4 classes unless they have names. */
function dependsOnPeer(rule: ProgramRule): boolean {
  if (rule.sides.peer.without.length > 0) return true;
  if (rule.destinationRole === 'peer') {
    return rule.named.length > 0 || rule.notNamed.length > 0 || rule.backends !== undefined;
  }
  return [rule.sourcePorts, rule.notSourcePorts].some((ports) => ports !== undefined && ports.named.length > 0);
}

function portSetsOf(rule: ProgramRule): PortSet[] {
  const source = [...(rule.sourcePorts?.named ?? []), ...(rule.notSourcePorts?.named ?? [])];
  return [...rule.named, ...rule.notNamed, ...(rule.backends === undefined ? [] : [rule.backends]), ...source];
}

/** The sets on one role's address that decide whether, and for which ports, some rule matches. */
export function referencedSets(program: ListProgram, role: Role): ReadonlySet<SetId> {
  const sets = new Set<SetId>();
  const addHolders = (portSets: readonly PortSet[]): void => {
    for (const portSet of portSets) for (const set of portSet.points.values()) sets.add(set);
  };
  for (const rule of program.tiers.flatMap((tier) => tier.rules)) {
    for (const set of rule.sides[role].within) sets.add(set);
    for (const set of rule.sides[role].without) sets.add(set);
    if (rule.destinationRole === role) {
      addHolders([...rule.named, ...rule.notNamed]);
      if (rule.backends !== undefined) addHolders([rule.backends]);
    } else {
      addHolders([...(rule.sourcePorts?.named ?? []), ...(rule.notSourcePorts?.named ?? [])]);
    }
  }
  return sets;
}

/** The sets of layer-4 indexes that rows of this list distinguish. */
export function l4SetsOf(program: ListProgram): IntervalSet[] {
  const sets = new Map<string, IntervalSet>();
  const add = (set: IntervalSet): void => {
    if (set.length > 0) sets.set(keyOfSet(set), set);
  };
  const atDestination = new Set<PortSet>();
  const atSource = new Set<PortSet>();
  for (const rule of program.tiers.flatMap((tier) => tier.rules)) {
    add(rule.base);
    if (rule.numeric !== rule.base) add(rule.numeric);
    for (const portSet of rule.named) atDestination.add(portSet);
    for (const portSet of rule.notNamed) atDestination.add(portSet);
    if (rule.backends !== undefined) atDestination.add(rule.backends);
    for (const portSet of [...(rule.sourcePorts?.named ?? []), ...(rule.notSourcePorts?.named ?? [])]) {
      atSource.add(portSet);
    }
  }
  for (const { points } of atDestination)
    for (const point of points.keys()) add(pointSet(point >>> 16, point & 0xffff));
  for (const { points } of atSource) for (const point of points.keys()) add(protocolSet(point >>> 16));
  return [...sets.values()];
}

/** The sets of source ports that rows of this list distinguish. */
export function sourcePortSetsOf(program: ListProgram): IntervalSet[] {
  if (!program.hasSourcePorts) return [];
  return program.tiers
    .flatMap((tier) => tier.rules)
    .flatMap((rule) => [rule.sourcePorts, rule.notSourcePorts])
    .flatMap((ports) => {
      if (ports === undefined) return [];
      const points = ports.named.flatMap((portSet) =>
        [...portSet.points.keys()].map((point) => [point & 0xffff, point & 0xffff]),
      );
      return [unionOf(ports.ranges.map(({ first, last }) => [first, last])), ...points];
    });
}

/** Positions, ascending, of the rules that a peer in these sets could match. */
export function candidateRules(program: ListProgram, peerSets: ReadonlySet<SetId>): readonly number[] {
  const filtered = peerRules(program, peerSets);
  if (filtered.length === 0) return program.unfiltered;
  return [...program.unfiltered, ...filtered].sort((a, b) => a - b);
}

/** Those of them that ask for sets of peers. */
export function peerRules(program: ListProgram, peerSets: Iterable<SetId>): readonly number[] {
  const filtered: number[] = [];
  for (const set of peerSets) {
    const behind = program.byPeerSet.get(set);
    if (behind !== undefined) for (const index of behind) filtered.push(index);
  }
  return filtered.length < 2 ? filtered : filtered.sort((a, b) => a - b);
}
