// The flow table as user space sees it: its memory, mapped. Reads only, but for emptying a table that no interface uses;
// entering flows is the programs' work, under locks that user space does not have.
import { Flow, FlowBucket, FlowDims, FlowEntry, FlowKey } from '../abi/flow.gen.ts';
import type { BpfMap } from './native.ts';

const BUCKETS_AT = FlowDims.REGION_HEAD;
const ENTRIES_AT = BUCKETS_AT + FlowDims.REGION_BUCKETS * FlowBucket.SIZE;
const REGION_BYTES = ENTRIES_AT + FlowDims.REGION_ENTRIES * FlowEntry.SIZE;
const ENTRY_WORDS = FlowEntry.SIZE / 4;
const NAMED_BY = FlowEntry.OFFSET.named_by / 4;
const DEADLINE = FlowEntry.OFFSET.deadline / 4;
const CREATED = (FlowEntry.OFFSET.flow + Flow.OFFSET.created_jiffies) / 4;
const PROTOCOL_AT = FlowEntry.OFFSET.key + FlowKey.OFFSET.protocol;
/** More than there are. */
const STATES = 8;
const STATE_AT = FlowEntry.OFFSET.flow + Flow.OFFSET.state;

/** Live flows of one protocol (IANA number) in one state (enum tt_flow_state). */
export interface FlowTally {
  readonly protocol: number;
  readonly state: number;
  readonly flows: number;
}

/** How a flow table for at least so many flows is laid out: regions, and entries of each that are used. */
export function flowTableShape(flows: number): { readonly regions: number; readonly room: number } {
  const entries = 2 ** Math.ceil(Math.log2(Math.max(FlowDims.WAYS, flows)));
  const room = Math.min(entries, FlowDims.REGION_ENTRIES);
  return { regions: entries / room, room };
}

export class FlowTable {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #regions: number;
  readonly #room: number;

  /** `room` as the programs were loaded with. */
  constructor(map: BpfMap, room: number) {
    const memory = map.mmap();
    this.#words = new Uint32Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#regions = map.info.maxEntries;
    this.#room = room;
  }

  /** Flows there is room for. */
  get capacity(): number {
    return this.#regions * this.#room;
  }

  /** One sweep: flows that have not ended at `jiffies`. Reads one cache line for each flow there is room for. */
  census(jiffies: bigint): FlowTally[] {
    const now = clockOf(jiffies);
    const tally = new Uint32Array(256 * STATES);
    for (let region = 0; region < this.#regions; region += 1) {
      const first = (region * REGION_BYTES + ENTRIES_AT) / 4;
      for (let at = first; at < first + this.#room * ENTRY_WORDS; at += ENTRY_WORDS) {
        if (!this.#isLive(at, now)) continue;
        const kind =
          (this.#bytes[4 * at + PROTOCOL_AT] as number) * STATES + (this.#bytes[4 * at + STATE_AT] as number);
        tally[kind] = (tally[kind] as number) + 1;
      }
    }
    return [...tally.entries()]
      .filter(([, flows]) => flows > 0)
      .map(([kind, flows]) => ({ protocol: Math.floor(kind / STATES), state: kind % STATES, flows }));
  }

  /** For each number of jiffies, fewest first, the flows that have not ended at `jiffies` and began longer ago. */
  olderThan(jiffies: bigint, ages: readonly number[]): number[] {
    const now = clockOf(jiffies);
    const begun = ages.map((age) => Number(jiffies) - age);
    const counts = ages.map(() => 0);
    for (let region = 0; region < this.#regions; region += 1) {
      const first = (region * REGION_BYTES + ENTRIES_AT) / 4;
      for (let at = first; at < first + this.#room * ENTRY_WORDS; at += ENTRY_WORDS) {
        if (!this.#isLive(at, now)) continue;
        const created = this.#createdAt(at);
        for (let index = 0; index < begun.length && created < (begun[index] as number); index += 1) {
          counts[index] = (counts[index] as number) + 1;
        }
      }
    }
    return counts;
  }

  /** Forgets all flows. Only while no packet can be under way. */
  clear(): void {
    this.#bytes.fill(0);
  }

  /** In jiffies. */
  #createdAt(at: number): number {
    return (this.#words[at + CREATED + 1] as number) * 2 ** 32 + (this.#words[at + CREATED] as number);
  }

  #isLive(at: number, now: number): boolean {
    if (this.#words[at + NAMED_BY] === 0) return false;
    return (((this.#words[at + DEADLINE] as number) - now) | 0) >= 0;
  }
}

/** Deadlines are counted in this unit. */
function clockOf(jiffies: bigint): number {
  return Number(BigInt.asIntN(32, jiffies >> BigInt(FlowDims.AGE_SHIFT)));
}
