// The flow table of a Machine, which has one region: what the programs wrote, read and aged by hand.
import type { BpfMap } from '../../../native/index.d.ts';
import {
  decodeFlow,
  decodeFlowKey,
  Flow,
  FlowBucket,
  FlowDims,
  FlowEntry,
  type FlowKey,
} from '../../../src/abi/flow.gen.ts';

export interface StoredFlow {
  readonly key: FlowKey;
  readonly flow: Flow;
  /** In units of 2^FlowDims.AGE_SHIFT jiffies. */
  readonly deadline: number;
  /** Where the index names it. */
  readonly bucket: number;
  readonly tag: number;
}

const FIRST_ENTRY = FlowDims.REGION_HEAD + FlowDims.REGION_BUCKETS * FlowBucket.SIZE;
const UNIT = BigInt(FlowDims.AGE_SHIFT);

export class FlowMemory {
  readonly #view: DataView;
  readonly #room: number;

  constructor(map: BpfMap, room: number) {
    this.#view = new DataView(map.mmap());
    this.#room = room;
  }

  /** Flows that have not ended, in no order. */
  live(jiffies: bigint): StoredFlow[] {
    const now = Number(BigInt.asIntN(32, jiffies >> UNIT));
    return this.#used()
      .map((at) => ({
        key: decodeFlowKey(this.#view, at + FlowEntry.OFFSET.key),
        flow: decodeFlow(this.#view, at + FlowEntry.OFFSET.flow),
        deadline: this.#view.getUint32(at + FlowEntry.OFFSET.deadline, true),
        ...this.#name(at),
      }))
      .filter(({ deadline }) => ((deadline - now) | 0) >= 0);
  }

  clear(): void {
    new Uint8Array(this.#view.buffer).fill(0);
  }

  /** Makes every flow look that much older: when it was opened, last seen, and when it ends. */
  age(jiffies: bigint): void {
    for (const at of this.#used()) {
      for (const field of [Flow.OFFSET.created_jiffies, Flow.OFFSET.seen_jiffies]) {
        const place = at + FlowEntry.OFFSET.flow + field;
        this.#view.setBigUint64(place, this.#view.getBigUint64(place, true) - jiffies, true);
      }
      const place = at + FlowEntry.OFFSET.deadline;
      this.#view.setUint32(place, this.#view.getUint32(place, true) - Number(jiffies >> UNIT), true);
    }
  }

  /** Bucket and tag of the entry at a byte offset. */
  #name(at: number): { readonly bucket: number; readonly tag: number } {
    const name = this.#view.getUint32(at + FlowEntry.OFFSET.named_by, true) - 1;
    const bucket = Math.floor(name / FlowDims.WAYS);
    const tags = FlowDims.REGION_HEAD + bucket * FlowBucket.SIZE + FlowBucket.OFFSET.tag;
    return { bucket, tag: this.#view.getUint16(tags + 2 * (name % FlowDims.WAYS), true) };
  }

  /** Byte offsets of entries in use. */
  #used(): number[] {
    const all = Array.from({ length: this.#room }, (_, number) => FIRST_ENTRY + number * FlowEntry.SIZE);
    return all.filter((at) => this.#view.getUint32(at + FlowEntry.OFFSET.named_by, true) !== 0);
  }
}
