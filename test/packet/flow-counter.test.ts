// Who counts flows first takes what is there as told, and whoever comes next goes on from there, whatever ended in between.
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFlowEntry, FlowBucket, FlowDims, FlowEntry, FlowKind } from '../../src/abi/flow.gen.ts';
import { decodeFlowReports } from '../../src/events/flow-report.ts';
import { type FlowCounter, FlowCounting } from '../../src/kernel/flow-counter.ts';
import type { BpfObject } from '../../src/kernel/native.ts';
import { DEFAULT_MAP_SIZES, loadObject } from '../../src/kernel/object.ts';
import { FLOW_TOLD_MAP, Pins } from '../../src/kernel/pins.ts';
import { BpffsMount } from '../abi/native/fixture.ts';
import { nameInIndex } from '../support/flow-index.ts';

const HZ = 250;
const SIZES = { ...DEFAULT_MAP_SIZES, flows: 64, flowCache: 16, endpoints: 64, heapWords: 65536, v6Nodes: 16 };
const ENTRIES_AT = FlowDims.REGION_HEAD + FlowDims.REGION_BUCKETS * FlowBucket.SIZE;
const ADDRESS = { word: [0, 0, 0xffff, 0x0a000001] };

describe('counting flows', () => {
  let bpffs: BpffsMount;
  let pins: Pins;
  let object: BpfObject;
  let table: DataView;
  let now: number;

  beforeEach(() => {
    bpffs = new BpffsMount();
    pins = new Pins(bpffs.file('tortie'));
    pins.create(bpffs.path);
    object = loadObject('workload', SIZES, pins);
    table = new DataView(object.map('tt_flows').mmap());
    now = 1_000_000;
  });

  afterEach(() => {
    object.close();
    bpffs.close();
  });

  const open = (hz = HZ): FlowCounter => new FlowCounting(pins, SIZES, hz).open();

  function put(place: number, packets: number): void {
    encodeFlowEntry(table, ENTRIES_AT + place * FlowEntry.SIZE, {
      key: { address: [ADDRESS, ADDRESS], port: [place, 53], protocol: 17, kind: FlowKind.PORTS },
      named_by: nameInIndex(table, place),
      deadline: (now + 100 * HZ) >> FlowDims.AGE_SHIFT,
      flow: {
        generation: 1,
        state: 0,
        flags: 0,
        host_reason: 0,
        tcp_flags: 0,
        egress_word: 0x101,
        ingress_word: 0,
        created_jiffies: BigInt(now - 10 * HZ),
        seen_jiffies: BigInt(now),
        packets: [BigInt(packets), 0n],
        bytes: [BigInt(packets), 0n],
        host_generation: 0,
        host_word: 0,
        told: 0n,
      },
    });
  }

  function sweep(counter: FlowCounter): number[] {
    const parts = [...counter.sweep({ jiffies: now, hz: HZ }, 1000)];
    return parts.flatMap((part) => decodeFlowReports(part)).map(({ packets }) => packets[0]);
  }

  it('begins behind what flows have counted before, and goes on from there', () => {
    put(0, 5);
    const first = open();
    expect(sweep(first)).toEqual([]);
    put(0, 7);
    expect(sweep(first)).toEqual([2]);
    first.close();
    put(0, 8);
    put(1, 1);
    const second = open();
    expect(sweep(second)).toEqual([1, 1]);
    second.close();
  });

  it('begins there too when the first who tried came to nothing', () => {
    put(0, 5);
    expect(() => open(0)).toThrow('shape is not that of a flow table');
    expect(existsSync(pins.map(FLOW_TOLD_MAP))).toBe(false);
    const counter = open();
    expect(sweep(counter)).toEqual([]);
    expect(existsSync(pins.map(FLOW_TOLD_MAP))).toBe(true);
    counter.close();
  });

  it('begins anew where nobody has counted for a while', () => {
    open().close();
    put(0, 5);
    new FlowCounting(pins, SIZES, HZ).forget();
    const counter = open();
    expect(sweep(counter)).toEqual([]);
    counter.close();
  });
});
