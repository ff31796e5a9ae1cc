// The kernel's clocks, and its jiffies per second, measured: not every kernel tells its CONFIG_HZ.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClockReading, decodeClockReading } from '../abi/event.gen.ts';
import type { BpfMap, BpfObject, BpfProgram } from './native.ts';

/** Values that Linux can be built with (kernel/Kconfig.hz, and 1024 and others of single architectures). */
const KNOWN_HZ = [24, 48, 100, 128, 250, 256, 300, 500, 512, 1000, 1024, 1200];
const SPAN_MS = 120;

/** Both of the kernel's clocks. It is asked often, and where no descriptors are left too: it keeps the two that it needs. */
export class KernelClock {
  readonly #program: BpfProgram;
  readonly #map: BpfMap;

  private constructor(program: BpfProgram, map: BpfMap) {
    this.#program = program;
    this.#map = map;
  }

  /** Of an object that has the programs of bpf/stages/clock.h. Throws KERNEL. */
  static of(object: BpfObject): KernelClock {
    const program = object.program('tt_clock');
    try {
      return new KernelClock(program, object.map('tt_clocks'));
    } catch (error) {
      program.close();
      throw error;
    }
  }

  read(): ClockReading {
    this.#program.testRun({ data: new Uint8Array(64) });
    const value = this.#map.lookup(new Uint8Array(4)) as Uint8Array;
    return decodeClockReading(new DataView(value.buffer, value.byteOffset), 0);
  }

  /** Jiffies per second: reads twice. */
  async measureHz(): Promise<number> {
    const first = this.read();
    await sleep(SPAN_MS);
    const second = this.read();
    const perSecond = Number(second.jiffies - first.jiffies) / (Number(second.monotonic_ns - first.monotonic_ns) / 1e9);
    return KNOWN_HZ.reduce((best, hz) => (Math.abs(hz - perSecond) < Math.abs(best - perSecond) ? hz : best));
  }

  close(): void {
    this.#program.close();
    this.#map.close();
  }
}
