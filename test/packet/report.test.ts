import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventKind, Hook, Reason } from '../../src/abi/event.gen.ts';
import { tcp, udp } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { type Rule, wordOf } from './support/tables.ts';
import { DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = WEB.v4 as string;
const deny: Rule = { endpoint: WEB.id, direction: 'egress', l4: 'udp:54', cell: 'deny', traceId: 41 };
const logged: Rule = { endpoint: WEB.id, direction: 'egress', l4: 'udp:55', cell: 'allow', log: true, traceId: 42 };
const send = (machine: Machine, destinationPort: number, sourcePort = 1000) =>
  machine.from(packet(web, OUTSIDE.v4, udp({ sourcePort, destinationPort })));

describe('events', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB, DB]);
  });
  beforeEach(() => {
    machine.forgetFlows();
    machine.publish(openPolicy([deny, logged], 3));
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());

  it('of a new flow say all that a flow log needs', () => {
    const data = packet(WEB.v6 as string, OUTSIDE.v6, tcp({ sourcePort: 1000, destinationPort: 443, flags: ['syn'] }));
    const now = machine.clock().jiffies;
    const [event, ...others] = machine.from(data).events;
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      kind: EventKind.NEW_FLOW,
      reason: Reason.ALLOWED_NEW,
      hook: Hook.FROM_WORKLOAD,
      family: 6,
      protocol: 6,
      ifindex: 1,
      source: { word: [0xfd000065, 0, 0, 2] },
      destination: { word: [0x20010db8, 0, 0, 9] },
      source_port: 1000,
      destination_port: 443,
      tcp_flags: 2,
      icmp_type: 0,
      icmp_code: 0,
      egress_word: wordOf({ cell: 'allow' }),
      ingress_word: 0,
      generation: 3,
      length: 60,
    });
    expect(Number((event?.jiffies ?? 0n) - now)).toBeLessThan(100);
  });

  it('of denials carry the word that denied', () => {
    expect(send(machine, 54).events).toMatchObject([
      {
        kind: EventKind.DENIED,
        reason: Reason.DROP_EGRESS_POLICY,
        egress_word: wordOf(deny),
        ingress_word: 0,
        family: 4,
      },
    ]);
  });

  it('of Log rules come once per flow', () => {
    expect(send(machine, 55).events).toMatchObject([
      { kind: EventKind.NEW_FLOW },
      { kind: EventKind.LOG, egress_word: wordOf(logged) },
    ]);
    expect(send(machine, 55).events).toEqual([]);
  });

  it('are not sent for packets of known flows', () => {
    send(machine, 56);
    expect(send(machine, 56).events).toEqual([]);
    expect(send(machine, 56).events).toEqual([]);
  });
});

describe('the event budget', () => {
  const BUDGET = 5;

  it('limits denials and logs for each CPU and second, and counts what it left out', () => {
    const machine = new Machine([WEB, DB], { eventBudget: BUDGET });
    machine.publish(openPolicy([deny, logged]));
    machine.at(WEB.id);
    const sent = Array.from({ length: 20 }, () => send(machine, 54)).flatMap(({ events }) => events);
    const suppressed = machine.counter(Reason.EVENT_SUPPRESSED).packets;
    expect(BigInt(sent.length) + suppressed).toBe(20n);
    expect(suppressed).toBeGreaterThanOrEqual(20n - BigInt(BUDGET * cpus(machine)));
    machine.close();
  });

  it('does not limit new flows', () => {
    const machine = new Machine([WEB, DB], { eventBudget: 1 });
    machine.publish(openPolicy());
    machine.at(WEB.id);
    const sent = Array.from({ length: 20 }, (_, index) => send(machine, 53, 2000 + index)).flatMap(
      ({ events }) => events,
    );
    expect(sent.map(({ kind }) => kind)).toEqual(new Array(20).fill(EventKind.NEW_FLOW));
    machine.close();
  });

  it('starts anew each second', () => {
    const machine = new Machine([WEB, DB], { eventBudget: 1, hz: 1 });
    machine.publish(openPolicy([deny]));
    machine.at(WEB.id);
    const until = Date.now() + 200;
    let sent = 0;
    while (Date.now() < until) sent += send(machine, 54).events.length;
    expect(sent).toBeGreaterThan(5);
    machine.close();
  });
});

describe('a full ring buffer', () => {
  it('loses the event, not the packet, and counts the loss', () => {
    const machine = new Machine([WEB, DB], { eventBytes: 4096, flows: 4096 });
    machine.publish(openPolicy([deny]));
    machine.at(WEB.id);
    const data = packet(web, OUTSIDE.v4, udp({ sourcePort: 1, destinationPort: 54 }));
    expect(machine.from(data, { repeat: 100 }).action).toBe('shot');
    expect(machine.counter(Reason.EVENT_LOST).packets).toBeGreaterThan(0n);
    expect(machine.counter(Reason.DROP_EGRESS_POLICY).packets).toBe(100n);
    machine.close();
  });
});

describe('counters', () => {
  it('hold packets and bytes of IP for each reason', () => {
    const machine = new Machine([WEB, DB]);
    machine.publish(openPolicy([deny]));
    machine.at(WEB.id);
    machine.from(packet(web, OUTSIDE.v4, udp({ sourcePort: 1, destinationPort: 54, payload: new Uint8Array(72) })), {
      repeat: 10,
    });
    expect(machine.counter(Reason.DROP_EGRESS_POLICY)).toEqual({ packets: 10n, bytes: 1000n });
    machine.close();
  });
});

describe('the clock', () => {
  it('reads both kernel clocks, from which HZ follows', async () => {
    const machine = new Machine([WEB]);
    const first = machine.clock();
    // A busy machine's ticks may come late, which matters the less the longer one looks.
    const isKnown = () => {
      const { jiffies, monotonic_ns } = machine.clock();
      const seconds = Number(monotonic_ns - first.monotonic_ns) / 1e9;
      const hz = Number(jiffies - first.jiffies) / seconds;
      return seconds > 0.25 && [100, 250, 300, 1000].some((known) => Math.abs(hz - known) / known < 0.1);
    };
    await vi.waitUntil(isKnown, { timeout: 10_000, interval: 300 });
    machine.close();
  });
});

function cpus(machine: Machine): number {
  return (machine.map('tt_counters').lookup(new Uint8Array(4)) as Uint8Array).length / 16;
}
