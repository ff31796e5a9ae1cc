// One PolicyList prepared for classification: rules in one sequence, each with the side that varies with the peer's
// address kept apart from the side that is the endpoint's own.

import type { PolicyList, PortSet, ResolvedPolicy, ResolvedTier, SetId } from '../calc/resolved.ts';
import type { Direction } from '../model/policy.ts';
import { type IntervalSet, unionOf } from './interval-sets.ts';
import { pointSet, protocolSet } from './l4-space.ts';
import { PeerRuleIndex } from './peer-rule-index.ts';
import { dependsOnPeer, forEachPortSet, forEachSourcePortSet, type ProgramRule, type Role } from './program-rules.ts';
import { type ProgramTier, programTiers } from './program-tiers.ts';
import { keyOfSet } from './set-counts.ts';
import { SetIds } from './set-ids.ts';

export interface ListProgram {
  readonly direction: Direction;
  readonly tiers: readonly ProgramTier[];
  readonly ruleCount: number;
  /** Rules that no set of peers is a condition of, by position. */
  readonly unfiltered: readonly number[];
  /** Other rules, by one of the sets that the peer must be in. */
  readonly byPeerSet: PeerRuleIndex;
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
  const tiers = programTiers(list, policiesOf);
  const rules = tiers.flatMap((tier) => tier.rules);
  const unfiltered: number[] = [];
  const dependent: ProgramRule[] = [];
  const filters: SetId[] = [];
  const filtered: number[] = [];
  const portSets = new Set<PortSet>();
  let hasSourcePorts = false;
  for (let index = 0; index < rules.length; index += 1) {
    const rule = rules[index] as ProgramRule;
    const set = rule.sides.peer.within[0];
    if (set === undefined) {
      unfiltered.push(index);
      if (dependsOnPeer(rule)) dependent.push(rule);
    } else {
      filters.push(set);
      filtered.push(index);
    }
    if (rule.sourcePorts !== undefined || rule.notSourcePorts !== undefined) hasSourcePorts = true;
    forEachPortSet(rule, (portSet) => portSets.add(portSet));
  }
  return {
    direction: list.direction,
    tiers,
    ruleCount: rules.length,
    unfiltered,
    byPeerSet: new PeerRuleIndex(filters, filtered),
    dependent,
    ruleAt: (index) => rules[index] as ProgramRule,
    hasSourcePorts,
    portSets: [...portSets],
  };
}

/** The sets on one role's address that decide whether, and for which ports, some rule matches. */
export function referencedSets(program: ListProgram, role: Role): ReadonlySet<SetId> {
  return new Set(referencedSetIds(program, role));
}

/** The same, for lists that have many. */
export function referencedSetIds(program: ListProgram, role: Role): SetIds {
  const sets: SetId[] = [];
  const holders = new Set<PortSet>();
  const note = (portSet: PortSet): unknown => holders.add(portSet);
  for (const { rules } of program.tiers) {
    for (const rule of rules) {
      const { within, without } = rule.sides[role];
      for (let at = 0; at < within.length; at += 1) sets.push(within[at] as SetId);
      for (let at = 0; at < without.length; at += 1) sets.push(without[at] as SetId);
      if (program.portSets.length === 0) continue;
      if (rule.destinationRole !== role) forEachSourcePortSet(rule, note);
      else {
        rule.named.forEach(note);
        rule.notNamed.forEach(note);
        if (rule.backends !== undefined) note(rule.backends);
      }
    }
  }
  for (const { points } of holders) for (const set of points.values()) sets.push(set);
  return new SetIds(sets);
}

/** The sets of layer-4 indexes that rows of this list distinguish. */
export function l4SetsOf(program: ListProgram): IntervalSet[] {
  const conditions = new Set<IntervalSet>();
  const atDestination = new Set<PortSet>();
  const atSource = new Set<PortSet>();
  for (const { rules } of program.tiers) {
    for (const rule of rules) {
      conditions.add(rule.base);
      conditions.add(rule.numeric);
      if (program.portSets.length === 0) continue;
      for (const portSet of rule.named) atDestination.add(portSet);
      for (const portSet of rule.notNamed) atDestination.add(portSet);
      if (rule.backends !== undefined) atDestination.add(rule.backends);
      forEachSourcePortSet(rule, (portSet) => atSource.add(portSet));
    }
  }
  const sets = new Map<string, IntervalSet>();
  const add = (set: IntervalSet): void => {
    if (set.length > 0) sets.set(keyOfSet(set), set);
  };
  for (const set of conditions) add(set);
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
export function candidateRules(program: ListProgram, peerSets: Iterable<SetId>): readonly number[] {
  const filtered = program.byPeerSet.behind(peerSets);
  if (filtered.length === 0) return program.unfiltered;
  return [...program.unfiltered, ...filtered].sort((a, b) => a - b);
}
