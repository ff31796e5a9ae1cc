// The flow cache of a Machine, every CPU's: what the programs wrote, read, emptied and aged by hand.
import type { BpfMap } from '../../../native/index.d.ts';
import { CachedFlow, decodeCachedFlow } from '../../../src/abi/flow.gen.ts';

export class CacheMemory {
  readonly #view: DataView;
  /** Slots of a CPU. */
  readonly #slots: number;

  constructor(map: BpfMap, slots: number) {
    this.#view = new DataView(map.mmap());
    this.#slots = slots;
  }

  flows(): CachedFlow[] {
    return this.#used().map((at) => decodeCachedFlow(this.#view, at));
  }

  /** Which slots of a CPU are in use. */
  places(): number[] {
    return this.#used().map((at) => (at / CachedFlow.SIZE) % this.#slots);
  }

  clear(): void {
    new Uint8Array(this.#view.buffer).fill(0);
  }

  /** Makes every slot look as if the flow table had not heard of it for that long. */
  age(jiffies: bigint): void {
    for (let at = 0; at < this.#view.byteLength; at += CachedFlow.SIZE) {
      const place = at + CachedFlow.OFFSET.synced_jiffies;
      this.#view.setBigUint64(place, this.#view.getBigUint64(place, true) - jiffies, true);
    }
  }

  /** Byte offsets of slots in use. */
  #used(): number[] {
    const used: number[] = [];
    for (let at = 0; at < this.#view.byteLength; at += CachedFlow.SIZE) {
      if (this.#view.getUint32(at + CachedFlow.OFFSET.ifindex, true) !== 0) used.push(at);
    }
    return used;
  }
}
