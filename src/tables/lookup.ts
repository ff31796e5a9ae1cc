// The classification as the kernel does it, over a compiled image: the same reads in the same order as
// bpf/stages/classify.h. `tortie verdict --engine tables` and the tests ask it.
import type { IpAddress } from '../model/address.ts';
import type { Flow } from '../model/flow.ts';
import type { Direction } from '../model/policy.ts';
import type { ImageRoot } from './image.ts';
import { l4Index } from './l4-space.ts';
import {
  BASE_LOCAL,
  BASE_OFFSET,
  ENTRY_NODE,
  ENTRY_VALUE,
  PAGE_SHIFT,
  PAGE_WORDS,
  V6_NODE,
  V6_NODE_WORDS,
  WORD,
} from './layout.ts';

/** The arrays as the kernel holds them. */
export interface TableArrays {
  readonly heap: Uint32Array;
  readonly v6Nodes: Uint32Array;
}

/** The verdict word (enum tt_word_bits) of one endpoint's policy in one direction; 0 = a hole, which drops. */
export function lookupWord(
  arrays: TableArrays,
  root: ImageRoot,
  endpointId: number,
  direction: Direction,
  flow: Flow,
): number {
  const { heap } = arrays;
  const at = (offset: number): number => heap[offset] ?? 0;
  const isIngress = direction === 'ingress';
  const peer = isIngress ? flow.source : flow.destination;
  const local = isIngress ? flow.destination : flow.source;
  let base = at(root.policies + 2 * endpointId + (isIngress ? 1 : 0));
  if (base & BASE_LOCAL) base = at(((base & BASE_OFFSET) >>> 0) + addressClass(arrays, root, local));
  if (base === 0) return 0;
  const row = at(base + addressClass(arrays, root, peer));
  const l4Class = at(root.l4Classes + l4Index(flow.protocol, flow.destinationPort, flow.icmpType, flow.icmpCode));
  const page = at(row + (l4Class >>> PAGE_SHIFT));
  const word = at(page + (l4Class & (PAGE_WORDS - 1)));
  if ((word & WORD.SOURCE_PORT) === 0) return word;
  return at((word >>> WORD.ID_SHIFT) + at(root.sourceClasses + flow.sourcePort));
}

/** Class id of an address. */
export function addressClass(arrays: TableArrays, root: ImageRoot, address: IpAddress): number {
  return address.family === 4 ? v4Class(arrays.heap, root, address.words[0] as number) : v6Class(arrays, root, address);
}

function v4Class(heap: Uint32Array, root: ImageRoot, address: number): number {
  let entry = heap[root.v4Root + (address >>> 16)] ?? 0;
  if (entry & ENTRY_NODE) entry = heap[(entry & ENTRY_VALUE) + ((address >>> 8) & 0xff)] ?? 0;
  if (entry & ENTRY_NODE) entry = heap[(entry & ENTRY_VALUE) + (address & 0xff)] ?? 0;
  return entry;
}

/** As many as the kernel takes (bpf/stages/classify.h): arrays that somebody has written to may lead in a circle. */
const V6_STEPS = 16;

function v6Class({ heap, v6Nodes: nodes }: TableArrays, root: ImageRoot, address: IpAddress): number {
  let entry = heap[root.v6Root + ((address.words[0] as number) >>> 16)] ?? 0;
  for (let step = 0; step < V6_STEPS && entry & ENTRY_NODE; step += 1) {
    const node = (entry & ENTRY_VALUE) * V6_NODE_WORDS;
    const isInside = address.words.every((word, index) => {
      const mask = swapBytes(nodes[node + V6_NODE.mask + index] as number);
      return (word & mask) >>> 0 === swapBytes(nodes[node + V6_NODE.value + index] as number);
    });
    if (!isInside) return nodes[node + V6_NODE.miss] as number;
    const byteIndex = nodes[node + V6_NODE.byteIndex] as number;
    const byte = ((address.words[byteIndex >>> 2] as number) >>> (24 - 8 * (byteIndex & 3))) & 0xff;
    entry = nodes[node + V6_NODE.entry + byte] as number;
  }
  return entry;
}

/** Masks and values are stored in network byte order. */
function swapBytes(word: number): number {
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
