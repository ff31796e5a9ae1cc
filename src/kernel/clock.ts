// Jiffies per second of the running kernel, measured: not every kernel tells its CONFIG_HZ.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClockReading, decodeClockReading } from '../abi/event.gen.ts';
import type { BpfObject } from './native.ts';

/** Values that Linux can be built with (kernel/Kconfig.hz, and 1024 and others of single architectures). */
const KNOWN_HZ = [24, 48, 100, 128, 250, 256, 300, 500, 512, 1000, 1024, 1200];
const SPAN_MS = 120;

/** Reads both of the kernel's clocks twice. */
export async function measureHz(object: BpfObject): Promise<number> {
  const first = readClock(object);
  await sleep(SPAN_MS);
  const second = readClock(object);
  const perSecond = Number(second.jiffies - first.jiffies) / (Number(second.monotonic_ns - first.monotonic_ns) / 1e9);
  return KNOWN_HZ.reduce((best, hz) => (Math.abs(hz - perSecond) < Math.abs(best - perSecond) ? hz : best));
}

/** Both of the kernel's clocks, now. It is asked often: descriptors do not wait for the garbage collector. */
export function readClock(object: BpfObject): ClockReading {
  const program = object.program('tt_clock');
  const map = object.map('tt_clocks');
  try {
    program.testRun({ data: new Uint8Array(64) });
    const value = map.lookup(new Uint8Array(4)) as Uint8Array;
    return decodeClockReading(new DataView(value.buffer, value.byteOffset), 0);
  } finally {
    program.close();
    map.close();
  }
}
