// One division of addresses, layer-4 indexes and source ports that is fine enough for several states at once: two
// packets of one class are the same to every rule of every state. What holds for a class holds for all its packets.
import type { DesiredState, PolicyList, PrefixMembership, SetId } from '../calc/resolved.ts';
import { type Cidr, cidrOf, type Family, formatCidr, type IpAddress } from '../model/address.ts';
import type { AddressClass } from '../tables/address-class.ts';
import { AddressClasses, type ClassifiedPrefix } from '../tables/address-classes.ts';
import { L4_ENTRIES } from '../tables/layout.ts';
import { type ListPrograms, l4SetsOf, prepareList, sourcePortSetsOf, widestProgram } from '../tables/list-program.ts';
import { NumberClasses, type Partition } from '../tables/number-classes.ts';

/** Addresses that every set of every state contains all or none of. */
export interface JointClass {
  /** Position in JointClassification.classes. */
  readonly id: number;
  readonly family: Family;
  /** For each state the sets that contain the class. */
  readonly sets: readonly ReadonlySet<SetId>[];
}

/** Addresses under the prefix are of the class, unless a longer prefix says otherwise. */
export interface JointPrefix {
  readonly cidr: Cidr;
  readonly class: JointClass;
}

export interface JointClassification {
  readonly classes: readonly JointClass[];
  /** Each after all prefixes that contain it; within a family ordered by address, then length. */
  readonly prefixes: Readonly<Record<Family, readonly JointPrefix[]>>;
  /** Class of every address that no prefix covers. */
  readonly outside: Readonly<Record<Family, JointClass>>;
  readonly l4: Partition;
  readonly sourcePorts: Partition;
  /** For each state the programs of its lists. */
  readonly programs: readonly ReadonlyMap<PolicyList, ListPrograms>[];
  classOf(address: IpAddress): JointClass;
}

/** Divides everything that the states distinguish. */
export function classifyJointly(states: readonly DesiredState[]): JointClassification {
  const prepared = new Map<PolicyList, ListPrograms>();
  const programs = states.map((state) => programsOf(state, prepared));
  const widest = [...prepared.values()].map(widestProgram);
  const partition = new AddressClasses().update(joinPrefixes(states));
  const classes = partition.classes.map((one, id) => jointClass(one, id, states.length));
  const byId = new Map(partition.classes.map((one, index) => [one.id, classes[index] as JointClass]));
  const joint = (one: AddressClass): JointClass => byId.get(one.id) as JointClass;
  const prefixesOf = (family: Family): JointPrefix[] =>
    partition.prefixes[family].map((prefix: ClassifiedPrefix) => ({ cidr: prefix.cidr, class: joint(prefix.class) }));
  const outside = { 4: joint(partition.outside[4]), 6: joint(partition.outside[6]) };
  const prefixes = { 4: prefixesOf(4), 6: prefixesOf(6) };
  return {
    classes,
    prefixes,
    outside,
    l4: new NumberClasses(L4_ENTRIES).update(widest.flatMap(l4SetsOf)),
    sourcePorts: new NumberClasses(65536).update(widest.flatMap(sourcePortSetsOf)),
    programs,
    classOf: longestPrefixMatch(prefixes, outside),
  };
}

/** States often share lists: `prepared` holds what was made for those before, and for this one. */
function programsOf(
  { endpoints }: DesiredState,
  prepared: Map<PolicyList, ListPrograms>,
): Map<PolicyList, ListPrograms> {
  const programs = new Map<PolicyList, ListPrograms>();
  for (const { ingress, egress } of endpoints.values()) {
    for (const list of [ingress, egress]) {
      const known = prepared.get(list) ?? prepareList(list);
      prepared.set(list, known);
      programs.set(list, known);
    }
  }
  return programs;
}

/** Set ids of different states are kept apart: id * states + state. */
function joinPrefixes(states: readonly DesiredState[]): Iterable<PrefixMembership> {
  const joined = new Map<string, { cidr: Cidr; sets: Map<SetId, number> }>();
  for (const [state, { prefixes }] of states.entries()) {
    for (const { cidr, sets } of prefixes.values()) {
      const key = formatCidr(cidr);
      let entry = joined.get(key);
      if (entry === undefined) {
        entry = { cidr, sets: new Map() };
        joined.set(key, entry);
      }
      for (const [set, reasons] of sets) entry.sets.set(set * states.length + state, reasons);
    }
  }
  return joined.values();
}

function jointClass({ family, sets }: AddressClass, id: number, stateCount: number): JointClass {
  const byState = Array.from({ length: stateCount }, () => new Set<SetId>());
  for (const set of sets) byState[set % stateCount]?.add(Math.floor(set / stateCount));
  return { id, family, sets: byState };
}

function longestPrefixMatch(
  prefixes: JointClassification['prefixes'],
  outside: JointClassification['outside'],
): (address: IpAddress) => JointClass {
  const byText = new Map<string, JointClass>();
  const lengths: Record<Family, Set<number>> = { 4: new Set(), 6: new Set() };
  for (const family of [4, 6] as const) {
    for (const prefix of prefixes[family]) {
      byText.set(formatCidr(prefix.cidr), prefix.class);
      lengths[family].add(prefix.cidr.length);
    }
  }
  const descending = { 4: [...lengths[4]].sort((a, b) => b - a), 6: [...lengths[6]].sort((a, b) => b - a) };
  return (address) => {
    for (const length of descending[address.family]) {
      const found = byText.get(formatCidr(cidrOf(address, length)));
      if (found !== undefined) return found;
    }
    return outside[address.family];
  };
}
