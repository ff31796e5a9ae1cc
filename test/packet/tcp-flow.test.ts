import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../src/abi/event.gen.ts';
import { FlowFlags, FlowState } from '../../src/abi/flow.gen.ts';
import { type TcpFlag, tcp } from '../support/packets/transport.ts';
import { Machine, type Outcome } from './support/machine.ts';
import { API, DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const CLIENT_PORT = 40000;
const SERVER_PORT = 80;

/** The workload under test calls out, or is called: what its two directions look like from its interface. */
interface Call {
  readonly name: string;
  readonly workload: string;
  readonly far: string;
  readonly isCaller: boolean;
}

const calls: readonly Call[] = [
  { name: 'out over IPv4', workload: WEB.v4 as string, far: OUTSIDE.v4, isCaller: true },
  { name: 'in over IPv4', workload: WEB.v4 as string, far: OUTSIDE.v4, isCaller: false },
  { name: 'out over IPv6', workload: WEB.v6 as string, far: OUTSIDE.v6, isCaller: true },
  { name: 'in over IPv6', workload: WEB.v6 as string, far: OUTSIDE.v6, isCaller: false },
  { name: 'out to a lower address', workload: WEB.v4 as string, far: '10.1.0.1', isCaller: true },
];

describe.each(calls)('a TCP connection $name', ({ workload, far, isCaller }) => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB]);
  });
  beforeEach(() => {
    machine.forgetFlows();
    machine.publish(openPolicy());
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());

  const [client, server] = isCaller ? [workload, far] : [far, workload];
  const fromClient = (...flags: TcpFlag[]): Outcome => {
    const data = packet(client, server, tcp({ sourcePort: CLIENT_PORT, destinationPort: SERVER_PORT, flags }));
    return isCaller ? machine.from(data) : machine.to(data);
  };
  const fromServer = (...flags: TcpFlag[]): Outcome => {
    const data = packet(server, client, tcp({ sourcePort: SERVER_PORT, destinationPort: CLIENT_PORT, flags }));
    return isCaller ? machine.to(data) : machine.from(data);
  };
  const shake = (): void => {
    fromClient('syn');
    fromServer('syn', 'ack');
    fromClient('ack');
  };
  const denied = isCaller ? 'DROP_EGRESS_POLICY' : 'DROP_INGRESS_POLICY';
  const deny = (generation: number): void => {
    machine.publish(
      openPolicy([{ endpoint: WEB.id, direction: isCaller ? 'egress' : 'ingress', cell: 'deny' }], generation),
    );
  };

  it('goes through its states', () => {
    expect(fromClient('syn')).toMatchObject({
      action: 'ok',
      reason: 'ALLOWED_NEW',
      events: [{ kind: EventKind.NEW_FLOW }],
    });
    expect(machine.onlyFlow().state).toBe(FlowState.NEW);
    expect(fromServer('syn', 'ack')).toMatchObject({ action: 'ok', reason: 'ALLOWED_FLOW', events: [] });
    expect(machine.onlyFlow().state).toBe(FlowState.REPLIED);
    fromClient('ack');
    expect(machine.onlyFlow().state).toBe(FlowState.ESTABLISHED);
    fromServer('fin', 'ack');
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.CLOSING });
    fromServer('ack');
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.CLOSING });
    fromClient('fin', 'ack');
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.CLOSED });
    expect(machine.onlyFlow()).toMatchObject({
      packets: [3n, 3n],
      bytes: [3n, 3n].map((n) => n * BigInt(client.includes(':') ? 60 : 40)),
    });
  });

  it('is closed by a reset from either side', () => {
    shake();
    fromServer('rst');
    expect(machine.onlyFlow().state).toBe(FlowState.CLOSED);
    machine.forgetFlows();
    shake();
    fromClient('rst', 'ack');
    expect(machine.onlyFlow().state).toBe(FlowState.CLOSED);
  });

  it('counts a retransmitted SYN without reporting it again', () => {
    fromClient('syn');
    expect(fromClient('syn')).toMatchObject({ reason: 'ALLOWED_FLOW', events: [] });
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.NEW, packets: [2n, 0n] });
  });

  it('survives a denied SYN on its ports', () => {
    shake();
    // So that anything that the SYN prolonged would show.
    machine.ageFlows(1000);
    const before = machine.flows();
    deny(1);
    expect(fromClient('syn')).toMatchObject({ action: 'shot', reason: denied, events: [{ kind: EventKind.DENIED }] });
    expect(machine.flows()).toEqual(before);
    expect(fromClient('ack').action).toBe('ok');
  });

  it('starts over with a SYN once it is closed', () => {
    shake();
    fromClient('rst');
    expect(fromClient('syn')).toMatchObject({ reason: 'ALLOWED_NEW', events: [{ kind: EventKind.NEW_FLOW }] });
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.NEW, packets: [1n, 0n] });
  });

  it('turns round with a SYN from the other end', () => {
    shake();
    const { flags } = machine.onlyFlow();
    expect(fromServer('syn').reason).toBe('ALLOWED_NEW');
    expect(machine.onlyFlow()).toMatchObject({
      state: FlowState.NEW,
      flags: flags ^ FlowFlags.FROM_HIGH,
      packets: [1n, 0n],
    });
  });

  it('needs no permission for replies', () => {
    shake();
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: isCaller ? 'ingress' : 'egress', cell: 'deny' }], 2));
    expect(fromServer('ack').action).toBe('ok');
    expect(fromClient('ack').action).toBe('ok');
  });

  it('picked up in the middle is judged in the direction of what was seen', () => {
    deny(1);
    expect(fromClient('ack').reason).toBe(denied);
    expect(fromServer('ack').reason).toBe('ALLOWED_NEW');
  });

  it.each([
    { what: 'a handshake', seconds: 60, open: () => fromClient('syn') },
    { what: 'silence once established', seconds: 3600, open: shake },
    {
      what: 'a reset',
      seconds: 60,
      open: () => {
        shake();
        fromServer('rst');
      },
    },
  ])('expires $seconds s after $what', ({ seconds, open }) => {
    open();
    deny(1);
    machine.ageFlows(seconds - 1);
    expect(fromClient('ack').action).toBe('ok');
    machine.forgetFlows();
    machine.publish(openPolicy());
    open();
    deny(1);
    machine.ageFlows(seconds + 1);
    expect(fromClient('ack').reason).toBe(denied);
    expect(machine.flows()).toEqual([]);
  });
});

describe('a TCP connection between local workloads through the stack', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB, DB, API]);
  });
  beforeEach(() => {
    machine.forgetFlows();
    machine.publish(openPolicy());
  });
  afterAll(() => machine.close());

  const there = (...flags: TcpFlag[]) =>
    packet(WEB.v4 as string, API.v4 as string, tcp({ sourcePort: CLIENT_PORT, destinationPort: SERVER_PORT, flags }));
  const back = (...flags: TcpFlag[]) =>
    packet(
      API.v4 as string,
      WEB.v4 as string,
      tcp({ sourcePort: SERVER_PORT, destinationPort: CLIENT_PORT, flags }),
      {},
      { sourceMac: API.mac },
    );

  it("keeps the receiver's verdict when the sender's hook cannot name the receiver, until policy changes", () => {
    const open = openPolicy([{ endpoint: API.id, direction: 'ingress', cell: 'allow', traceId: 9 }]);
    machine.publish(open);
    machine.at(API.id).to(there('syn'));
    const { ingress_word } = machine.onlyFlow();
    expect(ingress_word).not.toBe(0);
    machine.setAddress(API.v4 as string, undefined);
    expect(machine.at(WEB.id).from(there('syn')).reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().ingress_word).toBe(ingress_word);
    machine.publish({ ...open, generation: 2 });
    expect(machine.at(WEB.id).from(there('syn')).reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().ingress_word).toBe(0);
    machine.setAddress(API.v4 as string, API.id);
  });

  it('counts each packet once though two hooks see it, and reports it once', () => {
    const events = [
      machine.at(WEB.id).from(there('syn')),
      machine.at(API.id).to(there('syn'), { ingressIfindex: 1 }),
      machine.at(API.id).from(back('syn', 'ack')),
      machine.at(WEB.id).to(back('syn', 'ack')),
      machine.at(WEB.id).from(there('ack')),
      machine.at(API.id).to(there('ack')),
    ].flatMap((outcome) => {
      expect(outcome.action).toBe('ok');
      return outcome.events;
    });
    expect(events).toHaveLength(1);
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.ESTABLISHED, packets: [2n, 1n] });
  });

  it('is judged at the receiver when it was not local at first', () => {
    machine.setAddress(API.v4 as string, undefined);
    machine.at(WEB.id).from(there('syn'));
    expect(machine.onlyFlow().ingress_word).toBe(0);
    machine.setAddress(API.v4 as string, API.id);
    expect(machine.at(API.id).to(there('syn')).reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().ingress_word).not.toBe(0);
  });

  it('is stopped at the receiver, each time, when that denies it on first sight', () => {
    machine.setAddress(API.v4 as string, undefined);
    machine.at(WEB.id).from(there('syn'));
    machine.setAddress(API.v4 as string, API.id);
    machine.publish(openPolicy([{ endpoint: API.id, direction: 'ingress', cell: 'deny' }]));
    for (let round = 0; round < 2; round += 1) {
      expect(machine.at(API.id).to(there('ack'))).toMatchObject({ action: 'shot', reason: 'DROP_INGRESS_POLICY' });
    }
    expect(machine.onlyFlow().egress_word).not.toBe(0);
  });

  it('is judged at the sender when only the receiver had seen it', () => {
    machine.at(API.id).to(there('ack'));
    expect(machine.onlyFlow().egress_word).toBe(0);
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }]));
    expect(machine.at(WEB.id).from(there('ack'))).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
    expect(machine.onlyFlow().flags & FlowFlags.REVOKED).toBe(FlowFlags.REVOKED);
  });
});
