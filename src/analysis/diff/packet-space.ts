// Everything of a packet but its addresses, in classes: a bit for each (source-port class, layer-4 class). Bits for
// which no packet of the family exists are never set, so that two sets of packets are equal when their bits are.
import type { Family } from '../../model/address.ts';
import { hasPorts, PROTOCOL, V6_EXTENSION_HEADERS } from '../../model/flow.ts';
import { and, type BitSet, isEmpty, removeAll } from '../../tables/bit-sets.ts';
import { complement, type IntervalSet, intersect, unionOf } from '../../tables/interval-sets.ts';
import { protocolSet } from '../../tables/l4-space.ts';
import { L4_ENTRIES } from '../../tables/layout.ts';
import type { Partition } from '../../tables/number-classes.ts';

/** Packets that are alike in their source ports. */
export interface PacketSlice {
  /** Layer-4 indexes, of existing packets only. */
  readonly l4: IntervalSet;
  /** undefined = any, or the protocol has none. */
  readonly sourcePorts?: IntervalSet;
}

/** Number of a set of packets; equal sets have equal numbers. */
export type PacketSetId = number;

/** Neighbour discovery and multicast listener discovery, see src/model/link-scope.ts. */
const LINK_TYPES = [130, 131, 132, 133, 135, 136];

export class PacketSpace {
  readonly family: Family;
  /** Words of the bits of one source-port class. */
  readonly wordsPerSlice: number;
  /** A source port of each class, in the order of the bits. */
  readonly sourceExamples: readonly number[];
  /** Every packet there is. */
  readonly everything: PacketSetId;
  readonly #sourcePorts: Partition;
  /** In the order of the bits, which is that of their first ports: ids depend on the order that rules came in. */
  readonly #sourceClasses: readonly number[];
  readonly #existing: BitSet;
  readonly #linkScope: BitSet;
  readonly #sets: BitSet[] = [];
  readonly #ids = new Map<string, PacketSetId>();
  readonly #ported: IntervalSet;
  readonly #portless: IntervalSet;
  readonly #runs: readonly Run[];

  constructor(family: Family, l4: Partition, sourcePorts: Partition) {
    this.family = family;
    this.#sourcePorts = sourcePorts;
    this.wordsPerSlice = Math.ceil(l4.idLimit / 32);
    this.#sourceClasses = [...new Set([...sourcePorts.starts].map((start) => sourcePorts.classOf(start)))];
    this.sourceExamples = this.#sourceClasses.map((id) => sourcePorts.examples.get(id) as number);
    this.#ported = protocols((protocol) => hasPorts(protocol));
    this.#portless = protocols((protocol) => !hasPorts(protocol) && exists(protocol, family));
    this.#runs = runsOf(l4.classes);
    this.#existing = this.#bitsWithin(this.#ported, this.#portless);
    this.#linkScope = this.#linkScopeBits();
    this.everything = this.intern(this.#existing);
  }

  /** Number of the set; bits for packets that do not exist are ignored. */
  intern(bits: BitSet): PacketSetId {
    const real = and(bits, this.#existing);
    const key = real.join();
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#sets.length;
    this.#sets.push(real);
    this.#ids.set(key, id);
    return id;
  }

  bitsOf(id: PacketSetId): BitSet {
    return this.#sets[id] as BitSet;
  }

  isNothing(id: PacketSetId): boolean {
    return isEmpty(this.bitsOf(id));
  }

  /** The set without packets that are link-scope discovery whenever an address makes them so. */
  withoutLinkScope(id: PacketSetId): PacketSetId {
    const bits = this.bitsOf(id).slice();
    removeAll(bits, this.#linkScope);
    return this.intern(bits);
  }

  /** The set as numbers: source ports are named only where they matter. */
  slicesOf(id: PacketSetId): PacketSlice[] {
    const bits = this.bitsOf(id);
    const byPorted = new Map<string, { ported: IntervalSet; classes: number[] }>();
    let portless: IntervalSet = [];
    for (const [slice, sourceClass] of this.#sourceClasses.entries()) {
      const indexes = this.#indexesOf(bits.subarray(slice * this.wordsPerSlice, (slice + 1) * this.wordsPerSlice));
      const ported = intersect(indexes, this.#ported);
      const entry = byPorted.get(ported.join()) ?? { ported, classes: [] };
      entry.classes.push(sourceClass);
      byPorted.set(ported.join(), entry);
      if (sourceClass === this.#sourcePorts.classes[0]) portless = intersect(indexes, this.#portless);
    }
    const [only] = byPorted.values();
    if (byPorted.size === 1 && only !== undefined) return [{ l4: unite(only.ported, portless) }];
    const slices = [...byPorted.values()].map(({ ported, classes }): PacketSlice => {
      const sourceRuns = runsOf(this.#sourcePorts.classes).filter((run) => classes.includes(run.class));
      return { l4: ported, sourcePorts: unionOf(sourceRuns.map(({ first, last }) => [first, last])) };
    });
    return [...slices, { l4: portless }].filter(({ l4 }) => l4.length > 0);
  }

  #indexesOf(classBits: BitSet): IntervalSet {
    const inside = this.#runs.filter(({ class: id }) => ((classBits[id >>> 5] as number) >>> (id & 31)) & 1);
    return unionOf(inside.map(({ first, last }) => [first, last]));
  }

  /** Classes with an index in `ported`, for every source port, and with one in `portless`, for source port 0. */
  #bitsWithin(ported: IntervalSet, portless: IntervalSet): BitSet {
    const bits = new Uint32Array(this.wordsPerSlice * this.sourceExamples.length);
    const zero = this.#sourceClasses.indexOf(this.#sourcePorts.classOf(0));
    for (const { first, last, class: id } of this.#runs) {
      const isPorted = intersect([first, last], ported).length > 0;
      const isPortless = intersect([first, last], portless).length > 0;
      for (let slice = 0; slice < this.sourceExamples.length; slice += 1) {
        if (!isPorted && !(isPortless && slice === zero)) continue;
        const word = slice * this.wordsPerSlice + (id >>> 5);
        bits[word] = (bits[word] as number) | (1 << (id & 31));
      }
    }
    return bits;
  }

  /** Bits all of whose packets are of the link types. */
  #linkScopeBits(): BitSet {
    const base = protocolSet(PROTOCOL.ICMPV6)[0] as number;
    const link = unionOf(LINK_TYPES.map((type) => [base + 256 * type, base + 256 * type + 255] as const));
    const others = this.#bitsWithin(this.#ported, intersect(this.#portless, complement(link, L4_ENTRIES)));
    const bits = this.#existing.slice();
    removeAll(bits, others);
    return bits;
  }
}

interface Run {
  readonly first: number;
  readonly last: number;
  readonly class: number;
}

function runsOf(classes: Uint32Array): Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < classes.length; ) {
    let last = first;
    while (last + 1 < classes.length && classes[last + 1] === classes[first]) last += 1;
    runs.push({ first, last, class: classes[first] as number });
    first = last + 1;
  }
  return runs;
}

/** Layer-4 indexes of the protocols that the condition accepts. */
export function protocols(isWanted: (protocol: number) => boolean): IntervalSet {
  const wanted = Array.from({ length: 256 }, (_, protocol) => protocol).filter(isWanted);
  return unionOf(wanted.map((protocol) => protocolSet(protocol) as [number, number]));
}

/** Whether packets of the family can have the protocol. */
export function exists(protocol: number, family: Family): boolean {
  return family === 4 || !V6_EXTENSION_HEADERS.has(protocol);
}

function unite(a: IntervalSet, b: IntervalSet): IntervalSet {
  const pairs = (set: IntervalSet): [number, number][] => {
    const result: [number, number][] = [];
    for (let at = 0; at < set.length; at += 2) result.push([set[at] as number, set[at + 1] as number]);
    return result;
  };
  return unionOf([...pairs(a), ...pairs(b)]);
}
