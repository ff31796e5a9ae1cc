// Which rules ever decide anything, and which lists let anything through: every list walked for every way a packet can
// look to it, until nothing more can be learnt.

import { PROTOCOL } from '../../model/flow.ts';
import type { Direction } from '../../model/policy.ts';
import { type BitSet, bitsFrom, isEmpty } from '../../tables/bit-sets.ts';
import { l4Index } from '../../tables/l4-space.ts';
import type { ListProgram } from '../../tables/list-program.ts';
import type { Partition } from '../../tables/number-classes.ts';
import type { ProgramRule } from '../../tables/program-rules.ts';
import { entryKey, type LintContext, type RuleSubject } from './context.ts';
import { type GoverningList, ListWalks } from './list-walks.ts';
import { intersects, recordWalk, type WalkRecord, withoutEffect } from './walk-record.ts';

/** What is known of a rule after all walks. Rules that no endpoint with an address is governed by have none. */
export interface RuleFate {
  /** Some packet meets its conditions. */
  isMet: boolean;
  /** Some packet meets its conditions, and no rule before it decides the packet. */
  isTaken: boolean;
  /** Removing it would change nothing for any packet it takes; meaningless unless isTaken. */
  isRedundant: boolean;
  /** A Pass rule behind which nothing takes any of its packets; meaningless unless isTaken. */
  isPassIntoNothing: boolean;
}

/** What a list in force lets through, whatever the peer. */
export interface ListOpenness {
  isOpen: boolean;
  /** Some TCP, UDP or SCTP. */
  hasConnections: boolean;
  /** UDP 53 or TCP 53. */
  hasDns: boolean;
}

export interface Reach {
  readonly walks: ListWalks;
  readonly fates: ReadonlyMap<string, RuleFate>;
  readonly openness: ReadonlyMap<GoverningList, ListOpenness>;
}

const DNS_PORT = 53;

export function analyseReach({ desired, subjects }: Pick<LintContext, 'desired' | 'subjects'>): Reach {
  const walks = new ListWalks(desired);
  const fates = new Map<string, RuleFate>();
  const openness = new Map<GoverningList, ListOpenness>();
  const probes = layer4Probes(walks.l4);
  for (const governing of walks.lists) {
    const open: ListOpenness = { isOpen: false, hasConnections: false, hasDns: false };
    openness.set(governing, open);
    const { enforced, pending } = governing.programs;
    const inForce = watchedRules(governing, enforced, subjects, fates, false);
    walkUntilKnown(walks, governing, enforced, inForce, (record) => noteOpenness(open, record, probes));
    if (pending === undefined) continue;
    const staged = watchedRules(governing, pending, subjects, fates, true);
    walkUntilKnown(walks, governing, pending, staged, () => true);
  }
  return { walks, fates, openness };
}

/** The rules of the program that are somebody's, of staged policies or of all others. */
function watchedRules(
  { list }: GoverningList,
  program: ListProgram,
  subjects: ReadonlyMap<string, RuleSubject>,
  fates: Map<string, RuleFate>,
  isStaged: boolean,
): Map<ProgramRule, RuleFate> {
  const watched = new Map<ProgramRule, RuleFate>();
  for (const rule of program.tiers.flatMap((tier) => tier.rules)) {
    const key = entryKey(rule.entry, list.direction);
    const owner = subjects.get(key)?.owner;
    if (owner === undefined || isStaged !== (owner.kind === 'policy' && owner.object.staged)) continue;
    const fate = fates.get(key) ?? { isMet: false, isTaken: false, isRedundant: true, isPassIntoNothing: true };
    fates.set(key, fate);
    watched.set(rule, fate);
  }
  return watched;
}

/** `note` looks at each walk and says whether it has seen enough. */
function walkUntilKnown(
  walks: ListWalks,
  governing: GoverningList,
  program: ListProgram,
  watched: Map<ProgramRule, RuleFate>,
  note: (record: WalkRecord) => boolean,
): void {
  let isNoted = false;
  for (const key of walks.keys(governing, program)) {
    for (const [rule, fate] of watched) if (isKnown(rule, fate)) watched.delete(rule);
    if (isNoted && watched.size === 0) return;
    const record = recordWalk(program, key, walks.l4);
    isNoted = note(record);
    if (watched.size > 0) noteFates(program, record, watched, walks.l4);
  }
}

/** Whether no further walk can change what is said about the rule. */
function isKnown({ action }: ProgramRule, fate: RuleFate): boolean {
  if (!fate.isTaken) return false;
  return action === 'log' || (!fate.isRedundant && (action !== 'pass' || !fate.isPassIntoNothing));
}

function noteFates(
  program: ListProgram,
  record: WalkRecord,
  watched: ReadonlyMap<ProgramRule, RuleFate>,
  l4: Partition,
): void {
  const met = record.meetings.filter(({ rule }) => watched.has(rule));
  if (met.length === 0) return;
  const idle = withoutEffect(program, record, l4);
  const profiles = program.tiers.length - 1;
  const isTakenByProfiles = (taken: BitSet): boolean =>
    record.meetings.some(
      ({ tier, rule, hits }) => tier === profiles && rule.action !== 'log' && intersects(hits, taken),
    );
  for (const meeting of met) {
    const fate = watched.get(meeting.rule) as RuleFate;
    fate.isMet = true;
    if (isEmpty(meeting.taken)) continue;
    fate.isTaken = true;
    if (!idle.has(meeting)) fate.isRedundant = false;
    if (meeting.tier < profiles - 1 || isTakenByProfiles(meeting.taken)) fate.isPassIntoNothing = false;
  }
}

interface Layer4Probes {
  readonly connections: BitSet;
  readonly dns: BitSet;
}

function layer4Probes({ classes, idLimit }: Partition): Layer4Probes {
  const connections = new Set<number>();
  for (const protocol of [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP]) {
    for (let port = 0; port < 65536; port += 1) connections.add(classes[l4Index(protocol, port, 0, 0)] as number);
  }
  const dns = [PROTOCOL.UDP, PROTOCOL.TCP].map((protocol) => classes[l4Index(protocol, DNS_PORT, 0, 0)] as number);
  return { connections: bitsFrom(connections, idLimit), dns: bitsFrom(dns, idLimit) };
}

function noteOpenness(open: ListOpenness, { allowed }: WalkRecord, { connections, dns }: Layer4Probes): boolean {
  open.isOpen ||= !isEmpty(allowed);
  open.hasConnections ||= intersects(allowed, connections);
  open.hasDns ||= intersects(allowed, dns);
  return open.isOpen && open.hasConnections && open.hasDns;
}

/** The direction's lists. */
export function listsOf({ walks }: Reach, direction: Direction): GoverningList[] {
  return walks.lists.filter(({ list }) => list.direction === direction);
}
