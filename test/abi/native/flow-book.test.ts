// The flow ledger over a flow table that the test writes itself: what is told adds up to what is counted, whatever comes first.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventKind, encodeFlowEvent, FlowEvent } from '../../../src/abi/event.gen.ts';
import {
  encodeFlowEntry,
  type Flow,
  FlowBucket,
  FlowDims,
  FlowEntry,
  FlowFlags,
  type FlowKey,
  FlowKind,
  FlowState,
} from '../../../src/abi/flow.gen.ts';
import { decodeFlowReports, type FlowReport } from '../../../src/events/flow-report.ts';
import { type BpfObject, builtFile, type FlowBook, loadNative } from '../../../src/kernel/native.ts';
import { nameInIndex } from '../../support/flow-index.ts';
import { u32 } from './fixture.ts';

const ROOM = 16;
const SLOTS = 4;
const HZ = 100;
const ENTRIES_AT = FlowDims.REGION_HEAD + FlowDims.REGION_BUCKETS * FlowBucket.SIZE;
const ALL = 1000;
const NOW = 1_000_000;
const ALLOW = 1;
const DENY = 2;

function key(port: number): FlowKey {
  const address = (last: number) => ({ word: [0, 0, 0xffff, 0x0a000000 + last] });
  return { address: [address(1), address(2)], port: [port, 53], protocol: 17, kind: FlowKind.PORTS };
}

function flow(packets: number, more: Partial<Flow> = {}): Flow {
  return {
    generation: 1,
    state: FlowState.NEW,
    flags: 0,
    host_reason: 0,
    tcp_flags: 0,
    egress_word: 0x100 | ALLOW,
    ingress_word: 0,
    created_jiffies: BigInt(NOW - 1000),
    seen_jiffies: BigInt(NOW - 10),
    packets: [BigInt(packets), 0n],
    bytes: [BigInt(100 * packets), 0n],
    host_generation: 0,
    host_word: 0,
    told: 0n,
    ...more,
  };
}

describe('FlowBook', () => {
  let logs: BpfObject;
  let book: FlowBook;
  let memory: DataView;

  beforeEach(() => {
    const native = loadNative();
    logs = native.BpfObject.open(builtFile('build/bpf/flow-logs.bpf.o'), {
      maps: {
        tt_flow_told: { maxEntries: FlowDims.REGION_ENTRIES },
        tt_flows: { maxEntries: 1 },
        tt_flow_locks: { maxEntries: 1 },
        tt_flow_cache: { maxEntries: SLOTS * native.probeFeatures().possibleCpus },
      },
      rodata: { tt_cache_slots: u32(SLOTS), tt_flow_regions: u32(1), tt_flow_room: u32(ROOM) },
    });
    memory = new DataView(logs.map('tt_flows').mmap());
    book = openBook();
  });

  afterEach(() => {
    book.close();
    logs.close();
  });

  function openBook(): FlowBook {
    const maps = { flows: logs.map('tt_flows'), cache: logs.map('tt_flow_cache'), told: logs.map('tt_flow_told') };
    return loadNative().FlowBook.open(maps, { regions: 1, room: ROOM, cacheSlots: SLOTS, hz: HZ });
  }

  /** What a place of the table holds; the fingerprint that user space has left there stays. */
  function put(place: number, port: number, value: Flow, deadline = NOW + 10_000): void {
    encodeFlowEntry(memory, ENTRIES_AT + place * FlowEntry.SIZE, {
      key: key(port),
      named_by: nameInIndex(memory, place),
      deadline: deadline >> FlowDims.AGE_SHIFT,
      flow: value,
    });
  }

  function sweep(jiffies = NOW, room = ALL, leavesOut = false): FlowReport[] {
    return decodeFlowReports(book.sweep(0, jiffies, room, leavesOut).reports);
  }

  function chunk(kind: number, place: number, port: number, value: Flow): Uint8Array {
    const bytes = new Uint8Array(4 + FlowEvent.SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, FlowEvent.SIZE, true);
    encodeFlowEvent(view, 4, { jiffies: BigInt(NOW), kind, place, key: key(port), flow: value });
    return bytes;
  }

  function ended(place: number, port: number, value: Flow): FlowReport[] {
    return decodeFlowReports(book.settle(chunk(EventKind.FLOW_ENDED, place, port, value), ALL));
  }

  it('tells what is new of each flow, once', () => {
    put(0, 1, flow(3));
    put(5, 2, flow(1));
    expect(sweep()).toMatchObject([
      { sourcePort: 1, destinationPort: 53, isStart: true, isEnd: false, packets: [3, 0], bytes: [300, 0] },
      { sourcePort: 2, packets: [1, 0] },
    ]);
    expect(sweep()).toEqual([]);
    put(5, 2, flow(4));
    expect(sweep(NOW + 50)).toMatchObject([
      { sourcePort: 2, isStart: false, packets: [3, 0], since: NOW, until: NOW + 50 },
    ]);
  });

  it('tells nothing of a flow that is not named, or that its second end may still be asked about', () => {
    put(0, 1, flow(3, { created_jiffies: BigInt(NOW - 1) }));
    expect(sweep()).toEqual([]);
    expect(sweep(NOW + HZ)).toHaveLength(1);
    put(1, 2, flow(3));
    memory.setUint32(ENTRIES_AT + FlowEntry.SIZE + FlowEntry.OFFSET.named_by, 0, true);
    expect(sweep(NOW + HZ)).toEqual([]);
  });

  it('tells of the end when time is up or a connection is closed, and leaves word that all is told', () => {
    const told = (place: number) =>
      memory.getBigUint64(ENTRIES_AT + place * FlowEntry.SIZE + FlowEntry.OFFSET.flow + 72, true);
    put(0, 1, flow(3), NOW - 10_000);
    put(1, 2, flow(3, { state: FlowState.CLOSED, seen_jiffies: BigInt(NOW - 2 * HZ) }));
    put(2, 3, flow(3));
    expect(sweep().map(({ isEnd }) => isEnd)).toEqual([true, true, false]);
    expect([told(0) !== 0n, told(1) !== 0n, told(2)]).toEqual([true, true, 0n]);
    expect(sweep()).toEqual([]);
  });

  it('tells of counts that come after the end', () => {
    put(0, 1, flow(3), NOW - 10_000);
    sweep();
    put(0, 1, flow(5), NOW - 10_000);
    expect(sweep()).toMatchObject([{ isStart: false, isEnd: false, isLate: true, packets: [2, 0] }]);
  });

  it('settles a flow that went: what nobody was told, and that it has ended', () => {
    put(0, 1, flow(3));
    sweep();
    expect(ended(0, 1, flow(7))).toMatchObject([{ isStart: false, isEnd: true, packets: [4, 0] }]);
    expect(ended(3, 9, flow(2))).toMatchObject([{ isStart: true, isEnd: true, packets: [2, 0] }]);
  });

  it('settles a flow that went before it tells of its successor', () => {
    put(0, 1, flow(3));
    sweep();
    put(0, 2, flow(1));
    expect(sweep()).toEqual([]);
    expect(ended(0, 1, flow(7))).toMatchObject([{ sourcePort: 1, isStart: false, isEnd: true, packets: [4, 0] }]);
    expect(sweep()).toMatchObject([{ sourcePort: 2, isStart: true, packets: [1, 0] }]);
    expect(ended(0, 2, flow(1))).toMatchObject([{ sourcePort: 2, isEnd: true, packets: [0, 0] }]);
  });

  it('settles a flow that went as late as nobody waits for', () => {
    put(0, 1, flow(3));
    sweep();
    put(0, 2, flow(1));
    expect(sweep(NOW + 3 * HZ)).toMatchObject([{ sourcePort: 2, isStart: true, packets: [1, 0] }]);
    expect(ended(0, 1, flow(7))).toMatchObject([{ sourcePort: 1, isStart: false, isEnd: true, packets: [4, 0] }]);
    expect(ended(0, 2, flow(1))).toMatchObject([{ sourcePort: 2, isEnd: true, packets: [0, 0] }]);
  });

  it('settles a flow that went while no book was open, whatever a sweep has met since', () => {
    put(0, 1, flow(3));
    sweep();
    book.close();
    put(0, 2, flow(1));
    book = openBook();
    expect(sweep(NOW + 1000 * HZ)).toEqual([]);
    book.close();
    book = openBook();
    expect(ended(0, 1, flow(7))).toMatchObject([{ sourcePort: 1, isStart: false, isEnd: true, packets: [4, 0] }]);
  });

  it('waits for no word of a flow that the programs know to be told', () => {
    put(0, 1, flow(3), NOW - 10_000);
    expect(sweep()).toMatchObject([{ sourcePort: 1, isEnd: true }]);
    put(0, 2, flow(1));
    expect(sweep()).toMatchObject([{ sourcePort: 2, isStart: true, packets: [1, 0] }]);
  });

  it('tells no count twice that came behind the word of the flow that went', () => {
    put(0, 1, flow(9));
    sweep();
    expect(ended(0, 1, flow(7))).toMatchObject([{ isStart: false, isEnd: true, packets: [0, 0] }]);
  });

  it('does not tell again what a book before it told to the end, and counts what it cannot tell', () => {
    expect(ended(0, 1, flow(7, { told: 5n }))).toEqual([]);
    expect(book.leftOut).toEqual({ reports: 1, packets: 7, bytes: 700 });
  });

  it('tells two flows of one name apart by when they began', () => {
    put(0, 1, flow(3));
    sweep();
    put(0, 1, flow(2, { created_jiffies: BigInt(NOW - 999) }));
    expect(ended(0, 1, flow(5))).toMatchObject([{ isEnd: true, packets: [2, 0] }]);
    expect(sweep()).toMatchObject([{ isStart: true, packets: [2, 0] }]);
  });

  it('waits where counts run backwards: they were not read as a whole', () => {
    put(0, 1, flow(5));
    sweep();
    put(0, 1, flow(3));
    expect(sweep()).toEqual([]);
    put(0, 1, flow(6));
    expect(sweep()).toMatchObject([{ packets: [1, 0] }]);
  });

  it('ends a flow under the policy that it had, and begins it under the next', () => {
    put(0, 1, flow(3));
    sweep();
    put(0, 1, flow(5, { egress_word: 0x200 | ALLOW }));
    expect(sweep()).toMatchObject([
      { isEnd: true, egressWord: 0x100 | ALLOW, packets: [2, 0] },
      { isStart: true, egressWord: 0x200 | ALLOW, packets: [0, 0] },
    ]);
    put(0, 1, flow(6, { egress_word: 0x200 | DENY }));
    expect(sweep()).toMatchObject([{ isEnd: true, egressWord: 0x200 | ALLOW, packets: [1, 0] }]);
    expect(sweep()).toEqual([]);
    put(0, 1, flow(7, { egress_word: 0x200 | ALLOW }));
    expect(sweep().map(({ isStart, packets }) => [isStart, packets[0]])).toEqual([
      [false, 1],
      [true, 0],
    ]);
  });

  describe('of a flow that only hooks of the host have met', () => {
    const host = (packets: number, word: number, more: Partial<Flow> = {}): Flow =>
      flow(packets, { flags: FlowFlags.UNMET, egress_word: 0, host_generation: 1, host_word: word, ...more });
    const tell = (reports: readonly FlowReport[]) =>
      reports.map(({ isStart, isEnd, hostWord, packets }) => [isStart, isEnd, hostWord, packets[0]]);

    it('ends it when the lists of the host deny it, with the word that had allowed it', () => {
      put(0, 1, host(3, 0x100 | ALLOW));
      expect(tell(sweep())).toEqual([[true, false, 0x100 | ALLOW, 3]]);
      put(0, 1, host(5, 0x200 | DENY));
      expect(tell(sweep())).toEqual([[false, true, 0x100 | ALLOW, 2]]);
      expect(sweep()).toEqual([]);
      put(0, 1, host(6, 0x300 | ALLOW));
      expect(tell(sweep())).toEqual([
        [false, false, 0x100 | ALLOW, 1],
        [true, false, 0x300 | ALLOW, 0],
      ]);
    });

    it('ends it under one list and begins it under the next, or under none', () => {
      put(0, 1, host(3, 0x100 | ALLOW));
      sweep();
      put(0, 1, host(5, 0x200 | ALLOW));
      expect(tell(sweep())).toEqual([
        [false, true, 0x100 | ALLOW, 2],
        [true, false, 0x200 | ALLOW, 0],
      ]);
      put(0, 1, host(6, 0));
      expect(tell(sweep())).toEqual([
        [false, true, 0x200 | ALLOW, 1],
        [true, false, 0, 0],
      ]);
      put(0, 1, host(8, 0));
      expect(tell(sweep())).toEqual([[false, false, 0, 2]]);
    });

    it('tells nothing of it that was denied before anybody counted', () => {
      put(0, 1, host(3, 0x200 | DENY));
      book.adopt();
      expect(sweep()).toEqual([]);
      put(0, 1, host(4, 0x100 | ALLOW));
      expect(tell(sweep()).at(-1)).toEqual([true, false, 0x100 | ALLOW, 0]);
    });

    it('leaves one alone that a workload has met too: that one ends where its own hook denies', () => {
      put(0, 1, flow(3, { host_word: 0x100 | ALLOW }));
      sweep();
      put(0, 1, flow(5, { host_word: 0x200 | DENY }));
      expect(sweep()).toMatchObject([{ isStart: false, isEnd: false, egressWord: 0x100 | ALLOW, packets: [2, 0] }]);
    });
  });

  it('takes an end that is judged later as part of the same flow', () => {
    put(0, 1, flow(3));
    sweep();
    put(0, 1, flow(5, { ingress_word: 0x300 | ALLOW }));
    expect(sweep()).toMatchObject([{ isStart: false, isEnd: false, ingressWord: 0x300 | ALLOW, packets: [2, 0] }]);
  });

  it('goes on where the book before it ended, and can take all as told', () => {
    put(0, 1, flow(3));
    sweep();
    book.close();
    put(0, 1, flow(4));
    put(1, 2, flow(1));
    book = openBook();
    expect(sweep().map(({ packets }) => packets[0])).toEqual([1, 1]);
    put(1, 2, flow(9));
    book.adopt();
    expect(sweep()).toEqual([]);
  });

  it('hands out what fits, and goes on from there; or counts the rest', () => {
    for (let place = 0; place < 10; place += 1) put(place, 1 + place, flow(1));
    const first = book.sweep(0, NOW, 4, false);
    expect([decodeFlowReports(first.reports).length, first.isDone]).toEqual([4, false]);
    const second = book.sweep(first.next, NOW, 4, true);
    expect([decodeFlowReports(second.reports).length, second.isDone]).toEqual([4, true]);
    expect(book.leftOut).toEqual({ reports: 2, packets: 2, bytes: 200 });
    expect(sweep()).toEqual([]);
  });

  it('tells of counts of the flow cache whose flow is gone', () => {
    const counts = chunk(EventKind.FLOW_COUNTS, 0, 4, flow(6, { ingress_word: 0x300 | ALLOW }));
    expect(decodeFlowReports(book.settle(counts, ALL))).toMatchObject([
      { sourcePort: 4, isLate: true, packets: [6, 0], ingressWord: 0x300 | ALLOW },
    ]);
  });

  it('reads no further than a chunk, a record or the table goes', () => {
    const whole = chunk(EventKind.FLOW_ENDED, 0, 1, flow(1));
    for (let length = 0; length < whole.length; length += 1) book.settle(whole.subarray(0, length), ALL);
    expect(ended(1_000_000, 1, flow(1))).toEqual([]);
  });

  it('refuses maps of another shape, and work after its end', () => {
    const maps = { flows: logs.map('tt_flows'), cache: logs.map('tt_flow_cache'), told: logs.map('tt_flow_told') };
    const open = loadNative().FlowBook.open.bind(loadNative().FlowBook);
    const shape = { regions: 1, room: ROOM, cacheSlots: SLOTS, hz: HZ };
    expect(() => open({ ...maps, flows: maps.cache }, shape)).toThrow(RangeError);
    expect(() => open(maps, { ...shape, regions: 2 })).toThrow(RangeError);
    expect(() => open(maps, { ...shape, room: 10_000 })).toThrow(RangeError);
    book.close();
    expect(() => book.adopt()).toThrow('FlowBook is closed');
  });
});
