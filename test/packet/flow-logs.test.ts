// What is told of flows is what packets were: each is in one report, whatever becomes of its flow and of its slot in the cache.
import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BpfObject, FlowBook } from '../../native/index.d.ts';
import { EventKind } from '../../src/abi/event.gen.ts';
import { FlowDims } from '../../src/abi/flow.gen.ts';
import { StateFlags } from '../../src/abi/heap.gen.ts';
import { decodeFlowReports, type FlowReport } from '../../src/events/flow-report.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { BpffsMount } from '../abi/native/fixture.ts';
import { type Segment, tcp, udp } from '../support/packets/transport.ts';
import { u32 } from './support/encoding.ts';
import { Machine } from './support/machine.ts';
import { withPins } from './support/shared-maps.ts';
import { DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const ROOM = 16;
const CACHE_SLOTS = 256;
const HZ = 1_000_000;
const ALL = 100_000;

const query = (port: number, size = 0): Segment =>
  udp({ sourcePort: port, destinationPort: 53, payload: new Uint8Array(size) });
const answer = (port: number): Segment => udp({ sourcePort: 53, destinationPort: port });

interface Sum {
  packets: number;
  bytes: number;
}

describe('flow logs', () => {
  let bpffs: BpffsMount;
  let machine: Machine;
  let logs: BpfObject;
  let book: FlowBook;
  let told: FlowReport[];
  let sent: Sum;

  beforeEach(() => {
    bpffs = new BpffsMount();
    const pins = bpffs.file('maps');
    mkdirSync(pins);
    machine = new Machine([WEB, DB], { flows: ROOM, flags: StateFlags.FLOW_LOGS, pins });
    const rodata = { tt_cache_slots: u32(CACHE_SLOTS), tt_flow_regions: u32(1), tt_flow_room: u32(ROOM) };
    const cpus = loadNative().probeFeatures().possibleCpus;
    const maps = withPins(
      {
        tt_flow_told: { maxEntries: FlowDims.REGION_ENTRIES },
        tt_flows: { maxEntries: 1 },
        tt_flow_locks: { maxEntries: 1 },
        tt_flow_cache: { maxEntries: CACHE_SLOTS * cpus },
        tt_events: { maxEntries: 65536 },
      },
      pins,
    );
    const { tt_heap: _, tt_v6_nodes: __, ...shared } = maps;
    logs = loadNative().BpfObject.open(builtFile('build/bpf/flow-logs.bpf.o'), { maps: shared, rodata });
    book = openBook();
    machine.publish(openPolicy());
    machine.at(WEB.id);
    told = [];
    sent = { packets: 0, bytes: 0 };
  });

  afterEach(() => {
    book.close();
    logs.close();
    machine.close();
    bpffs.close();
  });

  function openBook(): FlowBook {
    const maps = {
      flows: machine.map('tt_flows'),
      cache: machine.map('tt_flow_cache'),
      told: logs.map('tt_flow_told'),
    };
    return loadNative().FlowBook.open(maps, { regions: 1, room: ROOM, cacheSlots: CACHE_SLOTS, hz: HZ });
  }

  /** Later than any flow of now is young, and before any ends. */
  function soon(): number {
    return Number(machine.clock().jiffies) + HZ / 10;
  }

  function tell(reports: Uint8Array): FlowReport[] {
    const decoded = decodeFlowReports(reports);
    told.push(...decoded);
    return decoded;
  }

  function sweep(jiffies = soon()): FlowReport[] {
    return tell(book.sweep(0, jiffies, ALL, false).reports);
  }

  function flush(): number {
    return book.flush(logs.program('tt_flush_cache'), soon()).flushed;
  }

  /** One packet that passes; what it makes the programs tell of flows is taken. */
  function send(segment: Segment, hook: 'from' | 'to' = 'from'): FlowReport[] {
    const web = WEB.v4 as string;
    const data = hook === 'from' ? packet(web, OUTSIDE.v4, segment) : packet(OUTSIDE.v4, web, segment);
    const { reason } = machine[hook](data);
    expect(reason).toMatch(/^ALLOWED/);
    sent.packets += 1;
    sent.bytes += data.length - 14;
    return tell(book.settle(machine.lastChunk, ALL));
  }

  function sumOf(reports: readonly FlowReport[]): Sum {
    const sum = { packets: 0, bytes: 0 };
    for (const { packets, bytes } of reports) {
      sum.packets += packets[0] + packets[1];
      sum.bytes += bytes[0] + bytes[1];
    }
    return sum;
  }

  it('tell what is new of a flow, once', () => {
    send(query(1));
    send(query(1));
    send(answer(1), 'to');
    expect(sweep()).toMatchObject([
      { sourcePort: 1, destinationPort: 53, isStart: true, isEnd: false, packets: [2, 1] },
    ]);
    expect(sweep()).toEqual([]);
    machine.ageCache(1);
    send(query(1));
    expect(sweep()).toMatchObject([{ isStart: false, packets: [1, 0] }]);
  });

  it('leave a flow alone while its other end may still be asked', () => {
    send(query(1));
    expect(sweep(Number(machine.clock().jiffies))).toEqual([]);
    expect(sweep()).toHaveLength(1);
  });

  it('tell of a flow that loses its place before anybody has looked', () => {
    for (let port = 1; port <= ROOM; port += 1) expect(send(query(port, port))).toEqual([]);
    expect(send(query(100))).toMatchObject([{ isStart: true, isEnd: true, packets: [1, 0] }]);
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  it('tell of a flow that loses its place only what is new', () => {
    for (let port = 1; port <= ROOM; port += 1) send(query(port));
    sweep();
    for (let port = 1; port <= ROOM; port += 1) send(query(port));
    expect(send(query(100))).toMatchObject([{ isStart: false, isEnd: true, packets: [1, 0] }]);
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  it('know what they told of a flow when the sweep has met its successor first', () => {
    for (let port = 1; port <= ROOM; port += 1) send(query(port));
    sweep();
    const web = WEB.v4 as string;
    machine.from(packet(web, OUTSIDE.v4, query(100)));
    const chunk = machine.lastChunk;
    expect(sweep()).toEqual([]);
    expect(sweep(soon() + 3 * HZ)).toMatchObject([{ sourcePort: 100, isStart: true }]);
    expect(tell(book.settle(chunk, ALL))).toMatchObject([{ isEnd: true, packets: [0, 0] }]);
  });

  it('tell nothing twice when they end between a flow that goes and the word of it', () => {
    for (let port = 1; port <= ROOM; port += 1) send(query(port));
    sweep();
    sendUnread(query(100));
    const chunk = machine.lastChunk;
    sweep();
    book.close();
    book = openBook();
    sweep();
    expect(tell(book.settle(chunk, ALL))).toMatchObject([{ isStart: false, isEnd: true, packets: [0, 0] }]);
    expect(sweep()).toMatchObject([{ sourcePort: 100, isStart: true, packets: [1, 0] }]);
    expect(sumOf(told)).toEqual(sent);
  });

  it('tell of no flow that an earlier packet left behind in its place', () => {
    for (let port = 1; port <= ROOM; port += 1) send(query(port));
    expect(send(query(100))).toHaveLength(1);
    const places = machine.map('tt_packets');
    const stale = places.lookup(u32(0)) as Uint8Array;
    send(query(101));
    places.update(u32(0), stale, 0);
    expect(send(query(102))).toMatchObject([{ isEnd: true, packets: [1, 0] }]);
    machine.clearFlowTable();
    places.update(u32(0), stale, 0);
    expect(send(query(103))).toEqual([]);
  });

  it('send nothing for a flow of which the end was told', () => {
    for (let port = 1; port <= ROOM; port += 1) send(query(port));
    const ended = sweep(soon() + 61 * HZ);
    expect(ended.map(({ isStart, isEnd }) => isStart && isEnd)).toEqual(Array(ROOM).fill(true));
    for (let port = 101; port <= 100 + ROOM; port += 1) {
      expect(send(query(port))).toEqual([]);
      // A flow that opened, and no word of the other.
      expect(machine.lastChunk.byteLength).toBeLessThan(100);
    }
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  it('tell of a connection that starts over under the same name as of two', () => {
    const call = (...flags: ('syn' | 'ack' | 'rst')[]): Segment => tcp({ sourcePort: 9, destinationPort: 80, flags });
    send(call('syn'));
    sweep();
    send(call('rst'));
    expect(send(call('syn'))).toMatchObject([{ isEnd: true, packets: [1, 0], tcpFlags: 6 }]);
    expect(sweep()).toMatchObject([{ isStart: true, packets: [1, 0] }]);
    expect(sumOf(told)).toEqual(sent);
  });

  it('bring to the table what waits in the flow cache for a packet that does not come', () => {
    for (let round = 0; round < 10; round += 1) send(query(1));
    expect(flush()).toBe(0);
    machine.ageFlows(3);
    expect(sweep()).toMatchObject([{ packets: [2, 0] }]);
    expect(flush()).toBe(1);
    expect(sweep()).toMatchObject([{ packets: [8, 0] }]);
    expect(flush()).toBe(0);
    expect(sumOf(told)).toEqual(sent);
  });

  it('tell of counts in the flow cache whose flow is gone', () => {
    for (let round = 0; round < 10; round += 1) send(query(1));
    for (let port = 101; port <= 100 + ROOM; port += 1) send(query(port));
    expect(sumOf(told)).toMatchObject({ packets: 2 });
    machine.ageCache(3);
    expect(flush()).toBe(1);
    machine.drainEvents();
    expect(tell(book.settle(machine.lastChunk, ALL))).toMatchObject([
      { sourcePort: 1, destinationPort: 53, isLate: true, packets: [8, 0] },
    ]);
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  it('tell of such counts with the ends as they were, whichever of them had opened the flow', () => {
    for (let round = 0; round < 10; round += 1) send(query(1), 'to');
    for (let port = 101; port <= 100 + ROOM; port += 1) send(query(port));
    expect(late()).toMatchObject([{ sourcePort: 1, destinationPort: 53, isLate: true, packets: [8, 0] }]);
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  it('give no flow what waited in the flow cache of an earlier one of its name', () => {
    for (let round = 0; round < 10; round += 1) send(query(1));
    machine.ageFlows(61);
    expect(send(answer(1), 'to')).toMatchObject([{ sourcePort: 1, isEnd: true, packets: [2, 0] }]);
    expect(late()).toMatchObject([{ sourcePort: 1, isLate: true, packets: [8, 0] }]);
    expect(sweep()).toMatchObject([{ sourcePort: 53, isStart: true, packets: [1, 0] }]);
    expect(sumOf(told)).toEqual(sent);
  });

  it('tell a flow that starts over from the one before, though no time has passed', () => {
    const call = (...flags: ('syn' | 'rst')[]): Segment => tcp({ sourcePort: 9, destinationPort: 80, flags });
    send(call('syn'));
    send(call('rst'));
    // Opened later than now, as a clock that has not moved would have it.
    machine.ageFlows(-1);
    const before = machine.onlyFlow().created_jiffies;
    send(call('syn'));
    expect(machine.onlyFlow().created_jiffies).toBe(before + 1n);
  });

  it('leave a slot of the flow cache alone that still answers, whoever lists it', () => {
    for (let round = 0; round < 10; round += 1) send(query(1));
    const waiting = machine.cached();
    const [place = 0] = machine.cachePlaces();
    for (let cpu = 0; cpu < loadNative().probeFeatures().possibleCpus; cpu += 1) {
      const data = new Uint8Array(16 + 32 * 4).fill(0xff);
      data.set(u32(cpu * CACHE_SLOTS + place), 16);
      logs.program('tt_flush_cache').testRun({ data });
    }
    expect(machine.cached()).toEqual(waiting);
  });

  /** What is told of counts whose flow is gone, when their slots have grown old. */
  function late(): FlowReport[] {
    machine.ageCache(3);
    expect(flush()).toBe(1);
    machine.drainEvents();
    return tell(book.settle(machine.lastChunk, ALL));
  }

  it('go on where the last one ended', () => {
    for (let port = 1; port <= 4; port += 1) send(query(port));
    sweep();
    book.close();
    for (let port = 3; port <= 6; port += 1) sendUnread(query(port));
    book = openBook();
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  /** While nobody reads. */
  function sendUnread(segment: Segment): void {
    const data = packet(WEB.v4 as string, OUTSIDE.v4, segment);
    machine.from(data);
    sent.packets += 1;
    sent.bytes += data.length - 14;
  }

  it('count every packet once, whatever the order of packets, sweeps and flushes', () => {
    let state = 12345;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % below;
    };
    for (let step = 0; step < 3000; step += 1) {
      const port = 1 + next(40);
      if (next(3) === 0) send(query(port, next(100)));
      else send(query(1 + next(6)));
      if (next(20) === 0) sweep();
      if (next(50) === 0) machine.ageCache(1 + next(3));
      if (next(60) === 0) {
        flush();
        machine.drainEvents();
        tell(book.settle(machine.lastChunk, ALL));
      }
    }
    machine.ageCache(3);
    flush();
    machine.drainEvents();
    tell(book.settle(machine.lastChunk, ALL));
    sweep();
    expect(sumOf(told)).toEqual(sent);
  });

  it('count what they have no room to report', () => {
    for (let port = 1; port <= 10; port += 1) send(query(port));
    expect(tell(book.sweep(0, soon(), 4, true).reports)).toHaveLength(4);
    expect(book.leftOut).toEqual({ reports: 6, packets: 6, bytes: 6 * 28 });
    expect(sweep()).toEqual([]);
  });

  it('make the programs say nothing while they are off', () => {
    machine.publish(openPolicy(), 0);
    for (let port = 1; port <= 2 * ROOM; port += 1) {
      send(query(port));
      const view = new DataView(machine.lastChunk.buffer);
      expect(machine.lastChunk.byteLength).toBeLessThan(100);
      expect(view.getUint8(4 + 8)).toBe(EventKind.NEW_FLOW);
    }
  });
});
