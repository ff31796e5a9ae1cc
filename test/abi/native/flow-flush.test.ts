// What waits in flow caches for packets that do not come is brought to the table, CPU by CPU, as far as this process may go.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CachedFlow, encodeCachedFlow, FlowDims, FlowKind } from '../../../src/abi/flow.gen.ts';
import { type BpfObject, builtFile, type FlowBook, loadNative } from '../../../src/kernel/native.ts';
import { u32 } from './fixture.ts';

const SLOTS = 4;
const HZ = 100;
const JIFFIES = 2 ** 40;
const SLOT: CachedFlow = {
  source: { word: [0, 0, 0xffff, 0x0a000001] },
  destination: { word: [0, 0, 0xffff, 0x0a000002] },
  source_port: 1,
  destination_port: 53,
  protocol: 17,
  kind: FlowKind.PORTS,
  hook: 0,
  reply: 0,
  ifindex: 1,
  stamp: 1,
  target: 0,
  target_slot: 0,
  link: 1n,
  synced_jiffies: 5n,
  packets: 7n,
  bytes: 700n,
  egress_word: 0x101,
  ingress_word: 0,
};

describe('FlowBook.flush', () => {
  const cpus = loadNative().probeFeatures().possibleCpus;
  let logs: BpfObject;
  let book: FlowBook;
  let cache: DataView;

  beforeEach(() => {
    logs = loadNative().BpfObject.open(builtFile('build/bpf/flow-logs.bpf.o'), {
      maps: {
        tt_flow_told: { maxEntries: FlowDims.REGION_ENTRIES },
        tt_flows: { maxEntries: 1 },
        tt_flow_locks: { maxEntries: 1 },
        // As if there were one CPU more.
        tt_flow_cache: { maxEntries: SLOTS * (cpus + 1) },
      },
      rodata: { tt_cache_slots: u32(SLOTS), tt_flow_regions: u32(1), tt_flow_room: u32(16) },
    });
    cache = new DataView(logs.map('tt_flow_cache').mmap());
    book = openBook(SLOTS);
  });

  afterEach(() => {
    book.close();
    logs.close();
  });

  function openBook(cacheSlots: number): FlowBook {
    const maps = { flows: logs.map('tt_flows'), cache: logs.map('tt_flow_cache'), told: logs.map('tt_flow_told') };
    return loadNative().FlowBook.open(maps, { regions: 1, room: 16, cacheSlots, hz: HZ });
  }

  function put(index: number, value: CachedFlow = SLOT): void {
    encodeCachedFlow(cache, index * CachedFlow.SIZE, value);
  }

  function waitsAt(index: number): bigint {
    return cache.getBigUint64(index * CachedFlow.SIZE + CachedFlow.OFFSET.packets, true);
  }

  /** CPUs where this thread may run. */
  function allowed(): string | undefined {
    return /^Cpus_allowed:.*$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[0];
  }

  it('empties slots whose flow is not there, and leaves those that still answer', () => {
    put(0);
    put(1, { ...SLOT, synced_jiffies: BigInt(JIFFIES - HZ) });
    expect(book.flush(logs.program('tt_flush_cache'), JIFFIES)).toEqual({ flushed: 1, waiting: 0 });
    expect([waitsAt(0), waitsAt(1)]).toEqual([0n, 7n]);
  });

  it('empties those of every CPU, and says which wait for one that is not there; this thread stays where it may be', () => {
    const before = allowed();
    for (let cpu = 0; cpu <= cpus; cpu += 1) put(cpu * SLOTS + 1);
    expect(book.flush(logs.program('tt_flush_cache'), JIFFIES)).toEqual({ flushed: cpus, waiting: 1 });
    expect(waitsAt(cpus * SLOTS + 1)).toBe(7n);
    expect(allowed()).toBe(before);
  });

  it('empties as many as there are', () => {
    book.close();
    book = openBook(1);
    expect(book.flush(logs.program('tt_flush_cache'), JIFFIES)).toEqual({ flushed: 0, waiting: 0 });
    for (let index = 0; index < SLOTS * cpus; index += 1) put(index);
    book.close();
    book = openBook(SLOTS);
    expect(book.flush(logs.program('tt_flush_cache'), JIFFIES)).toEqual({ flushed: SLOTS * cpus, waiting: 0 });
  });

  it('counts as waiting what the program finds to be of another CPU', () => {
    book.close();
    book = openBook(SLOTS / 2);
    put(0);
    put(SLOTS / 2);
    expect(book.flush(logs.program('tt_flush_cache'), JIFFIES)).toEqual({ flushed: 1, waiting: 1 });
    expect([waitsAt(0), waitsAt(SLOTS / 2)]).toEqual([0n, 7n]);
  });

  it('empties none by a program that is gone, and this thread stays where it may be', () => {
    put(0);
    const before = allowed();
    const closed = logs.program('tt_flush_cache');
    closed.close();
    expect(() => book.flush(closed, JIFFIES)).toThrow('closed');
    expect(allowed()).toBe(before);
    expect(waitsAt(0)).toBe(7n);
  });
});
