// New TCP connections, counted and answered before the stack: by sockets that really listen, in a namespace of its own.

import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GuardReason } from '../../src/abi/guard.gen.ts';
import { addressBytes, concat, fields, internetChecksum } from '../support/packets/bytes.ts';
import { type TcpFlag, tcp } from '../support/packets/transport.ts';
import { GuardMachine, WIRE_MTU, type WireOutcome } from './support/guard-machine.ts';
import { packet } from './support/topology.ts';

/** Addresses of the namespace's loopback interface, and of nobody. */
const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const BEYOND = { 4: '198.51.100.9', 6: '2001:db8:1::9' } as const;
const PORT = 8080;
const FLOODED = 8081;
const QUIET = 8082;
const COOKIES = '/proc/sys/net/ipv4/tcp_syncookies';
const ETHERNET = 14;
/** Between answers on, so that no turn of a second matters. */
const MANY = 50;

let machine: GuardMachine;

beforeAll(async () => {
  machine = new GuardMachine();
  machine.exec('ip', 'link', 'set', 'lo', 'up');
  machine.exec('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
  for (const name of ['up0', 'up1']) machine.exec('ip', 'link', 'set', name, 'up');
  for (const address of ['192.0.2.1/32', '2001:db8::1/128']) machine.exec('ip', 'addr', 'add', address, 'dev', 'lo');
  for (const address of ['198.51.100.1/24', '2001:db8:1::1/64']) {
    machine.exec('ip', 'addr', 'add', address, 'dev', 'up0', ...(address.includes(':') ? ['nodad'] : []));
  }
  machine.exec(
    'sh',
    '-c',
    'for f in 4 6; do for i in all lo; do echo 1 > /proc/sys/net/ipv$f/conf/$i/forwarding; done; done',
  );
  machine.exec('ip', 'addr', 'add', '192.0.2.3/32', 'dev', 'lo');
  await machine.listen(['0.0.0.0', PORT], ['::', PORT], ['0.0.0.0', FLOODED], ['192.0.2.3', QUIET]);
});
beforeEach(() => machine.inNamespace(() => writeFileSync(COOKIES, '2')));
afterEach(() => machine.care({}));
afterAll(() => {
  machine?.close();
});

interface SynOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly port?: number;
  readonly flags?: readonly TcpFlag[];
}

function syn(family: 4 | 6, options: SynOptions = {}): Uint8Array {
  const { source = family === 4 ? '203.0.113.7' : '2001:db8:7::7', destination = HOST[family] } = options;
  const { sourcePort = 40_000, port = PORT, flags = ['syn'] } = options;
  return packet(source, destination, tcp({ sourcePort, destinationPort: port, flags }));
}

/** From one source, of many ports. */
function flood(family: 4 | 6, source?: string): WireOutcome[] {
  return Array.from({ length: MANY }, (_, index) => machine.run(syn(family, { source, sourcePort: 1024 + index })));
}

const count = (outcomes: readonly WireOutcome[], action: string) =>
  outcomes.filter((outcome) => outcome.action === action).length;

describe.each([4, 6] as const)('new TCP connections over IPv%s', (family) => {
  const header = family === 4 ? 20 : 40;

  it('beyond what a listening socket is to see are answered with a cookie, the segment size and nothing else', () => {
    machine.care({ syns: true }, { listenerRate: 0 });
    const before = machine.drops(GuardReason.SYN_COOKIE);
    const asked = syn(family);
    const { action, data } = machine.run(asked);
    expect(action).toBe('tx');
    expect(data).toHaveLength(ETHERNET + header + 24);
    expect([...data.subarray(0, 12)]).toEqual([...asked.subarray(6, 12), ...asked.subarray(0, 6)]);
    const segment = data.subarray(ETHERNET + header);
    const view = new DataView(segment.buffer, segment.byteOffset);
    const size = WIRE_MTU - header - 20;
    expect([view.getUint16(0), view.getUint16(2), view.getUint32(8), segment[12], segment[13]]).toEqual([
      PORT,
      40_000,
      1001,
      0x60,
      0x12,
    ]);
    expect([view.getUint16(14), view.getUint32(20)]).toEqual([10 * size, 0x0204_0000 + size]);
    const [from, to] = ends(data, family);
    expect([from, to]).toEqual([[...addressBytes(HOST[family])], [...asked.subarray(...sourceAt(family))]]);
    const pseudo = concat(Uint8Array.from([...from, ...to]), fields([4, segment.length], [4, 6]));
    expect(internetChecksum(concat(pseudo, segment))).toBe(0);
    if (family === 4) expect(internetChecksum(data.subarray(ETHERNET, ETHERNET + 20))).toBe(0);
    const { packets, bytes } = machine.drops(GuardReason.SYN_COOKIE);
    expect([packets - before.packets, bytes - before.bytes]).toEqual([1, asked.length]);
  });

  it('are answered with the cookie that the kernel gives for them: another for each, never that of the SYN', () => {
    machine.care({ syns: true }, { listenerRate: 0 });
    const cookies = Array.from({ length: 8 }, (_, index) => {
      const { data } = machine.run(syn(family, { sourcePort: 5000 + index }));
      return new DataView(data.buffer, data.byteOffset + ETHERNET + header).getUint32(4);
    });
    expect(new Set(cookies).size).toBe(8);
  });

  it('reach the stack up to that, and as long as the kernel would answer with none itself', () => {
    machine.care({ syns: true }, { listenerRate: 1000 });
    expect(machine.run(syn(family)).action).toBe('pass');
    machine.care({ syns: true }, { listenerRate: 0 });
    for (const [setting, action] of [
      ['0', 'pass'],
      ['1', 'pass'],
      ['2', 'tx'],
    ] as const) {
      machine.inNamespace(() => writeFileSync(COOKIES, setting));
      expect(machine.run(syn(family)).action, setting).toBe(action);
    }
  });

  it('of one source are dropped beyond its share, those of others are not', () => {
    machine.care({ syns: true }, { sourceRate: 1 });
    const before = machine.drops(GuardReason.DROP_SYN_SOURCE).packets;
    const outcomes = flood(family);
    expect(count(outcomes, 'pass')).toBeLessThan(MANY / 2);
    expect(count(outcomes, 'drop')).toBe(MANY - count(outcomes, 'pass'));
    expect(machine.drops(GuardReason.DROP_SYN_SOURCE).packets - before).toBe(count(outcomes, 'drop'));
    const others = Array.from({ length: 20 }, (_, index) => {
      const source = family === 4 ? `203.0.${index}.200` : `2001:db8:${index + 100}::1`;
      return machine.run(syn(family, { source }));
    });
    expect(count(others, 'pass')).toBe(20);
    machine.care({ syns: true }, { sourceRate: 0 });
    expect(count(flood(family), 'pass')).toBe(MANY);
  });

  it.each<[string, SynOptions]>([
    ['to a port that nobody listens at', { port: 9 }],
    ['to an address that is not the host’s, though somebody listens at any', { destination: BEYOND[family] }],
    ['that are none: an answer', { flags: ['syn', 'ack'] }],
    ['that are none: an acknowledgement', { flags: ['ack'] }],
    ['that are none: a reset', { flags: ['syn', 'rst'] }],
  ])('%s are left to the stack', (_, options) => {
    machine.care({ syns: true }, { listenerRate: 0, sourceRate: 1 });
    for (let index = 0; index < 5; index += 1) expect(machine.run(syn(family, options)).action).toBe('pass');
  });

  it('that bear the ends of a connection that there is are left to the stack, which answers none of them anew', async () => {
    const sourcePort = await machine.connect(HOST[family], PORT);
    machine.care({ syns: true }, { listenerRate: 0, sourceRate: 1 });
    const again = syn(family, { source: HOST[family], sourcePort });
    expect(Array.from({ length: MANY }, () => machine.run(again).action)).toEqual(Array(MANY).fill('pass'));
  });

  it('to ports that nobody named are left alone', () => {
    machine.care({ syns: true }, { listenerRate: 0, isProtectedPort: (port) => port !== PORT });
    expect(machine.run(syn(family)).action).toBe('pass');
    machine.care({ syns: true }, { listenerRate: 0, isProtectedPort: (port) => port === PORT });
    expect(machine.run(syn(family)).action).toBe('tx');
  });

  it('at an interface that is not asked for are left alone, and so are tagged ones', () => {
    machine.care({ lists: true }, { listenerRate: 0 });
    expect(machine.run(syn(family)).action).toBe('pass');
    machine.care({ syns: true }, { listenerRate: 0 });
    const plain = syn(family);
    const tagged = concat(plain.subarray(0, 12), fields([2, 0x8100], [2, 5]), plain.subarray(12));
    expect(machine.run(tagged).action).toBe('pass');
  });
});

it('addresses of one IPv6 /64 are one source', () => {
  machine.care({ syns: true }, { sourceRate: 1 });
  const outcomes = Array.from({ length: MANY }, (_, index) =>
    machine.run(syn(6, { source: `2001:db8:64::${(index + 1).toString(16)}` })),
  );
  expect(count(outcomes, 'drop')).toBeGreaterThan(MANY / 2);
});

it('a socket that is flooded takes nothing from the share of another', () => {
  machine.care({ syns: true }, { listenerRate: 1 });
  const flooded = Array.from({ length: MANY }, (_, at) =>
    machine.run(syn(4, { port: FLOODED, sourcePort: 2000 + at })),
  );
  expect(count(flooded, 'tx')).toBeGreaterThan(MANY / 2);
  expect(machine.run(syn(4, { destination: '192.0.2.3', port: QUIET })).action).toBe('pass');
});

const sourceAt = (family: 4 | 6): [number, number] => (family === 4 ? [26, 30] : [22, 38]);

function ends(data: Uint8Array, family: 4 | 6): [number[], number[]] {
  const [from, to] = sourceAt(family);
  return [[...data.subarray(from, to)], [...data.subarray(to, 2 * to - from)]];
}
