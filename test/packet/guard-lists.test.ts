import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventKind, Hook } from '../../src/abi/event.gen.ts';
import { Scope } from '../../src/abi/host.gen.ts';
import { concat, fields } from '../support/packets/bytes.ts';
import { type Segment, tcp, udp } from '../support/packets/transport.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { GuardMachine, WIRE, WIRE_MAC } from './support/guard-machine.ts';
import { ETH0, ETH1, hostPolicy, listId, listsOf, OTHER } from './support/host-topology.ts';
import type { Cell, Rule } from './support/tables.ts';
import { OUTSIDE, packet } from './support/topology.ts';

const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const FAR = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 } as const;
const QUERY = udp({ sourcePort: 1000, destinationPort: 53 });

let machine: GuardMachine;
beforeAll(() => {
  machine = new GuardMachine();
});
afterAll(() => machine?.close());

/** The wire and ETH0 have the same lists. */
function say(cell: Cell, more: readonly Rule[] = []): void {
  machine.host.setInterfaces({ [WIRE]: listsOf(ETH0, ['untracked']), [ETH0]: listsOf(ETH0, ['untracked']) });
  machine.host.machine.publish(hostPolicy([[ETH0, 'untracked', 'ingress', cell]], 7, more));
}

describe.each([4, 6] as const)('untracked lists asked before the stack, IPv%s', (family) => {
  const query = packet(FAR[family], HOST[family], QUERY);

  it('drop what they deny, with reason, list and event; the rest is left to the stack', () => {
    machine.care({ lists: true });
    say('deny');
    const { action, reason, events } = machine.run(query);
    expect([action, reason]).toEqual(['drop', 'DROP_UNTRACKED']);
    expect(events).toMatchObject([
      {
        kind: EventKind.DENIED,
        hook: Hook.FROM_WIRE,
        ifindex: WIRE,
        generation: 7,
        ingress_scope: Scope.UNTRACKED,
        length: query.length - 14,
      },
    ]);
    expect(events[0]?.ingress_word).not.toBe(0);
    for (const cell of ['allow', 'next', 'hole'] as const) {
      say(cell);
      expect(machine.run(query), cell).toMatchObject({ action: 'pass', reason: '' });
    }
  });

  it('are not asked where nobody wants it, and where the interface has none', () => {
    say('deny');
    machine.care({});
    expect(machine.run(query).action).toBe('pass');
    machine.care({ syns: true });
    expect(machine.run(query).action).toBe('pass');
    machine.care({ lists: true });
    machine.host.setInterfaces({ [WIRE]: listsOf(ETH0, ['normal', 'forward', 'preDnat']) });
    expect(machine.run(query).action).toBe('pass');
  });

  it('are those of all others where the interface is in no table, and never those of a workload', () => {
    machine.care({ lists: true });
    say('deny');
    machine.host.setInterfaces({}, listsOf(ETH0, ['untracked']));
    expect(machine.run(query).reason).toBe('DROP_UNTRACKED');
    machine.host.setInterfaces({ [WIRE]: listsOf(ETH0, ['untracked'], 16) }, listsOf(OTHER, []));
    expect(machine.run(query).action).toBe('pass');
    machine.host.setInterfaceAt(WIRE + 3, WIRE, listsOf(ETH0, ['untracked']));
  });

  it('are found in a later place of the table', () => {
    machine.care({ lists: true });
    say('deny');
    machine.host.setInterfaces({ 257: listsOf(ETH1, []), 513: listsOf(ETH1, []) });
    machine.host.setInterfaceAt(2, 257, listsOf(ETH1, []));
    machine.host.setInterfaceAt(3, WIRE, listsOf(ETH0, ['untracked']));
    machine.host.setInterfaceAt(1, 513, listsOf(ETH1, []));
    expect(machine.run(query).reason).toBe('DROP_UNTRACKED');
    expect(machine.policy.hasUntracked(WIRE)).toBe(true);
    expect(machine.policy.hasUntracked(257)).toBe(false);
  });

  it('leave frames to the stack that may be for another interface: tagged, or to another address', () => {
    machine.care({ lists: true });
    say('deny');
    expect(machine.run(packet(FAR[family], HOST[family], QUERY, {}, { vlan: 5 })).action).toBe('pass');
    for (const at of [0, 5]) {
      const other = query.slice();
      other[at] = (other[at] as number) ^ 2;
      expect(machine.run(other).action).toBe('pass');
    }
    machine.care({ lists: true, mac: '02:00:00:00:00:99' });
    expect(machine.run(query).action).toBe('pass');
    expect(WIRE_MAC.split(':').map((byte) => Number.parseInt(byte, 16))).toEqual([...query.subarray(0, 6)]);
  });

  it('leave to the stack what cannot be decided: fragments, options, extension headers, cut frames', () => {
    machine.care({ lists: true });
    say('deny');
    const undecided =
      family === 4
        ? [
            packet(FAR[4], HOST[4], QUERY, { fragmentOffset: 0, hasMoreFragments: true }),
            packet(FAR[4], HOST[4], QUERY, { fragmentOffset: 64 }),
            packet(FAR[4], HOST[4], QUERY, { options: new Uint8Array(8) }),
          ]
        : [44, 0, 60, 43].map((next) => withExtension(query, next));
    for (const [index, data] of [...undecided, query.subarray(0, query.length - 1)].entries()) {
      expect(machine.run(data), `frame ${index}`).toMatchObject({ action: 'pass', reason: '' });
    }
  });

  it('say what the same lists say at the hook of the stack, of any packet that they can decide', () => {
    machine.care({ lists: true });
    const seed = newSeed(`guard lists IPv${family}`);
    for (let index = 0; index < 40; index += 1) {
      const random = new Random(seed, index);
      say(anyCell(random), anyRules(random, family));
      machine.host.machine.forgetFlows();
      for (let round = 0; round < 25; round += 1) {
        const segment = anySegment(random, round);
        const data = packet(anyPeer(random, family), HOST[family], segment);
        // All others have ports of their own.
        if (segment.protocol === GRE) machine.host.machine.forgetFlows();
        const isDenied = machine.host.run('to-host', data, { in: ETH0 }).reason === 'DROP_UNTRACKED';
        expect(machine.run(data).action, `set ${index}, packet ${round}`).toBe(isDenied ? 'drop' : 'pass');
      }
    }
  });
});

it('neighbour discovery passes whatever an untracked list says, as it does in the stack', () => {
  machine.care({ lists: true });
  say('deny');
  const solicitation = { protocol: 58, bytes: concat(fields([1, 135], [1, 0], [2, 0], [4, 0]), new Uint8Array(16)) };
  for (const [hopLimit, action] of [
    [255, 'pass'],
    [254, 'drop'],
  ] as const) {
    const data = packet('2001:db8::9', HOST[6], solicitation, { hopLimit });
    expect(machine.run(data).action).toBe(action);
  }
});

function withExtension(frame: Uint8Array, next: number): Uint8Array {
  const bytes = concat(frame.subarray(0, 54), fields([1, 17], [1, 0], [2, 0], [4, 7]), frame.subarray(54));
  bytes[20] = next;
  const length = bytes.length - 54;
  bytes.set([length >> 8, length & 255], 18);
  return bytes;
}

const PEERS = { 4: ['192.0.2.9', '203.0.113.5', '10.0.0.1'], 6: ['2001:db8::9', '2001:db8:5::5', 'fd00::1'] } as const;
const GRE = 47;
const CELLS = ['allow', 'deny', 'next'] as const;
const L4 = ['udp:53', 'udp:54', 'tcp:80', 'tcp:22', 'other:47'] as const;

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;
const anyCell = (random: Random): Cell => pick(random, CELLS);
const anyPeer = (random: Random, family: 4 | 6): string => pick(random, PEERS[family]);

function anyRules(random: Random, family: 4 | 6): Rule[] {
  return Array.from({ length: random.below(6) }, () => ({
    endpoint: listId(ETH0, 'untracked'),
    direction: 'ingress' as const,
    peer: anyPeer(random, family),
    l4: pick(random, L4),
    cell: anyCell(random),
  }));
}

function anySegment(random: Random, round: number): Segment {
  const destinationPort = pick(random, [53, 54, 80, 22]);
  const kind = random.below(9);
  if (kind === 0) return { protocol: GRE, bytes: new Uint8Array(8) };
  const ports = { sourcePort: 1000 + round, destinationPort };
  return kind < 4 ? udp(ports) : tcp({ ...ports, flags: pick(random, [['syn'], ['ack'], ['syn', 'ack']] as const) });
}
