import { mkdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BpfObject } from '../../native/index.d.ts';
import { FlowFlags } from '../../src/abi/flow.gen.ts';
import { encodeHostInterface, HostFlags, HostInterface } from '../../src/abi/host.gen.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { tcp } from '../support/packets/transport.ts';
import { u32, viewOf } from './support/encoding.ts';
import { ETH0, ETH1 } from './support/host-topology.ts';
import { Machine } from './support/machine.ts';
import { withPins } from './support/shared-maps.ts';
import { OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const PINS = `/sys/fs/bpf/tortie-late-${process.pid}`;
const SLOTS = 256;
/** Of a program at FORWARD, for IPv4. */
const CONTEXT = Uint8Array.of(2, 2, ...new Array<number>(46).fill(0));

const syn = (from: string, to: string, sourcePort: number, destinationPort: number) =>
  packet(from, to, tcp({ sourcePort, destinationPort, flags: ['syn'] }));
const THERE = syn(WEB.v4 as string, OUTSIDE.v4, 1000, 80);
const BACK = syn(OUTSIDE.v4, WEB.v4 as string, 80, 1000);

describe('a SYN at a hook of the host', () => {
  let machine: Machine;
  let object: BpfObject;

  beforeAll(() => {
    mkdirSync(PINS, { recursive: true });
    machine = new Machine([WEB], { pins: PINS });
    const sized = ['tt_heap', 'tt_v6_nodes', 'tt_flows', 'tt_flow_locks', 'tt_flow_cache', 'tt_events'];
    const sizes = Object.fromEntries(sized.map((name) => [name, { maxEntries: machine.map(name).info.maxEntries }]));
    const numbers = {
      tt_host_slots: SLOTS,
      tt_is_test: 1,
      tt_flow_regions: 1,
      tt_flow_room: 1024,
      tt_cache_slots: 256,
    };
    object = loadNative().BpfObject.open(builtFile('build/bpf/test/late.bpf.o'), {
      maps: { ...withPins(sizes, PINS), tt_host_ifaces: { maxEntries: SLOTS + 1 } },
      rodata: Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, u32(value)])),
    });
    const row = new Uint8Array(HostInterface.SIZE);
    const lists = { flags: HostFlags.ANY_FORWARD, id: [0, 0, 0, 0] };
    encodeHostInterface(viewOf(row), 0, { ifindex: 0, lists: [lists, lists] });
    new Uint8Array(object.map('tt_host_ifaces').mmap(), SLOTS * HostInterface.SIZE).set(row);
    new Uint32Array(object.map('late.bss').mmap()).set([ETH0, ETH1]);
    machine.publish(openPolicy());
  });
  beforeEach(() => machine.forgetFlows());
  afterAll(() => {
    object?.close();
    machine?.close();
    rmSync(PINS, { recursive: true, force: true });
  });

  const run = (program: 'tt_forward' | 'tt_late', data: Uint8Array): string =>
    machine.observe(() => {
      object.program(program).testRun({ data, context: CONTEXT, repeat: 1 });
    }).reason;
  const flags = (): number => machine.onlyFlow().flags & (FlowFlags.UNMET | FlowFlags.FROM_HIGH);

  it('starts over, the other way round, what no workload has met', () => {
    expect(run('tt_forward', THERE)).toBe('ALLOWED_UNPOLICED');
    const before = flags();
    expect(before & FlowFlags.UNMET).toBe(FlowFlags.UNMET);
    expect(run('tt_late', BACK)).toBe('ALLOWED_UNPOLICED');
    expect(flags()).toBe(before ^ FlowFlags.FROM_HIGH);
  });

  it('leaves alone what a workload has met since it looked', () => {
    expect(run('tt_forward', THERE)).toBe('ALLOWED_UNPOLICED');
    expect(machine.at(WEB.id).from(THERE).reason).toBe('ALLOWED_NEW');
    const met = machine.onlyFlow();
    expect(met.flags & FlowFlags.UNMET).toBe(0);
    expect(run('tt_late', BACK)).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow()).toEqual(met);
  });
});
