import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXTENSION, padding } from '../support/packets/ip.ts';
import { bare, echo, icmp, icmpError, PROTOCOL, type Segment, sctp, tcp, udp } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { API, DB, ip, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = { 4: WEB.v4 as string, 6: WEB.v6 as string };
const far = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 };
const router = { 4: '198.51.100.1', 6: '2001:db8:ffff::1' };

let machine: Machine;
beforeAll(() => {
  machine = new Machine([WEB, DB, API]);
});
/** Nothing but flows that exist gets in. */
beforeEach(() => {
  machine.forgetFlows();
  machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'ingress', cell: 'deny' }]));
  machine.at(WEB.id);
});
afterAll(() => machine.close());

const errors: Readonly<Record<4 | 6, readonly { readonly name: string; readonly type: number }[]>> = {
  4: [
    { name: 'unreachable', type: 3 },
    { name: 'time exceeded', type: 11 },
    { name: 'parameter problem', type: 12 },
  ],
  6: [
    { name: 'unreachable', type: 1 },
    { name: 'too big', type: 2 },
    { name: 'time exceeded', type: 3 },
    { name: 'parameter problem', type: 4 },
  ],
};
const segments: readonly { readonly name: string; readonly segment: (family: 4 | 6) => Segment }[] = [
  { name: 'TCP', segment: () => tcp({ sourcePort: 40000, destinationPort: 80, flags: ['syn'] }) },
  { name: 'UDP', segment: () => udp({ sourcePort: 5000, destinationPort: 53 }) },
  { name: 'SCTP', segment: () => sctp({ sourcePort: 5000, destinationPort: 53 }) },
  { name: 'GRE', segment: () => bare(PROTOCOL.GRE) },
  { name: 'ping', segment: (family) => echo({ family, kind: 'request', identifier: 5 }) },
];

describe.each([4, 6] as const)('an ICMP error over IPv%s', (family) => {
  const errorAbout = (segment: Segment, options: { type?: number; source?: string; citedBytes?: number } = {}) => {
    const { type = family === 4 ? 3 : 1, source = router[family], citedBytes } = options;
    const cites = ip(web[family], far[family], segment).bytes;
    return machine.to(packet(source, web[family], icmpError({ family, type, cites, citedBytes })));
  };
  const query = udp({ sourcePort: 5000, destinationPort: 53 });

  it.each(errors[family])('$name passes with the flow it cites', ({ type }) => {
    machine.from(packet(web[family], far[family], query));
    expect(errorAbout(query, { type })).toMatchObject({ action: 'ok', reason: 'ALLOWED_RELATED', events: [] });
    expect(machine.flows()).toHaveLength(1);
  });

  it.each(segments)('about $name passes with no more than eight bytes of it', ({ segment }) => {
    machine.from(packet(web[family], far[family], segment(family)));
    const citedBytes = (family === 4 ? 20 : 40) + 8;
    expect(errorAbout(segment(family), { citedBytes }).reason).toBe('ALLOWED_RELATED');
  });

  it('is judged by policy when it cites no flow', () => {
    expect(errorAbout(query).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('is judged by policy when the cited packet is cut before its ports', () => {
    machine.from(packet(web[family], far[family], query));
    expect(errorAbout(query, { citedBytes: (family === 4 ? 20 : 40) + 4 }).reason).toBe('DROP_INGRESS_POLICY');
    expect(errorAbout(query, { citedBytes: 6 }).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('is judged by policy when the cited packet was not sent by its receiver', () => {
    machine.from(packet(web[family], far[family], query));
    const cites = ip(far[family], web[family], udp({ sourcePort: 53, destinationPort: 5000 })).bytes;
    const data = packet(router[family], web[family], icmpError({ family, type: family === 4 ? 3 : 1, cites }));
    expect(machine.to(data).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('is judged by policy when the flow waits to be judged again, or is too old', () => {
    machine.from(packet(web[family], far[family], query));
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'ingress', cell: 'deny' }], 2));
    expect(errorAbout(query).reason).toBe('DROP_INGRESS_POLICY');
    machine.from(packet(web[family], far[family], query));
    expect(errorAbout(query).reason).toBe('ALLOWED_RELATED');
    machine.ageFlows(61);
    expect(errorAbout(query).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('from the workload passes about what it received, and nothing else', () => {
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }]));
    const received = udp({ sourcePort: 9, destinationPort: 10 });
    machine.to(packet(far[family], web[family], received));
    const type = family === 4 ? 3 : 1;
    const own = icmpError({ family, type, cites: ip(far[family], web[family], received).bytes });
    expect(machine.from(packet(web[family], far[family], own)).reason).toBe('ALLOWED_RELATED');
    const between = udp({ sourcePort: 11, destinationPort: 12 });
    machine
      .at(API.id)
      .from(packet((family === 4 ? API.v4 : API.v6) as string, far[family], between, {}, { sourceMac: API.mac }));
    const foreign = icmpError({
      family,
      type,
      cites: ip((family === 4 ? API.v4 : API.v6) as string, far[family], between).bytes,
    });
    const data = packet(web[family], (family === 4 ? API.v4 : API.v6) as string, foreign);
    expect(machine.at(WEB.id).from(data).reason).toBe('DROP_EGRESS_POLICY');
  });

  it('in fragments is judged by policy', () => {
    machine.from(packet(web[family], far[family], query));
    const cites = ip(web[family], far[family], query).bytes;
    const error = icmpError({ family, type: family === 4 ? 3 : 1, cites });
    if (family === 6) return;
    expect(machine.to(packet(router[family], web[family], error, { hasMoreFragments: true })).reason).toBe(
      'DROP_INGRESS_POLICY',
    );
  });
});

describe('an ICMP error', () => {
  it('is found behind extension headers of the cited packet', () => {
    const query = udp({ sourcePort: 5000, destinationPort: 53 });
    machine.from(packet(web[6], far[6], query));
    const cites = ip(web[6], far[6], query, { extensions: [padding(EXTENSION.DESTINATION, 16)] }).bytes;
    expect(machine.to(packet(router[6], web[6], icmpError({ family: 6, type: 2, cites }))).reason).toBe(
      'ALLOWED_RELATED',
    );
  });

  it.each([0, 1, 2, 3, 4])('is judged by policy when the cited header says that it has %d words', (headerWords) => {
    const cites = ip(web[4], far[4], udp({ sourcePort: 5000, destinationPort: 53 }), { headerWords }).bytes;
    // A flow whose ports stand where that header would end.
    const view = new DataView(cites.buffer, cites.byteOffset + 4 * headerWords);
    const ports = { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
    expect(machine.from(packet(web[4], far[4], udp(ports))).reason).toBe('ALLOWED_NEW');
    const error = packet(router[4], web[4], icmpError({ family: 4, type: 3, cites }));
    expect(machine.to(error).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('is not what a redirect is', () => {
    const query = udp({ sourcePort: 5000, destinationPort: 53 });
    machine.from(packet(web[4], far[4], query));
    const redirect = icmpError({ family: 4, type: 5, cites: ip(web[4], far[4], query).bytes });
    expect(machine.to(packet(router[4], web[4], redirect)).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('without a cited packet is judged by policy', () => {
    expect(machine.to(packet(router[4], web[4], icmp({ family: 4, type: 3 }))).reason).toBe('DROP_INGRESS_POLICY');
  });
});
