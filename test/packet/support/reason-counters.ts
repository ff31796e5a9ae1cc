// What a Machine's programs counted by reason, and which reasons a run moved.
import type { BpfMap } from '../../../native/index.d.ts';
import { Counter, decodeCounter, Reason } from '../../../src/abi/event.gen.ts';
import { u32, viewOf } from './encoding.ts';

/** Counters that say nothing of a packet's way. */
const NO_VERDICTS: ReadonlySet<number> = new Set([
  Reason.EVENT_LOST,
  Reason.EVENT_SUPPRESSED,
  Reason.FLOW_EVICTED,
  Reason.RESET_SENT,
  Reason.RESET_LOST,
]);

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Reason).map(([name, value]) => [value, name]),
);

export class ReasonCounters {
  readonly #map: BpfMap;

  constructor(map: BpfMap) {
    this.#map = map;
  }

  /** Of all CPUs. */
  of(reason: number): { readonly packets: bigint; readonly bytes: bigint } {
    const value = this.#map.lookup(u32(reason)) as Uint8Array;
    const view = viewOf(value);
    let packets = 0n;
    let bytes = 0n;
    for (let at = 0; at < value.length; at += Counter.SIZE) {
      const counter = decodeCounter(view, at);
      packets += counter.packets;
      bytes += counter.bytes;
    }
    return { packets, bytes };
  }

  /** Names of those that count packets while it runs, lost and suppressed events aside; a space between. */
  movedBy(run: () => void): string {
    const before = this.#packets();
    run();
    const moved = this.#packets().flatMap((count, reason) =>
      count === before[reason] ? [] : [NAMES[reason] ?? String(reason)],
    );
    return moved.join(' ');
  }

  /** By reason. All in one go: it is asked twice for each packet. */
  #packets(): bigint[] {
    const { values, count } = this.#map.entries();
    const view = viewOf(values);
    const bytes = values.length / count;
    return Array.from({ length: count }, (_, reason) => {
      if (NO_VERDICTS.has(reason)) return 0n;
      let packets = 0n;
      for (let at = reason * bytes; at < (reason + 1) * bytes; at += Counter.SIZE) {
        packets += view.getBigUint64(at + Counter.OFFSET.packets, true);
      }
      return packets;
    });
  }
}
