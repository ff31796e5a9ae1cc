// Which layer-4 classes a rule matches, once it is known which sets the two addresses are in.
import type { PortSet, ResolvedPorts, ResolvedSide } from '../calc/resolved.ts';
import { addAll, and, type BitSet, removeAll } from './bit-sets.ts';
import { pointSet, protocolSet } from './l4-space.ts';
import type { Partition } from './number-classes.ts';
import type { ProgramRule, Role } from './program-rules.ts';
import type { HeldSets } from './set-ids.ts';

/** What is known of a packet apart from its layer-4 class. */
export interface RowKey {
  readonly family: 4 | 6;
  /** The sets that each address is in. */
  readonly sets: Readonly<Record<Role, HeldSets>>;
  /** A source port of the class that the row is for; undefined = the list has no source-port conditions. */
  readonly sourcePort: number | undefined;
}

/** The classes that the rule matches; undefined = none, whatever the packet's layer 4. */
export function ruleHits(rule: ProgramRule, key: RowKey, l4: Partition): BitSet | undefined {
  if (key.family === 4 ? !rule.matchesV4 : !rule.matchesV6) return undefined;
  if (!sideMatches(rule.sides.local, key.sets.local) || !sideMatches(rule.sides.peer, key.sets.peer)) return undefined;
  const destinationSets = key.sets[rule.destinationRole];
  let hits = l4.bitsOf(rule.numeric);
  if (rule.named.length > 0) hits = union(hits, and(l4.bitsOf(rule.base), pointBits(rule.named, destinationSets, l4)));
  if (rule.backends !== undefined) hits = and(hits, pointBits([rule.backends], destinationSets, l4));
  if (rule.notNamed.length > 0) hits = difference(hits, pointBits(rule.notNamed, destinationSets, l4));
  if (key.sourcePort === undefined) return hits;
  const sourceSets = key.sets[rule.sourceRole];
  if (rule.sourcePorts !== undefined) hits = sourcePortHits(hits, rule.sourcePorts, key.sourcePort, sourceSets, l4);
  if (rule.notSourcePorts !== undefined) {
    hits = difference(hits, sourcePortHits(hits, rule.notSourcePorts, key.sourcePort, sourceSets, l4));
  }
  return hits;
}

function sideMatches(side: ResolvedSide, sets: HeldSets): boolean {
  const { within, without } = side;
  for (let at = 0; at < within.length; at += 1) if (!sets.has(within[at] as number)) return false;
  for (let at = 0; at < without.length; at += 1) if (sets.has(without[at] as number)) return false;
  return true;
}

/** The (protocol, port) classes that an address in these sets holds. */
function pointBits(portSets: readonly PortSet[], sets: HeldSets, l4: Partition): BitSet {
  const bits = new Uint32Array(Math.ceil(l4.idLimit / 32));
  for (const portSet of portSets) {
    l4.spend(portSet.points.size);
    for (const [point, set] of portSet.points)
      if (sets.has(set)) addAll(bits, l4.bitsOf(pointSet(point >>> 16, point & 0xffff)));
  }
  return bits;
}

/** A range holds for every class at hand; a named source port only for the protocol that it is defined for. */
function sourcePortHits(hits: BitSet, ports: ResolvedPorts, sourcePort: number, sets: HeldSets, l4: Partition): BitSet {
  if (ports.ranges.some(({ first, last }) => first <= sourcePort && sourcePort <= last)) return hits;
  const protocols = new Uint32Array(hits.length);
  for (const portSet of ports.named) {
    for (const [point, set] of portSet.points) {
      if ((point & 0xffff) === sourcePort && sets.has(set)) addAll(protocols, l4.bitsOf(protocolSet(point >>> 16)));
    }
  }
  return and(hits, protocols);
}

function union(a: BitSet, b: BitSet): BitSet {
  const result = a.slice();
  addAll(result, b);
  return result;
}

function difference(a: BitSet, b: BitSet): BitSet {
  const result = a.slice();
  removeAll(result, b);
  return result;
}
