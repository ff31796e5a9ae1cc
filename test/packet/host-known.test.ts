// Packets of known connections pass at the host's hooks without being judged in full: that must differ in nothing from judging them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StateFlags } from '../../src/abi/heap.gen.ts';
import { HostDims } from '../../src/abi/host.gen.ts';
import { fields } from '../support/packets/bytes.ts';
import { EXTENSION, padding } from '../support/packets/ip.ts';
import { echo, type Segment, type TcpFlag, tcp, udp, udpLite } from '../support/packets/transport.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { HostMachine, type HostOutcome } from './support/host-machine.ts';
import { ETH0, ETH1, hostPolicy, listsOf, type Saying } from './support/host-topology.ts';
import { packet } from './support/topology.ts';

const STEPS = 6000;
const ENDS = {
  4: { far: '192.0.2.9', host: '192.0.2.1', beyond: '198.51.100.7' },
  6: { far: 'fe80::9', host: '2001:db8::1', beyond: '2001:db8:7::7' },
} as const;
const TCP: readonly (readonly TcpFlag[])[] = [
  ['syn'],
  ['syn', 'ack'],
  ['ack'],
  ['ack', 'psh'],
  ['fin', 'ack'],
  ['rst'],
  [],
];
/** Those of DHCPv6, too. */
const PORTS = [53, 546, 547, 1000] as const;
const SAYINGS: readonly Saying[] = [
  [ETH0, 'normal', 'ingress', 'allow'],
  [ETH0, 'normal', 'egress', 'allow'],
  [ETH0, 'forward', 'ingress', 'allow'],
  [ETH1, 'forward', 'egress', 'allow'],
  [ETH1, 'forward', 'ingress', 'allow'],
  [ETH0, 'forward', 'egress', 'allow'],
];

let short: HostMachine;
let long: HostMachine;
beforeAll(() => {
  short = new HostMachine();
  long = new HostMachine([], { isThorough: true });
  for (const host of [short, long]) {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal', 'forward']), [ETH1]: listsOf(ETH1, ['normal', 'forward']) });
  }
});
beforeEach(() => {
  for (const host of [short, long]) host.machine.forgetFlows();
});
afterAll(() => {
  short?.close();
  long?.close();
});

/** What the same does to both must be the same. */
function both<T>(act: (host: HostMachine) => T): T {
  const [first, second] = [act(short), act(long)];
  expect(first).toEqual(second);
  return first;
}

/** Everything but the clock. */
function told({ action, reason, events }: HostOutcome): object {
  return { action, reason, events: events.map(({ jiffies: _, ...event }) => event) };
}

function flows(host: HostMachine): object[] {
  return host.machine
    .flows()
    .map(({ key, flow: { created_jiffies: _, seen_jiffies: __, ...flow } }) => ({ key, flow }))
    .sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function text(value: object): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
}

describe('packets of known connections', () => {
  const numbers = (seed: number) => {
    let state = (Math.imul(seed, 0x9e3779b9) | 1) >>> 0;
    return (below: number): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state = (state ^ (state << 5)) >>> 0;
      return state % below;
    };
  };

  function segmentOf(next: (below: number) => number, ports: { sourcePort: number; destinationPort: number }): Segment {
    const payload = new Uint8Array(next(4) * 4);
    const dataOffset = next(16) === 0 ? 4 : 5;
    const flags = TCP[next(TCP.length)] as readonly TcpFlag[];
    return [
      () => tcp({ ...ports, flags, payload, dataOffset }),
      () => tcp({ ...ports, flags, payload }),
      () => udp({ ...ports, payload }),
      () => udpLite({ ...ports, payload }),
    ][next(8) % 4]?.() as Segment;
  }

  function frameOf(next: (below: number) => number, family: 4 | 6, source: string, destination: string): Uint8Array {
    const pick = (): number => PORTS[next(PORTS.length)] as number;
    const ports = { sourcePort: pick(), destinationPort: pick() };
    const segment =
      next(10) === 0
        ? echo({ family, kind: next(2) === 0 ? 'request' : 'reply', identifier: 7 })
        : segmentOf(next, ports);
    const odd = next(12);
    const options =
      odd === 0
        ? // Options that read as ports of a connection, should anybody read them so.
          { options: fields([2, pick()], [2, pick()]), extensions: [padding(EXTENSION.DESTINATION)] }
        : odd === 1
          ? { hasMoreFragments: true }
          : odd === 2
            ? { totalLength: 20 + next(24), payloadLength: next(24) }
            : odd === 3
              ? { fragmentOffset: 8 + 8 * next(4), hasMoreFragments: next(2) === 0 }
              : {};
    const whole = packet(source, destination, segment, options);
    // The kernel makes no packet of less than an IP header.
    const least = family === 4 ? 34 : 54;
    const cut = next(20) === 0 ? next(whole.length - least + 1) : 0;
    return whole.subarray(0, whole.length - cut);
  }

  it(`become of the same as in full, over ${STEPS} of them`, { timeout: 120_000 }, () => {
    const next = numbers(newSeed('known == judged'));
    let generation = 0;
    const seen = new Map<string, number>();
    for (let step = 0; step < STEPS; step += 1) {
      if (step === 0 || next(100) === 0) {
        generation += 1;
        const sayings = SAYINGS.map(([at, scope, way]): Saying => [at, scope, way, next(4) === 0 ? 'deny' : 'allow']);
        const flags = next(3) === 0 ? StateFlags.KEEP_ESTABLISHED : 0;
        for (const host of [short, long]) host.machine.publish(hostPolicy(sayings, generation), flags);
      }
      if (next(200) === 0) {
        const seconds = [5, 61, 200][next(3)] as number;
        for (const host of [short, long]) host.machine.ageFlows(seconds);
      }
      const family = next(2) === 0 ? 4 : 6;
      const { far, host: own, beyond } = ENDS[family];
      const [hook, source, destination, ways] = (
        [
          ['to-host', far, own, { in: ETH0 }],
          ['from-host', own, far, { out: ETH0 }],
          ['forward', far, beyond, { in: ETH0, out: ETH1 }],
          ['forward', beyond, far, { in: ETH1, out: ETH0 }],
        ] as const
      )[next(4)] as readonly ['to-host' | 'from-host' | 'forward', string, string, { in?: number; out?: number }];
      const bytes = frameOf(next, family, source, destination);
      const { reason } = both((host) => told(host.run(hook, bytes, ways))) as { reason: string };
      seen.set(reason, (seen.get(reason) ?? 0) + 1);
      if (step % 50 === 0) both(flows);
    }
    both(flows);
    for (const reason of ['ALLOWED_FLOW', 'ALLOWED_NEW', 'DROP_HOST_INGRESS', 'DROP_REVOKED', 'DROP_MALFORMED']) {
      expect(seen.get(reason), reason).toBeGreaterThan(0);
    }
  });

  it.each([4, 6] as const)('take no place among those that are judged, over IPv%s', (family) => {
    for (const host of [short, long]) host.machine.publish(hostPolicy(SAYINGS, 1));
    const { far, host: own } = ENDS[family];
    const query = packet(far, own, udp({ sourcePort: 1000, destinationPort: 53 }));
    const arrive = (host: HostMachine) => host.run('to-host', query, { in: ETH0 }).reason;
    expect(both(arrive)).toBe('ALLOWED_NEW');
    for (const host of [short, long]) setTaken(host, 0xff);
    expect([arrive(short), arrive(long)]).toEqual(['ALLOWED_FLOW', 'DROP_NO_ROOM']);
    for (const host of [short, long]) setTaken(host, 0);
  });
});

function setTaken(host: HostMachine, byte: number): void {
  const places = host.object.map('tt_packets');
  const value = new Uint8Array(places.info.valueSize).fill(byte);
  for (let number = 0; number < HostDims.PACKETS; number += 1) {
    places.update(new Uint8Array(Uint32Array.of(number).buffer), value, 0);
  }
}
