// The compiled tables in words: which addresses and ports share a class, and the verdict of every cell.

import { type Family, formatCidr } from '../model/address.ts';
import type { Direction } from '../model/policy.ts';
import { DIRECTIONS } from '../model/policy.ts';
import { formatTrace } from '../model/trace.ts';
import type { AddressClass } from './address-class.ts';
import type { TableCompiler } from './compiler.ts';
import type { TableImage } from './image.ts';
import { BASE_LOCAL, BASE_OFFSET, L4_BASE, PAGE_SHIFT, PAGE_WORDS, WORD } from './layout.ts';
import type { Partition } from './number-classes.ts';
import { decodeWord } from './words.ts';

export interface DumpedClass {
  readonly id: number;
  readonly family: 4 | 6;
  /** Prefixes whose addresses are in the class unless a longer prefix says otherwise; `any other` for the rest. */
  readonly prefixes: readonly string[];
}

export interface DumpedCell {
  readonly endpoint: string;
  readonly direction: Direction;
  /** Class of the endpoint's own address; undefined = it does not matter. */
  readonly localClass?: number;
  readonly peerClass: number;
  readonly l4Classes: readonly number[];
  /** allow, deny, or `by source port`. */
  readonly verdict: string;
  readonly isLogged: boolean;
  readonly trace: readonly string[];
}

export interface TableDump {
  readonly addressClasses: readonly DumpedClass[];
  readonly l4Classes: readonly { readonly id: number; readonly members: readonly string[] }[];
  readonly cells: readonly DumpedCell[];
}

/** Cells of the endpoints in `names`: key as in TableImage.endpointIds -> name to show. */
export function dumpTables(image: TableImage, compiler: TableCompiler, names: ReadonlyMap<string, string>): TableDump {
  const { addresses, l4 } = image.classification;
  const prefixesOf = new Map<AddressClass, string[]>(addresses.classes.map((item) => [item, []]));
  for (const family of [4, 6] as const) {
    prefixesOf.get(addresses.outside[family])?.push('any other');
    for (const { cidr, class: addressClass } of addresses.prefixes[family])
      prefixesOf.get(addressClass)?.push(formatCidr(cidr));
  }
  return {
    addressClasses: addresses.classes.map((item) => ({
      id: item.id,
      family: item.family,
      prefixes: prefixesOf.get(item) ?? [],
    })),
    l4Classes: l4.ids.map((id) => ({ id, members: describeMembers(l4, id) })),
    cells: [...names].flatMap(([key, name]) =>
      DIRECTIONS.flatMap((direction) => dumpSide(image, compiler, key, name, direction)),
    ),
  };
}

function dumpSide(
  image: TableImage,
  compiler: TableCompiler,
  key: string,
  endpoint: string,
  direction: Direction,
): DumpedCell[] {
  const id = image.endpointIds.get(key);
  if (id === undefined) return [];
  const { words } = compiler.heap;
  const base = words[image.root.policies + 2 * id + (direction === 'ingress' ? 1 : 0)] as number;
  if ((base & BASE_LOCAL) === 0) return dumpVector(image, compiler, base, { endpoint, direction });
  const table = (base & BASE_OFFSET) >>> 0;
  return image.classification.addresses.classes.flatMap((local) =>
    dumpVector(
      image,
      compiler,
      words[table + local.id] as number,
      { endpoint, direction, localClass: local.id },
      local.family,
    ),
  );
}

type CellPlace = Pick<DumpedCell, 'endpoint' | 'direction' | 'localClass'>;

/** Both ends of a packet have one family: with a local class, peers of the other family do not exist. */
function dumpVector(
  image: TableImage,
  compiler: TableCompiler,
  vector: number,
  place: CellPlace,
  family?: Family,
): DumpedCell[] {
  const { words } = compiler.heap;
  const { addresses, l4 } = image.classification;
  const peers = addresses.classes.filter((peer) => family === undefined || peer.family === family);
  return peers.flatMap((peer) => {
    const row = words[vector + peer.id] as number;
    const byWord = new Map<number, number[]>();
    for (const l4Class of l4.ids) {
      const page = words[row + (l4Class >>> PAGE_SHIFT)] as number;
      const word = words[page + (l4Class & (PAGE_WORDS - 1))] as number;
      byWord.set(word, [...(byWord.get(word) ?? []), l4Class]);
    }
    return [...byWord].map(([word, l4Classes]) => ({
      ...place,
      peerClass: peer.id,
      l4Classes,
      ...describeWord(word, compiler),
    }));
  });
}

function describeWord(word: number, compiler: TableCompiler): Pick<DumpedCell, 'verdict' | 'isLogged' | 'trace'> {
  if (word & WORD.SOURCE_PORT) return { verdict: 'by source port', isLogged: false, trace: [] };
  const { verdict, isLogged, trace } = decodeWord(word, '', compiler.stories);
  return { verdict, isLogged, trace: formatTrace(trace) };
}

/** Ranges of a layer-4 class as people write them, e.g. `TCP 80-81`. */
function describeMembers(l4: Partition, id: number): string[] {
  const members: string[] = [];
  for (let index = 0; index < l4.classes.length; index += 1) {
    if (l4.classes[index] !== id) continue;
    const first = index;
    while (l4.classes[index + 1] === id && protocolAt(index + 1).name === protocolAt(first).name) index += 1;
    members.push(describeRange(first, index));
  }
  return members;
}

const NAMED_BASES = [
  { name: 'TCP', base: L4_BASE.TCP },
  { name: 'UDP', base: L4_BASE.UDP },
  { name: 'SCTP', base: L4_BASE.SCTP },
  { name: 'UDPLite', base: L4_BASE.UDPLITE },
  { name: 'ICMP', base: L4_BASE.ICMP },
  { name: 'ICMPv6', base: L4_BASE.ICMPV6 },
  { name: 'protocol', base: L4_BASE.OTHER },
] as const;

function protocolAt(index: number): (typeof NAMED_BASES)[number] {
  return NAMED_BASES.findLast(({ base }) => base <= index) ?? NAMED_BASES[0];
}

function describeRange(first: number, last: number): string {
  const { name, base } = protocolAt(first);
  const size = name === 'protocol' ? 256 : 65536;
  if (last - first + 1 === size) return name === 'protocol' ? 'other protocols' : name;
  const text = (index: number): string => {
    const value = index - base;
    return name.startsWith('ICMP') ? `${value >>> 8}/${value & 255}` : String(value);
  };
  return first === last ? `${name} ${text(first)}` : `${name} ${text(first)}-${text(last)}`;
}
