// The IPv6 address table: 16 bits at once, then a path-compressed trie of 8-bit strides (struct tt_v6_node, bpf/abi/heap.h).
// Follows changes: subtrees that no changed prefix is about stay.
import type { Cidr } from '../model/address.ts';
import { compileRoot, dirtyEntries, RootRegion, spanOf } from './address-root.ts';
import { ENTRY_NODE, ENTRY_VALUE, V6_NODE, V6_NODE_WORDS } from './layout.ts';
import type { OrderedPrefixes } from './ordered-prefixes.ts';
import type { RegionStore } from './region-store.ts';
import { compareBytes, firstDifference, WordBytes } from './word-bytes.ts';

const ROOT_BYTES = 2;

/** A node of the table and those below it. */
interface TrieNode {
  readonly offset: number;
  readonly byteIndex: number;
  /** Bytes that lead to it. */
  readonly depth: number;
  /** Class around its prefixes. */
  readonly around: number;
  readonly below: ReadonlyMap<number, TrieNode>;
}

/** A class, or a node. */
type Compiled = number | TrieNode;

export class AddressTableV6 {
  readonly #nodes: RegionStore;
  readonly #root: RootRegion;
  /** By entry of the root. */
  readonly #tries = new Map<number, TrieNode>();
  /** Of the update under way: prefixes and nodes that stay. */
  #dirty: readonly Cidr[] | undefined;
  readonly #kept = new Set<TrieNode>();

  constructor(heap: RegionStore, nodes: RegionStore) {
    this.#nodes = nodes;
    this.#root = new RootRegion(heap);
  }

  /** Brings the table up to date and returns the offset of its root; `dirty` as in AddressChanges. Throws TABLE_FULL. */
  update(ordered: OrderedPrefixes, outside: number, dirty: readonly Cidr[] | undefined): number {
    const indexes = this.#root.offset === undefined ? undefined : dirtyEntries(dirty);
    this.#dirty = indexes === undefined ? undefined : dirty;
    if (indexes === undefined) return this.#compileAll(ordered, outside);
    const entries = new Map<number, number>();
    for (const index of indexes) {
      const { first, end, around } = spanOf(ordered, index);
      const outer = around === undefined ? outside : ordered.classAt(around);
      entries.set(index, this.#compileEntry(ordered, index, first, end, outer));
    }
    return this.#root.patch(entries);
  }

  #compileAll(ordered: OrderedPrefixes, outside: number): number {
    const before = new Set(this.#tries.keys());
    const root = compileRoot(ordered, outside, (index, first, end, around) => {
      before.delete(index);
      return this.#compileEntry(ordered, index, first, end, around);
    });
    for (const index of before) this.#replaceTrie(index, undefined);
    return this.#root.replace(root);
  }

  #compileEntry(ordered: OrderedPrefixes, index: number, first: number, end: number, around: number): number {
    const compiled = this.#compileSpan(ordered, first, end, ROOT_BYTES, around, this.#tries.get(index));
    this.#replaceTrie(index, typeof compiled === 'number' ? undefined : compiled);
    return entryOf(compiled);
  }

  /** Prefixes from `first` to `end` share their first `depth` bytes; `former` stood where the result will stand. */
  #compileSpan(
    ordered: OrderedPrefixes,
    first: number,
    end: number,
    depth: number,
    around: number,
    former: TrieNode | undefined,
  ): Compiled {
    let start = first;
    let outer = around;
    while (start < end && ordered.lengthAt(start) <= 8 * depth) {
      outer = ordered.classAt(start);
      start += 1;
    }
    if (start === end) return outer;
    const isSamePlace = former !== undefined && former.depth === depth && former.around === outer;
    if (isSamePlace && !this.#isDirty(ordered, start, depth)) {
      this.#kept.add(former);
      return former;
    }
    const bytes = new WordBytes(ordered);
    // Should a prefix end before they differ, it is the first: it contains all others.
    const shared = firstDifference(bytes, start, end - 1, depth);
    const byteIndex = Math.min(shared, (ordered.lengthAt(start) - 1) >>> 3);
    const node = newNode(bytes, start, depth, byteIndex, outer);
    const entries = node.subarray(V6_NODE.entry);
    const formerBelow = former?.byteIndex === byteIndex ? former.below : undefined;
    const below = this.#fillEntries(entries, ordered, start, end, byteIndex, formerBelow);
    return { offset: this.#nodes.intern(node), byteIndex, depth, around: outer, below };
  }

  /** Prefixes that end in this byte fill ranges of entries; longer ones go to a node below. */
  #fillEntries(
    entries: Uint32Array,
    ordered: OrderedPrefixes,
    first: number,
    end: number,
    byteIndex: number,
    former: ReadonlyMap<number, TrieNode> | undefined,
  ): Map<number, TrieNode> {
    const bytes = new WordBytes(ordered);
    const endsHere = 8 * (byteIndex + 1);
    const below = new Map<number, TrieNode>();
    for (let position = first; position < end; ) {
      const byte = bytes.at(position, byteIndex);
      const length = ordered.lengthAt(position);
      if (length <= endsHere) {
        entries.fill(ordered.classAt(position), byte, byte + 2 ** (endsHere - length));
        position += 1;
        continue;
      }
      const next = bytes.endOfByte(position, end, byteIndex);
      const around = entries[byte] as number;
      const compiled = this.#compileSpan(ordered, position, next, byteIndex + 1, around, former?.get(byte));
      if (typeof compiled !== 'number') below.set(byte, compiled);
      entries[byte] = entryOf(compiled);
      position = next;
    }
    return below;
  }

  /** Whether a changed prefix begins with the bytes of the one at the position. */
  #isDirty(ordered: OrderedPrefixes, position: number, depth: number): boolean {
    const dirty = this.#dirty;
    if (dirty === undefined) return true;
    const { words } = ordered.memberAt(position).cidr;
    let low = 0;
    let high = dirty.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes((dirty[middle] as Cidr).words, words, depth) < 0) low = middle + 1;
      else high = middle;
    }
    return low < dirty.length && compareBytes((dirty[low] as Cidr).words, words, depth) === 0;
  }

  #replaceTrie(index: number, trie: TrieNode | undefined): void {
    const before = this.#tries.get(index);
    if (trie === undefined) this.#tries.delete(index);
    else this.#tries.set(index, trie);
    if (before !== undefined) this.#release(before);
    this.#kept.clear();
  }

  #release(node: TrieNode): void {
    if (this.#kept.has(node)) return;
    this.#nodes.release(node.offset);
    for (const child of node.below.values()) this.#release(child);
  }
}

/** Numbers of the nodes that a walk from one of the entries can come to. */
export function reachableNodes(nodes: Uint32Array, entries: Iterable<number>): Set<number> {
  const found = new Set<number>();
  const open = [...entries];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    if ((entry & ENTRY_NODE) === 0 || found.has(entry & ENTRY_VALUE)) continue;
    found.add(entry & ENTRY_VALUE);
    const node = (entry & ENTRY_VALUE) * V6_NODE_WORDS;
    for (let at = node + V6_NODE.entry; at < node + V6_NODE_WORDS; at += 1) {
      if ((nodes[at] as number) & ENTRY_NODE) open.push(nodes[at] as number);
    }
  }
  return found;
}

function newNode(bytes: WordBytes, position: number, depth: number, byteIndex: number, outer: number): Uint32Array {
  const node = new Uint32Array(V6_NODE_WORDS);
  const nodeBytes = new Uint8Array(node.buffer);
  for (let index = depth; index < byteIndex; index += 1) {
    nodeBytes[4 * V6_NODE.mask + index] = 0xff;
    nodeBytes[4 * V6_NODE.value + index] = bytes.at(position, index);
  }
  node[V6_NODE.miss] = outer;
  node[V6_NODE.byteIndex] = byteIndex;
  node.fill(outer, V6_NODE.entry);
  return node;
}

function entryOf(compiled: Compiled): number {
  return typeof compiled === 'number' ? compiled : (ENTRY_NODE | (compiled.offset / V6_NODE_WORDS)) >>> 0;
}
