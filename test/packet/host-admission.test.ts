import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HOST_PACKETS, type HostPacket } from '../support/host-protocols.ts';
import { fragmentHeader } from '../support/packets/ip.ts';
import { bare, icmp, icmpError, type Segment, tcp, udp } from '../support/packets/transport.ts';
import { HostMachine, type HostOutcome } from './support/host-machine.ts';
import { ETH0, ETH1, hostPolicy, listsOf, type Saying, VETH } from './support/host-topology.ts';
import { ip, packet, WEB } from './support/topology.ts';

type Answer = 'allow' | 'deny';
const SCOPES = ['untracked', 'preDnat', 'normal', 'forward'] as const;
const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const FAR = { 4: '198.51.100.7', 6: '2001:db8:7::7' } as const;
const ROUTER = { 4: '203.0.113.1', 6: '2001:db8:ffff::1' } as const;

let host: HostMachine;
let generation = 0;
beforeAll(() => {
  host = new HostMachine([WEB]);
});
beforeEach(() => host.machine.forgetFlows());
afterAll(() => host.close());

/** All lists of all interfaces say it. */
function publish(answer: Answer): void {
  generation += 1;
  host.setInterfaces({ [ETH0]: listsOf(ETH0), [ETH1]: listsOf(ETH1), [VETH]: listsOf(VETH, ['forward', 'preDnat']) });
  const sayings = [ETH0, ETH1, VETH].flatMap((at) =>
    SCOPES.flatMap((scope) => (['ingress', 'egress'] as const).map((way): Saying => [at, scope, way, answer])),
  );
  host.machine.publish(hostPolicy(sayings, generation));
}

function segmentOf({ protocol, ports, icmp: message }: HostPacket): Segment {
  if (message !== undefined) {
    const [type, code] = message;
    return icmp({ family: protocol === 1 ? 4 : 6, type, code, payload: new Uint8Array(32) });
  }
  if (ports === undefined) return bare(protocol);
  const [sourcePort, destinationPort] = ports;
  return protocol === 6 ? tcp({ sourcePort, destinationPort, flags: ['syn'] }) : udp({ sourcePort, destinationPort });
}

function send(sent: HostPacket, options: Parameters<typeof packet>[3] = { hopLimit: 255 }, at = ETH0): HostOutcome {
  const data = packet(sent.source, sent.destination, segmentOf(sent), sent.source.includes(':') ? options : {});
  return host.run(sent.hook, data, sent.hook === 'to-host' ? { in: at } : { out: at });
}

describe('a host whose lists deny everything', () => {
  beforeEach(() => publish('deny'));

  it.each(HOST_PACKETS.filter(({ admission }) => admission === 'always'))('takes part in: $what', (sent) => {
    expect(send(sent)).toMatchObject({ action: 'accept', reason: 'ALLOWED_NEIGHBOUR', events: [] });
  });

  it.each(HOST_PACKETS.filter(({ admission }) => admission !== 'always'))('judges by its lists: $what', (sent) => {
    expect(send(sent).reason).toMatch(/^DROP_UNTRACKED$/);
    publish('allow');
    expect(send(sent).reason).toBe('ALLOWED_UNTRACKED');
  });

  const discovery = HOST_PACKETS.filter(
    ({ what, protocol, admission }) => admission === 'always' && protocol === 58 && !what.startsWith('multicast'),
  );
  it.each(discovery)('does not believe what a router may have let through: $what', (sent) => {
    expect(send(sent, { hopLimit: 254 }).reason).toBe('DROP_UNTRACKED');
  });

  it.each(HOST_PACKETS.filter(({ admission }) => admission === 'always'))('judges fragments of: $what', (sent) => {
    const extensions = [fragmentHeader({ identification: 9, offset: 0, hasMore: true })];
    expect(send(sent, { hopLimit: 255, extensions }).reason).toBe('DROP_UNTRACKED');
  });

  it.each(['router advertisement of the link', 'DHCPv6 reply'])('takes none from a workload: %s', (what) => {
    const sent = HOST_PACKETS.find((each) => each.what === what) as HostPacket;
    expect(send(sent, { hopLimit: 255 }, VETH).reason).toBe('DROP_PRE_DNAT');
  });

  it('forwards no router advertisement and no DHCPv6', () => {
    for (const what of ['router advertisement of the link', 'DHCPv6 reply', 'DHCPv6 request']) {
      const sent = HOST_PACKETS.find((each) => each.what === what) as HostPacket;
      const data = packet(sent.source, sent.destination, segmentOf(sent), { hopLimit: 255 });
      expect(host.run('forward', data, { in: ETH0, out: ETH1 }).reason, what).toBe('DROP_UNTRACKED');
    }
  });

  it('takes neighbour discovery of a workload only as far as the policy of the workload lets it', () => {
    const solicitation = (destination: string) =>
      packet(WEB.v6 as string, destination, icmp({ family: 6, type: 135, payload: new Uint8Array(16) }), {
        hopLimit: 255,
      });
    const judged = solicitation(HOST[6]);
    expect(host.machine.at(WEB.id).from(judged).reason).toBe('ALLOWED_NEW');
    host.machine.forgetFlows();
    host.machine.publish({
      generation: generation + 1,
      rules: [{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }],
    });
    expect(host.machine.at(WEB.id).from(judged).reason).toBe('DROP_EGRESS_POLICY');
    expect(host.machine.at(WEB.id).from(solicitation('ff02::1:ff00:1')).reason).toBe('ALLOWED_NEIGHBOUR');
    const report = icmp({ family: 6, type: 143, payload: new Uint8Array(16) });
    expect(host.machine.at(WEB.id).from(packet(WEB.v6 as string, 'ff02::16', report, { hopLimit: 1 })).reason).toBe(
      'DROP_EGRESS_POLICY',
    );
    expect(host.run('to-host', judged, { in: VETH }).reason).toBe('ALLOWED_NEIGHBOUR');
  });
});

describe.each([4, 6] as const)('path MTU discovery over IPv%s', (family) => {
  const query = udp({ sourcePort: 1000, destinationPort: 53 });
  const tooBig = (from: string, to: string) =>
    icmpError({
      family,
      type: family === 4 ? 3 : 2,
      code: family === 4 ? 4 : 0,
      rest: 1280,
      cites: ip(from, to, query).bytes,
    });
  const sayings = (way: 'ingress' | 'egress'): readonly Saying[] => [
    [ETH0, 'normal', 'ingress', 'deny'],
    [ETH0, 'normal', 'egress', 'deny'],
    [ETH0, 'normal', way, 'allow'],
  ];
  beforeEach(() => {
    generation += 1;
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) });
  });

  it('works for what the host sends: routers on the way may say that it is too big', () => {
    host.machine.publish(hostPolicy(sayings('egress'), generation));
    const error = packet(ROUTER[family], HOST[family], tooBig(HOST[family], FAR[family]));
    expect(host.run('to-host', error, { in: ETH0 }).reason).toBe('DROP_HOST_INGRESS');
    host.run('from-host', packet(HOST[family], FAR[family], query), { out: ETH0 });
    expect(host.run('to-host', error, { in: ETH0 }).reason).toBe('ALLOWED_RELATED');
  });

  it('works for what the host takes: it may answer that it cannot', () => {
    host.machine.publish(hostPolicy(sayings('ingress'), generation));
    const error = packet(HOST[family], FAR[family], tooBig(FAR[family], HOST[family]));
    expect(host.run('from-host', error, { out: ETH0 }).reason).toBe('DROP_HOST_EGRESS');
    host.run('to-host', packet(FAR[family], HOST[family], query), { in: ETH0 });
    expect(host.run('from-host', error, { out: ETH0 }).reason).toBe('ALLOWED_RELATED');
  });
});
