// What both ends of a connection that a change of policy stops are told, where they are to be told anything.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Reason } from '../../src/abi/event.gen.ts';
import { StateFlags } from '../../src/abi/heap.gen.ts';
import { macBytes } from '../support/packets/ethernet.ts';
import { EXTENSION, fragmentHeader, padding } from '../support/packets/ip.ts';
import { type Segment, type TcpFlag, tcp, udp } from '../support/packets/transport.ts';
import { Machine, type Outcome, type RunOptions } from './support/machine.ts';
import { expectedTcp, Recorder, readTcp, type Sent } from './support/recorder.ts';
import { API, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const RESET = StateFlags.RESET_REVOKED;
const NO_MAC = new Uint8Array(6);
const WEB_MAC = macBytes(WEB.mac);
/** What transport.ts gives each segment. */
const SEQUENCE = 1000;
const ACKNOWLEDGED = 2000;
const HERE = 1;
/** Of a known connection it does not matter where a packet comes from, and Linux 5.10 cannot pretend anything. */
const SENT_HERE: RunOptions = { ingressIfindex: 0 };

let machine: Machine;
let recorder: Recorder;
beforeAll(() => {
  machine = new Machine([WEB, API]);
  recorder = new Recorder([API.ifindex]);
});
beforeEach(() => {
  machine.forgetFlows();
  machine.publish(openPolicy([], 1), RESET);
  machine.at(WEB.id);
});
afterAll(() => {
  machine.close();
  recorder.close();
});

function deny(generation: number, flags: number = RESET): void {
  machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }], generation), flags);
}

/** A packet's outcome, and what was sent because of it. */
function observe(run: () => Outcome): { outcome: Outcome; sent: Sent[] } {
  let outcome: Outcome | undefined;
  const sent = recorder.run(() => {
    outcome = run();
  });
  return { outcome: outcome as Outcome, sent };
}

const segment = (
  isBack: boolean,
  flags: readonly TcpFlag[] = ['ack'],
  payload: Uint8Array = new Uint8Array(0),
): Segment => {
  const [sourcePort, destinationPort] = isBack ? [80, 5000] : [5000, 80];
  return tcp({ sourcePort, destinationPort, flags, payload });
};

describe.each([4, 6] as const)('a connection over IPv%s that a change of policy denies', (family) => {
  const key = family === 4 ? 'v4' : 'v6';
  const [web, outside, api] = [WEB[key] as string, OUTSIDE[key], API[key] as string];
  const out = (flags?: readonly TcpFlag[], payload?: Uint8Array, options: RunOptions = {}) =>
    machine.from(packet(web, outside, segment(false, flags, payload)), options);
  const back = (flags?: readonly TcpFlag[], payload?: Uint8Array) =>
    machine.to(packet(outside, web, segment(true, flags, payload)), SENT_HERE);
  const open = () => {
    expect(out(['syn']).reason).toBe('ALLOWED_NEW');
    expect(back(['syn', 'ack']).reason).toBe('ALLOWED_FLOW');
    expect(out().reason).toBe('ALLOWED_FLOW');
  };
  /** Frames as the test builds them have no MAC of the host. */
  const macs = { fromWeb: [NO_MAC, WEB_MAC], toWeb: [WEB_MAC, NO_MAC] };
  const toWeb = { ports: [80, 5000] };
  const toOutside = { ports: [5000, 80] };

  it('has its sender told, and its receiver by way of the stack, by the numbers that each waits for', () => {
    open();
    deny(2);
    const { outcome, sent } = observe(() => out(['ack', 'psh'], new Uint8Array(700)));
    expect(outcome).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
    expect(sent.map(({ ifindex, side }) => [ifindex, side])).toEqual([
      [HERE, 'out'],
      [HERE, 'in'],
      [HERE, 'in'],
    ]);
    // Whether the receiver has had the segment, nobody knows.
    const forward = [SEQUENCE, SEQUENCE + 700].map((sequence) =>
      expectedTcp(macs.fromWeb, web, outside, {
        ...toOutside,
        sequence,
        acknowledged: ACKNOWLEDGED,
        flags: ['rst', 'ack'],
      }),
    );
    expect(sent.map(({ frame }) => readTcp(frame))).toEqual([
      expectedTcp(macs.toWeb, outside, web, { ...toWeb, sequence: ACKNOWLEDGED, acknowledged: 0, flags: ['rst'] }),
      ...forward,
    ]);
  });

  it('has both ends told just as well by a segment that comes to the workload', () => {
    open();
    deny(2);
    const { outcome, sent } = observe(() => back(['ack', 'fin'], new Uint8Array(9)));
    expect(outcome).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
    expect(sent.map(({ ifindex, side }) => [ifindex, side])).toEqual([
      [HERE, 'out'],
      [HERE, 'out'],
      [HERE, 'in'],
    ]);
    // Nine bytes and the FIN.
    const forward = [SEQUENCE, SEQUENCE + 10].map((sequence) =>
      expectedTcp(macs.fromWeb, outside, web, {
        ...toWeb,
        sequence,
        acknowledged: ACKNOWLEDGED,
        flags: ['rst', 'ack'],
      }),
    );
    expect(sent.map(({ frame }) => readTcp(frame))).toEqual([
      ...forward,
      expectedTcp(macs.toWeb, web, outside, { ...toOutside, sequence: ACKNOWLEDGED, acknowledged: 0, flags: ['rst'] }),
    ]);
  });

  it('has the sender of each later segment told, and nobody else', () => {
    open();
    deny(2);
    recorder.run(() => out());
    for (let round = 0; round < 2; round += 1) {
      const mine = observe(() => out());
      expect(mine.outcome).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
      expect(mine.sent.map(({ side, frame }) => [side, readTcp(frame).sequence])).toEqual([['out', ACKNOWLEDGED]]);
      const theirs = observe(() => back());
      expect(theirs.outcome).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
      expect(theirs.sent.map(({ side, frame }) => [side, readTcp(frame).sequence])).toEqual([['in', ACKNOWLEDGED]]);
    }
  });

  it.each([
    [[], 0],
    [[], 1],
    [['syn'], 0],
  ] as const)(
    'has the receiver told behind %j and %i bytes too, as a keepalive has been had before',
    (flags, bytes) => {
      open();
      deny(2);
      const { sent } = observe(() => out(['ack', ...flags], new Uint8Array(bytes)));
      expect(sent.slice(1).map(({ frame }) => readTcp(frame).sequence)).toEqual([SEQUENCE, SEQUENCE + 1]);
    },
  );

  it('has the receiver told by a RST that finds the connection denied, since nothing else will come', () => {
    for (const flags of [['rst'], ['rst', 'ack']] as const) {
      machine.forgetFlows();
      machine.publish(openPolicy([], 3), RESET);
      open();
      deny(4);
      const { outcome, sent } = observe(() => back(flags));
      expect(outcome).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
      const acknowledged = flags.length === 2 ? ACKNOWLEDGED : 0;
      expect(sent.map(({ side, frame }) => [side, readTcp(frame)])).toEqual([
        ['out', expectedTcp(macs.fromWeb, outside, web, { ...toWeb, sequence: SEQUENCE, acknowledged, flags })],
      ]);
    }
  });

  it('has one set sent for a train of segments', () => {
    open();
    deny(2);
    const { sent } = observe(() => out(['ack'], new Uint8Array(3000), { gsoSize: 1400 }));
    expect(sent.map(({ frame }) => readTcp(frame).flags)).toEqual([['rst'], ['rst', 'ack'], ['rst', 'ack']]);
    expect(readTcp((sent[2] as Sent).frame).sequence).toBe(SEQUENCE + 3000);
  });

  it('past the stack has the receiver told behind its own interface', () => {
    const there = (flags?: readonly TcpFlag[]) => machine.from(packet(web, api, segment(false, flags)));
    there(['syn']);
    deny(2);
    const { sent } = observe(() => there());
    expect(sent.map(({ ifindex, side }) => [ifindex, side])).toEqual([
      [HERE, 'out'],
      [API.ifindex, 'out'],
      [API.ifindex, 'out'],
    ]);
    expect(readTcp((sent[1] as Sent).frame)).toEqual(
      expectedTcp([macBytes(API.mac), macBytes(API.hostMac as string)], web, api, {
        ...toOutside,
        sequence: SEQUENCE,
        acknowledged: ACKNOWLEDGED,
        flags: ['rst', 'ack'],
      }),
    );
  });

  it('has the receiver told by way of the stack where another has come to its address since', () => {
    const there = (flags?: readonly TcpFlag[]) => machine.from(packet(web, api, segment(false, flags)));
    there(['syn']);
    deny(2);
    machine.change(API.id, { id: API.id + 100 });
    try {
      const { sent } = observe(() => there());
      expect(sent.map(({ ifindex, side }) => [ifindex, side])).toEqual([
        [HERE, 'out'],
        [HERE, 'in'],
        [HERE, 'in'],
      ]);
    } finally {
      machine.change(API.id, {});
    }
  });

  it('has the receiver told by way of the stack where its address has come to this host since', () => {
    open();
    deny(2);
    machine.setAddress(outside, API.id);
    try {
      const { sent } = observe(() => out());
      expect(sent.map(({ ifindex, side }) => [ifindex, side])).toEqual([
        [HERE, 'out'],
        [HERE, 'in'],
        [HERE, 'in'],
      ]);
    } finally {
      machine.setAddress(outside, undefined);
    }
  });

  it('has nobody told in answer to a RST, nor to what acknowledges nothing', () => {
    open();
    deny(2);
    recorder.run(() => out());
    for (const flags of [['rst'], ['rst', 'ack'], ['psh'], ['fin']] as const) {
      expect(observe(() => out(flags))).toMatchObject({ outcome: { action: 'shot' }, sent: [] });
      expect(observe(() => back(flags))).toMatchObject({ outcome: { action: 'shot' }, sent: [] });
    }
    expect(observe(() => out(['syn']))).toMatchObject({ outcome: { action: 'shot' }, sent: [] });
  });

  it('has nobody told by what another workload says in the name of an end', () => {
    open();
    deny(2);
    machine.at(API.id);
    const data = packet(web, outside, segment(false, ['ack']));
    const { outcome, sent } = observe(() => machine.from(data));
    expect([outcome.reason, sent]).toEqual(['DROP_SPOOFED_ADDRESS', []]);
  });

  it('has nobody told by fragments, nor by what has a longer header', () => {
    open();
    deny(2);
    const extensions = [padding(EXTENSION.DESTINATION)];
    const longer = family === 4 ? { options: new Uint8Array(4).fill(1) } : { extensions };
    const fragment =
      family === 4
        ? { hasMoreFragments: true }
        : { extensions: [fragmentHeader({ identification: 1, offset: 0, hasMore: true })] };
    for (const more of [longer, fragment]) {
      const data = packet(web, outside, segment(false, ['ack'], new Uint8Array(16)), more);
      expect(observe(() => machine.from(data))).toMatchObject({ outcome: { action: 'shot', data }, sent: [] });
    }
  });

  it('has nobody told where it is to be dropped, and the segment stays as it was', () => {
    open();
    deny(2, 0);
    for (const run of [out, back]) expect(observe(() => run(['ack'], new Uint8Array(30))).sent).toEqual([]);
    const given = packet(web, outside, segment(false, ['ack'], new Uint8Array(30)));
    expect(machine.from(given).data).toEqual(given);
  });

  it('counts what it has sent, by itself', () => {
    open();
    deny(2);
    const before = machine.counter(Reason.RESET_SENT);
    recorder.run(() => out());
    const after = machine.counter(Reason.RESET_SENT);
    expect([after.packets - before.packets, after.bytes - before.bytes]).toEqual([3n, family === 4 ? 120n : 180n]);
  });

  it('lets what it sends, and nobody else, past the next hook', () => {
    open();
    deny(2);
    const { sent } = observe(() => out());
    const [toSender, toReceiver] = sent as [Sent, Sent, Sent];
    const passed = (data: Uint8Array, mark: number) => [
      machine.to(data, { ...SENT_HERE, mark }).action,
      machine.from(data, { mark }).action,
    ];
    expect(toSender.mark).not.toBe(0);
    expect(toReceiver.mark).toBe(toSender.mark);
    expect(passed(toSender.frame, toSender.mark)).toEqual(['ok', 'ok']);
    // The same packet twice: what it bore is gone behind the hook.
    expect(machine.to(toSender.frame, { ...SENT_HERE, mark: toSender.mark, repeat: 2 }).action).toBe('shot');
    // It is worth nothing to any other packet, nor where none is sent.
    const others = [
      packet(outside, web, segment(true, ['rst'], new Uint8Array(4))),
      packet(outside, web, segment(true, ['rst', 'fin'])),
      packet(outside, web, segment(true)),
    ];
    for (const data of others) expect(machine.to(data, { ...SENT_HERE, mark: toSender.mark }).action).toBe('shot');
    const datagram = udp({ sourcePort: 80, destinationPort: 5000, payload: new Uint8Array(12).fill(4) });
    expect(machine.from(packet(outside, web, datagram), { mark: toSender.mark }).action).toBe('shot');
    deny(3, 0);
    expect(passed(toSender.frame, toSender.mark)).toEqual(['shot', 'shot']);
    deny(4);
    for (const mark of [0, 1, toSender.mark ^ 2]) expect(passed(toSender.frame, mark)).toEqual(['shot', 'shot']);
  });
});

describe('other flows that a change of policy denies', () => {
  const denied = (data: Uint8Array) => observe(() => machine.from(data));

  it('of UDP have nobody told', () => {
    const data = packet(WEB.v4 as string, OUTSIDE.v4, udp({ sourcePort: 5000, destinationPort: 53 }));
    machine.from(data);
    deny(2);
    for (let round = 0; round < 2; round += 1) {
      const { outcome, sent } = denied(data);
      expect([outcome.action, sent]).toEqual(['shot', []]);
      expect(outcome.data).toEqual(data);
    }
  });

  it('and connections that never were allowed have nobody told', () => {
    deny(2);
    for (const flags of [['syn'], ['ack']] as const) {
      const { outcome, sent } = denied(packet(WEB.v4 as string, OUTSIDE.v4, segment(false, flags)));
      expect([outcome.reason, sent]).toEqual(['DROP_EGRESS_POLICY', []]);
    }
  });
});
