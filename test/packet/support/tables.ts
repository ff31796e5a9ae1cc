// Hand-made compiled policy for packet tests: few classes, few cells, written as the heap's words. Not the compiler.
import { encodeV6Node, HeapDims, L4Base, V6Node, WordBits } from '../../../src/abi/heap.gen.ts';
import { addressBytes } from '../../support/packets/bytes.ts';

/** Offsets within one image, in words. */
const V4_ROOT = 0;
const L4_CLASSES = V4_ROOT + HeapDims.V4_ROOT_WORDS;
const SOURCE_CLASSES = L4_CLASSES + L4Base.ENTRIES;
const POLICIES = SOURCE_CLASSES + 65536;
const POLICY_WORDS = 256;
const REST = POLICIES + POLICY_WORDS;
export const IMAGE_WORDS = 648 * HeapDims.HEAP_BLOCK_WORDS;
export const V6_NODES = 64;
const NODE = 0x80000000;
const LOCAL_BASE = 0x80000000;
/** Room for classes of every kind. */
const CLASSES = 128;
const OTHER_CLASS = 1;

export type Cell = 'allow' | 'deny' | 'next' | 'hole' | 'both';

export interface Rule {
  readonly endpoint: number;
  readonly direction: 'egress' | 'ingress';
  /** Address of the far end; absent = all that no other rule of this endpoint and direction names. */
  readonly peer?: string;
  /** `tcp:80`, `icmp:8:0`, `other:47`; absent = likewise. */
  readonly l4?: string;
  /** Only for this source port; the cell's other source ports are denied. */
  readonly sourcePort?: number;
  /** Only seen from this one of the endpoint's own addresses; others are denied. */
  readonly local?: string;
  readonly cell: Cell;
  readonly log?: boolean;
  readonly traceId?: number;
}

export interface TinyPolicy {
  readonly generation: number;
  readonly rules: readonly Rule[];
}

export interface WrittenRoot {
  readonly v4_root: number;
  readonly v6_root: number;
  readonly l4_classes: number;
  readonly source_classes: number;
  readonly policies: number;
  readonly generation: number;
  readonly directory: number;
  readonly directory_regions: number;
}

export function wordOf(rule: Pick<Rule, 'cell' | 'log' | 'traceId'>): number {
  if (rule.cell === 'hole') return 0;
  const both = WordBits.ALLOW | WordBits.DENY;
  const action = { allow: WordBits.ALLOW, deny: WordBits.DENY, next: WordBits.NEXT, both }[rule.cell];
  return (action | (rule.log ? WordBits.LOG : 0) | ((rule.traceId ?? 1) << WordBits.ID_SHIFT)) >>> 0;
}

/** Writes one image of the policy at word `base` of the heap and node `firstNode`. */
export class TinyTables {
  readonly #heap: Uint32Array;
  readonly #nodes: DataView;
  readonly #base: number;
  #next: number;
  #nextNode: number;
  readonly #addressClasses = new Map<string, number>();
  readonly #l4Classes = new Map<string, number>();

  constructor(heap: Uint32Array, nodes: DataView, base: number, firstNode: number) {
    this.#heap = heap;
    this.#nodes = nodes;
    this.#base = base;
    this.#next = base + REST;
    this.#nextNode = firstNode;
    heap.fill(0, base, base + IMAGE_WORDS);
  }

  write({ generation, rules }: TinyPolicy): WrittenRoot {
    const at = this.#base;
    for (const { peer, local, l4 } of rules) {
      for (const address of [peer, local]) if (address !== undefined) classOf(this.#addressClasses, address);
      if (l4 !== undefined) classOf(this.#l4Classes, l4);
    }
    const v6Root = this.#writeAddresses(at + V4_ROOT);
    this.#heap.fill(OTHER_CLASS, at + L4_CLASSES, at + L4_CLASSES + L4Base.ENTRIES);
    for (const [l4, number] of this.#l4Classes) this.#heap[at + L4_CLASSES + l4Index(l4)] = number;
    this.#heap.fill(OTHER_CLASS, at + SOURCE_CLASSES, at + SOURCE_CLASSES + 65536);
    const slots = new Set(rules.map(({ endpoint, direction }) => 2 * endpoint + (direction === 'ingress' ? 1 : 0)));
    for (const slot of slots) {
      const mine = rules.filter((rule) => slot === 2 * rule.endpoint + (rule.direction === 'ingress' ? 1 : 0));
      this.#heap[at + POLICIES + slot] = this.#writePolicy(mine);
    }
    return {
      v4_root: at + V4_ROOT,
      v6_root: v6Root,
      l4_classes: at + L4_CLASSES,
      source_classes: at + SOURCE_CLASSES,
      policies: at + POLICIES,
      generation,
      directory: 0,
      directory_regions: 0,
    };
  }

  #writePolicy(rules: readonly Rule[]): number {
    const locals = [...new Set(rules.map(({ local }) => local).filter((local) => local !== undefined))];
    if (locals.length === 0) return this.#writeRows(rules);
    const table = this.#take(CLASSES, this.#writeRows([{ endpoint: 0, direction: 'egress', cell: 'deny' }]));
    for (const local of locals) {
      this.#heap[table + classOf(this.#addressClasses, local)] = this.#writeRows(
        rules.filter((rule) => rule.local === local),
      );
    }
    return (LOCAL_BASE | table) >>> 0;
  }

  #writeRows(rules: readonly Rule[]): number {
    const fallback = rules.filter(({ peer }) => peer === undefined);
    const rows = this.#take(CLASSES, this.#writeRow(fallback));
    for (const [address, number] of this.#addressClasses) {
      const mine = rules.filter(({ peer }) => peer === address);
      if (mine.length > 0) this.#heap[rows + number] = this.#writeRow([...fallback, ...mine]);
    }
    return rows;
  }

  /** Later rules win. */
  #writeRow(rules: readonly Rule[]): number {
    const word = (rule: Rule | undefined): number =>
      rule === undefined ? wordOf({ cell: 'deny' }) : this.#writeCell(rule);
    const other = word(rules.findLast(({ l4 }) => l4 === undefined));
    const pages = CLASSES / HeapDims.PAGE_WORDS;
    const row = this.#take(pages, 0);
    const cells = this.#take(CLASSES, other);
    for (let page = 0; page < pages; page += 1) this.#heap[row + page] = cells + page * HeapDims.PAGE_WORDS;
    for (const [l4, number] of this.#l4Classes) {
      const rule = rules.findLast((candidate) => candidate.l4 === l4);
      if (rule !== undefined) this.#heap[cells + number] = word(rule);
    }
    return row;
  }

  #writeCell(rule: Rule): number {
    if (rule.sourcePort === undefined) return wordOf(rule);
    const sourceClass = 2;
    this.#heap[this.#base + SOURCE_CLASSES + rule.sourcePort] = sourceClass;
    const words = this.#take(CLASSES, wordOf({ cell: 'deny' }));
    this.#heap[words + sourceClass] = wordOf(rule);
    return (WordBits.SOURCE_PORT | (words << WordBits.ID_SHIFT)) >>> 0;
  }

  /** IPv4 as three levels of strides, IPv6 as a trie that every root entry leads to; returns the IPv6 root. */
  #writeAddresses(v4Root: number): number {
    this.#heap.fill(OTHER_CLASS, v4Root, v4Root + HeapDims.V4_ROOT_WORDS);
    const v6: Uint8Array[] = [];
    for (const [address, number] of this.#addressClasses) {
      const bytes = addressBytes(address);
      if (bytes.length === 16) v6.push(bytes);
      else this.#writeV4(v4Root, bytes, number);
    }
    const entry = v6.length === 0 ? OTHER_CLASS : this.#writeV6(v6);
    return this.#take(HeapDims.V6_ROOT_WORDS, entry);
  }

  #writeV4(v4Root: number, [a = 0, b = 0, c = 0, d = 0]: Uint8Array, number: number): void {
    const second = this.#chunk(v4Root + a * 256 + b);
    const third = this.#chunk(second + c);
    this.#heap[third + d] = number;
  }

  #chunk(entry: number): number {
    const word = this.#heap[entry] as number;
    if (word >= NODE) return word - NODE;
    const chunk = this.#take(HeapDims.CHUNK_WORDS, word);
    this.#heap[entry] = NODE + chunk;
    return chunk;
  }

  #writeV6(addresses: readonly Uint8Array[]): number {
    const first = addresses[0] as Uint8Array;
    const differing = first.findIndex((byte, index) => addresses.some((other) => other[index] !== byte));
    const index = differing < 0 ? 15 : differing;
    const number = this.#nextNode++;
    const entry = new Array<number>(256).fill(OTHER_CLASS);
    for (const byte of new Set(addresses.map((address) => address[index] as number))) {
      const below = addresses.filter((address) => address[index] === byte);
      entry[byte] = index === 15 ? this.#classOfBytes(below[0] as Uint8Array) : this.#writeV6(below);
    }
    const mask = first.map((_, at) => (at < index ? 0xff : 0));
    const value = first.map((byte, at) => (at < index ? byte : 0));
    encodeV6Node(this.#nodes, number * V6Node.SIZE, {
      mask: words(mask),
      value: words(value),
      miss: OTHER_CLASS,
      byte_index: index,
      entry,
    });
    return NODE + number;
  }

  #classOfBytes(bytes: Uint8Array): number {
    const found = [...this.#addressClasses].find(([address]) => Buffer.compare(addressBytes(address), bytes) === 0);
    return found?.[1] ?? OTHER_CLASS;
  }

  #take(count: number, fill: number): number {
    const at = this.#next;
    this.#next += count;
    if (this.#next > this.#base + IMAGE_WORDS) throw new RangeError('the tiny image is full');
    this.#heap.fill(fill, at, at + count);
    return at;
  }
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return [0, 4, 8, 12].map((at) => view.getUint32(at));
}

function classOf(classes: Map<string, number>, name: string): number {
  const known = classes.get(name);
  if (known !== undefined) return known;
  const number = OTHER_CLASS + 1 + classes.size;
  classes.set(name, number);
  return number;
}

/** `tcp:80`, `icmp:8:0`, `other:47`. */
function l4Index(text: string): number {
  const [name = '', first = '0', second = '0'] = text.split(':');
  const bases: Readonly<Record<string, number>> = {
    tcp: L4Base.TCP,
    udp: L4Base.UDP,
    sctp: L4Base.SCTP,
    udplite: L4Base.UDPLITE,
    icmp: L4Base.ICMP,
    icmpv6: L4Base.ICMPV6,
    other: L4Base.OTHER,
  };
  const base = bases[name];
  if (base === undefined) throw new RangeError(`not a layer-4 name: ${text}`);
  return base + (name.startsWith('icmp') ? Number(first) * 256 + Number(second) : Number(first));
}
