// What the programs count, by reason, summed over CPUs.
import { Counter, decodeCounter, Reason } from '../abi/event.gen.ts';
import type { BpfObject } from './native.ts';

export interface ReasonCount {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** By enum tt_reason. */
export function readCounters(object: BpfObject): ReasonCount[] {
  const map = object.map('tt_counters');
  const counts = Array.from({ length: Reason.COUNT }, (_, reason) => {
    const value = map.lookup(new Uint8Array(Uint32Array.of(reason).buffer)) ?? new Uint8Array();
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const total = { packets: 0n, bytes: 0n };
    for (let at = 0; at < value.byteLength; at += Counter.SIZE) {
      const { packets, bytes } = decodeCounter(view, at);
      total.packets += packets;
      total.bytes += bytes;
    }
    return total;
  });
  map.close();
  return counts;
}
