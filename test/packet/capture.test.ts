import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CaptureBits, CaptureCounts, decodeCaptureCounts, encodeCaptureSettings } from '../../src/abi/capture.gen.ts';
import { EndpointFlags } from '../../src/abi/endpoint.gen.ts';
import { type CapturedPacket, decodePackets } from '../../src/events/packet.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { ETHERNET_BYTES, macBytes } from '../support/packets/ethernet.ts';
import { udp } from '../support/packets/transport.ts';
import { viewOf } from './support/encoding.ts';
import { Machine } from './support/machine.ts';
import { type Rule, wordOf } from './support/tables.ts';
import { API, DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const [web, db, api] = [WEB.v4, DB.v4, API.v4] as [string, string, string];
const denied: Rule = { endpoint: WEB.id, direction: 'egress', l4: 'udp:54', cell: 'deny', traceId: 41 };
const barred: Rule = { endpoint: API.id, direction: 'ingress', l4: 'udp:55', cell: 'deny', traceId: 42 };
const READY = EndpointFlags.READY;
const { ALLOWED, DENIED, BOTH } = CaptureBits;

let machine: Machine;
beforeAll(() => {
  machine = new Machine([WEB, DB, API]);
});
beforeEach(() => {
  machine.forgetFlows();
  for (const { id, flags } of [WEB, DB, API]) machine.change(id, { flags });
  machine.publish(openPolicy([denied, barred]), 0);
  machine.at(WEB.id);
  settle({ bytes: 128, budget: 1000 });
  captured();
});
afterEach(() => settle({ bytes: 0, budget: 0 }));
afterAll(() => machine.close());

function settle(settings: { readonly bytes: number; readonly budget: number }): void {
  const value = new Uint8Array(8);
  encodeCaptureSettings(new DataView(value.buffer), 0, settings);
  machine.map('tt_capture_set').update(new Uint8Array(4), value, 0);
}

function captured(): CapturedPacket[] {
  const ring = loadNative().RingBuffer.open(machine.map('tt_captures'));
  const packets = [...decodePackets(ring.drain())];
  ring.close();
  return packets;
}

function counts(): Record<'captured' | 'suppressed' | 'lost', number> {
  const value = machine.map('tt_capture_cpus').lookup(new Uint8Array(4)) as Uint8Array;
  const sum = { captured: 0, suppressed: 0, lost: 0 };
  for (let at = 0; at < value.byteLength; at += CaptureCounts.SIZE) {
    const one = decodeCaptureCounts(viewOf(value), at);
    for (const name of ['captured', 'suppressed', 'lost'] as const) sum[name] += Number(one[name]);
  }
  return sum;
}

const frameTo = (address: string, destinationPort: number, payload = 0) =>
  packet(web, address, udp({ sourcePort: 1000, destinationPort, payload: new Uint8Array(payload).fill(7) }));
const summary = ({ event, isDenied }: CapturedPacket) => [event.reason, event.hook, isDenied];

describe('a packet of an endpoint whose packets are wanted', () => {
  it('comes with its bytes, its length and why it passed, in every state of its flow', () => {
    machine.change(WEB.id, { flags: READY | BOTH });
    const data = frameTo(OUTSIDE.v4, 53, 300);
    for (const reason of ['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_FLOW', 'ALLOWED_FLOW']) {
      expect(machine.from(data)).toMatchObject({ action: 'ok', reason });
      const [one, ...others] = captured();
      expect(others).toEqual([]);
      expect(one).toMatchObject({ isDenied: false, link: 'ethernet', length: data.length, bytes: data.slice(0, 128) });
      expect(one?.event).toMatchObject({
        reason: reason.toLowerCase(),
        hook: 'from_workload',
        ifindex: 1,
        egressWord: wordOf({ cell: 'allow' }),
        destinationPort: 53,
      });
    }
  });

  it('comes with the word that denied it', () => {
    machine.change(WEB.id, { flags: READY | DENIED });
    const data = frameTo(OUTSIDE.v4, 54);
    expect(machine.from(data).action).toBe('shot');
    const [one] = captured();
    expect(one).toMatchObject({ isDenied: true, length: data.length, bytes: data });
    expect(one?.event).toMatchObject({ kind: 'denied', reason: 'drop_egress_policy', egressWord: wordOf(denied) });
  });

  it('is told apart by verdict', () => {
    machine.change(WEB.id, { flags: READY | DENIED });
    machine.from(frameTo(OUTSIDE.v4, 53));
    expect(captured()).toEqual([]);
    machine.change(WEB.id, { flags: READY | ALLOWED });
    machine.from(frameTo(OUTSIDE.v4, 54));
    expect(captured()).toEqual([]);
  });

  it('comes from the hook of its receiver', () => {
    machine.change(WEB.id, { flags: READY | BOTH });
    machine.to(packet(OUTSIDE.v4, web, udp({ sourcePort: 1, destinationPort: 2 })));
    expect(captured().map(summary)).toEqual([['allowed_new', 'to_workload', false]]);
  });

  it('comes as its receiver gets it, where it is handed over past the hook', () => {
    machine.change(DB.id, { flags: (DB.flags as number) | BOTH });
    for (const reason of ['allowed_new', 'allowed_flow', 'allowed_flow']) {
      expect(machine.from(frameTo(db, 53)).action).toBe('redirect');
      const all = captured();
      expect(all.map(summary)).toEqual([[reason, 'to_workload', false]]);
      expect(all[0]?.event.ifindex).toBe(DB.ifindex);
      expect(all[0]?.bytes.subarray(0, 12)).toEqual(Uint8Array.of(...macBytes(DB.mac), ...macBytes(DB.hostMac)));
      expect(all[0]?.bytes[ETHERNET_BYTES + 8]).toBe(63);
    }
  });

  it('comes once from each interface, if both ends are wanted', () => {
    machine.change(WEB.id, { flags: READY | BOTH });
    machine.change(DB.id, { flags: (DB.flags as number) | BOTH });
    machine.from(frameTo(db, 53));
    const all = captured();
    expect(all.map(({ event }) => event.hook)).toEqual(['from_workload', 'to_workload']);
    expect(all[0]?.bytes[ETHERNET_BYTES + 8]).toBe(64);
  });

  it('comes from the hook of the sender, where that drops it for the receiver', () => {
    machine.change(API.id, { flags: READY | DENIED });
    expect(machine.from(frameTo(api, 55)).action).toBe('shot');
    const [one] = captured();
    expect(one?.event).toMatchObject({
      reason: 'drop_ingress_policy',
      hook: 'from_workload',
      ingressWord: wordOf(barred),
    });
  });

  it('comes whole up to the longest that may be', () => {
    machine.change(WEB.id, { flags: READY | BOTH });
    settle({ bytes: 1500, budget: 1000 });
    for (const payload of [85, 86, 87, 1400]) {
      const data = frameTo(OUTSIDE.v4, 53, payload);
      machine.from(data);
      expect(captured()).toMatchObject([{ length: data.length, bytes: data }]);
    }
  });
});

describe('every packet that is denied', () => {
  it('comes if that is wanted, and no other', () => {
    machine.publish(openPolicy([denied]), DENIED);
    machine.from(frameTo(OUTSIDE.v4, 54));
    machine.from(frameTo(OUTSIDE.v4, 53));
    machine.from(packet(db, OUTSIDE.v4, udp({ sourcePort: 1, destinationPort: 2 })));
    machine.from(frameTo(OUTSIDE.v4, 53).subarray(0, 38));
    expect(captured().map(summary)).toEqual([
      ['drop_egress_policy', 'from_workload', true],
      ['drop_spoofed_address', 'from_workload', true],
      ['drop_truncated', 'from_workload', true],
    ]);
  });

  it('comes from interfaces that no endpoint has, too', () => {
    machine.publish(openPolicy(), DENIED);
    machine.atNobody();
    machine.from(frameTo(OUTSIDE.v4, 53));
    expect(captured().map(summary)).toEqual([['drop_not_ready', 'from_workload', true]]);
    machine.at(WEB.id);
  });

  it('leaves allowed packets to the flow cache', () => {
    machine.publish(openPolicy(), DENIED);
    const reasons = [1, 2, 3].map(() => machine.from(frameTo(OUTSIDE.v4, 53)).reason);
    expect(reasons).toEqual(['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_CACHED']);
  });
});

describe('capturing', () => {
  it('is over when the settings say so, whatever the flags say', () => {
    machine.change(WEB.id, { flags: READY | BOTH });
    machine.publish(openPolicy([denied]), DENIED);
    settle({ bytes: 0, budget: 1000 });
    for (const port of [53, 54]) machine.from(frameTo(OUTSIDE.v4, port));
    expect(captured()).toEqual([]);
  });

  it('costs packets of others nothing: they stay in the flow cache', () => {
    machine.change(API.id, { flags: READY | BOTH });
    const reasons = [1, 2, 3].map(() => machine.from(frameTo(OUTSIDE.v4, 53)).reason);
    expect(reasons).toEqual(['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_CACHED']);
    expect(captured()).toEqual([]);
  });

  it('changes no verdict', () => {
    for (const flags of [READY, READY | BOTH]) {
      machine.forgetFlows();
      machine.change(WEB.id, { flags });
      const actions = [53, 54, 53].map((port) => machine.from(frameTo(OUTSIDE.v4, port)).action);
      expect(actions).toEqual(['ok', 'shot', 'ok']);
    }
  });

  it('keeps to its packets for each second, and counts the others', () => {
    machine.publish(openPolicy([denied]), DENIED);
    settle({ bytes: 64, budget: 3 });
    const before = counts();
    for (let index = 0; index < 10; index += 1) machine.from(frameTo(OUTSIDE.v4, 54));
    const taken = captured().length;
    // The second of an earlier test may still run.
    expect(taken).toBeLessThanOrEqual(3);
    expect(counts()).toEqual({
      ...before,
      captured: before.captured + taken,
      suppressed: before.suppressed + 10 - taken,
    });
  });

  it('counts what the ring has no room for, and lets the packet pass', () => {
    machine.change(WEB.id, { flags: READY | BOTH });
    settle({ bytes: 1500, budget: 100_000 });
    const before = counts();
    const outcome = machine.from(frameTo(OUTSIDE.v4, 53, 1400), { repeat: 1000 });
    expect(outcome.action).toBe('ok');
    const taken = captured().length;
    expect(taken).toBeGreaterThan(500);
    expect(counts().lost - before.lost).toBe(1000 - taken);
  });
});
