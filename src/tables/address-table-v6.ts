// The IPv6 address table: 16 bits at once, then a path-compressed trie of 8-bit strides (struct tt_v6_node, bpf/abi/heap.h).
import type { AddressClass, ClassifiedPrefix } from './address-classes.ts';
import { ENTRY_NODE, ENTRY_VALUE, V6_NODE, V6_NODE_WORDS, V6_ROOT_WORDS } from './layout.ts';
import type { RegionStore } from './region-store.ts';

const ROOT_BITS = 16;

interface Item {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly classId: number;
}

/** Interns the table and returns the offset of its root. Prefixes are ordered by address, then length. */
export function compileV6Table(
  prefixes: readonly ClassifiedPrefix[],
  outside: AddressClass,
  heap: RegionStore,
  nodes: RegionStore,
): number {
  const items = prefixes.map(({ cidr, class: addressClass }) => ({
    bytes: toBytes(cidr.words),
    length: cidr.length,
    classId: addressClass.id,
  }));
  const root = new Uint32Array(V6_ROOT_WORDS).fill(outside.id);
  let index = 0;
  while (index < items.length) {
    const item = items[index] as Item;
    const first = rootIndex(item);
    if (item.length <= ROOT_BITS) {
      root.fill(item.classId, first, first + 2 ** (ROOT_BITS - item.length));
      index += 1;
      continue;
    }
    let end = index + 1;
    while (end < items.length && rootIndex(items[end] as Item) === first) end += 1;
    root[first] = compileSpan(items, index, end, ROOT_BITS / 8, root[first] as number, nodes);
    index = end;
  }
  return heap.intern(root);
}

function rootIndex({ bytes }: Item): number {
  return ((bytes[0] as number) << 8) | (bytes[1] as number);
}

/** Numbers of the nodes that a walk from one of the entries can come to. */
export function reachableNodes(nodes: Uint32Array, entries: Iterable<number>): Set<number> {
  const found = new Set<number>();
  const open = [...entries];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    if ((entry & ENTRY_NODE) === 0 || found.has(entry & ENTRY_VALUE)) continue;
    found.add(entry & ENTRY_VALUE);
    const node = (entry & ENTRY_VALUE) * V6_NODE_WORDS;
    open.push(...nodes.subarray(node + V6_NODE.entry, node + V6_NODE_WORDS));
  }
  return found;
}

/** Entry for items[from..to), which share their first `depth` bytes; `around` is the class of what none covers. */
function compileSpan(
  items: readonly Item[],
  from: number,
  to: number,
  depth: number,
  around: number,
  nodes: RegionStore,
): number {
  let start = from;
  let outer = around;
  while (start < to && (items[start] as Item).length <= 8 * depth) {
    outer = (items[start] as Item).classId;
    start += 1;
  }
  if (start === to) return outer;
  const byteIndex = branchingByte(items, start, to, depth);
  const node = new Uint32Array(V6_NODE_WORDS);
  const nodeBytes = new Uint8Array(node.buffer);
  const first = items[start] as Item;
  for (let index = depth; index < byteIndex; index += 1) {
    nodeBytes[4 * V6_NODE.mask + index] = 0xff;
    nodeBytes[4 * V6_NODE.value + index] = first.bytes[index] as number;
  }
  node[V6_NODE.miss] = outer;
  node[V6_NODE.byteIndex] = byteIndex;
  const entries = node.subarray(V6_NODE.entry).fill(outer);
  fillEntries(entries, items, start, to, byteIndex, nodes);
  return (ENTRY_NODE | (nodes.intern(node) / V6_NODE_WORDS)) >>> 0;
}

/** Prefixes that end in this byte fill ranges of entries; longer ones go to a node below. */
function fillEntries(
  entries: Uint32Array,
  items: readonly Item[],
  from: number,
  to: number,
  byteIndex: number,
  nodes: RegionStore,
): void {
  const endsHere = 8 * (byteIndex + 1);
  let index = from;
  while (index < to) {
    const item = items[index] as Item;
    const byte = item.bytes[byteIndex] as number;
    if (item.length <= endsHere) {
      entries.fill(item.classId, byte, byte + 2 ** (endsHere - item.length));
      index += 1;
      continue;
    }
    let end = index + 1;
    while (end < to && (items[end] as Item).bytes[byteIndex] === byte && (items[end] as Item).length > endsHere)
      end += 1;
    entries[byte] = compileSpan(items, index, end, byteIndex + 1, entries[byte] as number, nodes);
    index = end;
  }
}

/** The first byte in which items differ or one of them ends; all share the bytes before it. */
function branchingByte(items: readonly Item[], from: number, to: number, depth: number): number {
  const first = items[from] as Item;
  const last = items[to - 1] as Item;
  let shortest = 128;
  for (let index = from; index < to; index += 1) shortest = Math.min(shortest, (items[index] as Item).length);
  const limit = Math.floor((shortest - 1) / 8);
  let byte = depth;
  while (byte < limit && first.bytes[byte] === last.bytes[byte]) byte += 1;
  return byte;
}

function toBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word);
  return bytes;
}
