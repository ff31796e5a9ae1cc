import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Endpoint, EndpointFlags } from '../../src/abi/endpoint.gen.ts';
import { arp, ETHERTYPE, rawFrame } from '../support/packets/ethernet.ts';
import { icmp, udp } from '../support/packets/transport.ts';
import { ENDPOINT_SLOTS } from './support/endpoint-memory.ts';
import { Machine } from './support/machine.ts';
import { DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = { v4: WEB.v4 as string, v6: WEB.v6 as string };
const query = udp({ sourcePort: 1000, destinationPort: 53 });
const ALL_NODES = 'ff02::1';
const LINK_LOCAL = 'fe80::1';

describe('an interface', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB, DB]);
    machine.publish(openPolicy());
  });
  afterAll(() => machine.close());

  it.each(['from', 'to'] as const)('without an endpoint drops everything, even ARP (%s)', (hook) => {
    machine.atNobody();
    for (const data of [arp(), packet(web.v4, OUTSIDE.v4, query)]) {
      expect(machine[hook](data)).toMatchObject({ action: 'shot', reason: 'DROP_NOT_READY' });
    }
  });

  it.each(['from', 'to'] as const)('whose endpoint has no policy yet drops everything, even ARP (%s)', (hook) => {
    machine.at(WEB.id);
    machine.change(WEB.id, { flags: 0 });
    expect(machine[hook](arp())).toMatchObject({ action: 'shot', reason: 'DROP_NOT_READY' });
    machine.change(WEB.id, {});
    expect(machine[hook](arp())).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEIGHBOUR' });
  });

  it('reports a drop that is not policy as an event with its reason', () => {
    machine.atNobody();
    const { events } = machine.from(arp());
    expect(events).toMatchObject([{ kind: 5, reason: 9, family: 0, ifindex: 1 }]);
  });
});

describe('an interface whose first place in the table of endpoints', () => {
  /** Packets come by interface 1; this workload's interface is looked for at the same place, and was there first. */
  const first = { ...DB, ifindex: 1 + ENDPOINT_SLOTS };
  const fromFirst = packet(first.v4 as string, OUTSIDE.v4, query, {}, { sourceMac: first.mac });
  let machine: Machine;
  beforeEach(() => {
    machine = new Machine([first, { ...WEB, ifindex: 2 }]);
    machine.publish(openPolicy());
  });
  afterEach(() => machine.close());

  it.each(['from', 'to'] as const)("is another's has no endpoint unless it has a place of its own (%s)", (hook) => {
    for (const data of [arp(), fromFirst, packet(OUTSIDE.v4, first.v4 as string, query)]) {
      expect(machine[hook](data)).toMatchObject({ action: 'shot', reason: 'DROP_NOT_READY' });
    }
  });

  it("is another's has the endpoint that is in a later place", () => {
    const endpoints = new DataView(machine.map('tt_endpoints').mmap());
    endpoints.setUint32(2 * Endpoint.SIZE + Endpoint.OFFSET.ifindex, 1, true);
    expect(machine.from(packet(web.v4, OUTSIDE.v4, query))).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEW' });
    expect(machine.from(fromFirst)).toMatchObject({ action: 'shot', reason: 'DROP_SPOOFED_ADDRESS' });
  });
});

describe('frames', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB, DB]);
    machine.publish(openPolicy());
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());

  it.each([
    { what: 'LLDP', data: rawFrame(ETHERTYPE.LLDP, new Uint8Array(46)) },
    { what: 'a VLAN tag', data: packet(web.v4, OUTSIDE.v4, query, {}, { vlan: 7 }) },
    { what: 'a VLAN tag on IPv6', data: packet(web.v6, OUTSIDE.v6, query, {}, { vlan: 7 }) },
  ])('with $what are dropped at both hooks', ({ data }) => {
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_ETHERTYPE' });
    expect(machine.to(data)).toMatchObject({ action: 'shot', reason: 'DROP_ETHERTYPE' });
  });

  const solicitation = { family: 6, type: 135, payload: new Uint8Array(16) } as const;
  it.each([
    { what: 'solicitation from ::', source: '::', destination: ALL_NODES, type: 135, hopLimit: 255 },
    { what: 'solicitation to a link-local address', source: web.v6, destination: LINK_LOCAL, type: 135, hopLimit: 255 },
    {
      what: 'advertisement from a link-local address',
      source: LINK_LOCAL,
      destination: OUTSIDE.v6,
      type: 136,
      hopLimit: 255,
    },
    { what: 'router solicitation', source: 'fe80::2', destination: 'ff02::2', type: 133, hopLimit: 255 },
    { what: 'listener query', source: LINK_LOCAL, destination: ALL_NODES, type: 130, hopLimit: 1 },
    { what: 'listener report', source: 'fe80::2', destination: ALL_NODES, type: 131, hopLimit: 1 },
    { what: 'listener done', source: 'fe80::2', destination: 'ff02::2', type: 132, hopLimit: 1 },
  ])('with a neighbour $what pass before policy', ({ source, destination, type, hopLimit }) => {
    machine.publish({ generation: 2, rules: [] });
    const data = packet(source, destination, icmp({ ...solicitation, type }), { hopLimit });
    expect(machine.from(data)).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEIGHBOUR' });
    expect(machine.to(data)).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEIGHBOUR' });
    machine.publish(openPolicy([], 3));
  });

  it.each([
    { what: 'a solicitation that a router may have forwarded', type: 135, hopLimit: 254, destination: ALL_NODES },
    { what: 'a router advertisement', type: 134, hopLimit: 255, destination: ALL_NODES },
    { what: 'a solicitation between global addresses', type: 135, hopLimit: 255, destination: OUTSIDE.v6 },
  ])('with $what are judged by policy', ({ type, hopLimit, destination }) => {
    machine.publish({ generation: 4, rules: [{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }] });
    const data = packet(web.v6, destination, icmp({ ...solicitation, type }), { hopLimit });
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
  });
});

describe('the spoof check', () => {
  let machine: Machine;
  const READY = EndpointFlags.READY;
  const sources = [
    { address: '10.99.0.0', length: 16 },
    { address: 'fd99::', length: 16 },
  ];
  beforeAll(() => {
    machine = new Machine([
      { ...WEB, sources },
      { ...DB, v6: undefined },
    ]);
    machine.publish(openPolicy());
  });
  afterAll(() => machine.close());

  it.each([
    { what: 'its own IPv4 address', source: web.v4, more: false, reason: 'ALLOWED_NEW' },
    { what: 'its own IPv6 address', source: web.v6, more: false, reason: 'ALLOWED_NEW' },
    { what: "another's IPv4 address", source: DB.v4 as string, more: false, reason: 'DROP_SPOOFED_ADDRESS' },
    { what: 'an IPv6 address of nobody', source: 'fd00:65::77', more: false, reason: 'DROP_SPOOFED_ADDRESS' },
    { what: 'a given IPv4 prefix', source: '10.99.3.4', more: true, reason: 'ALLOWED_NEW' },
    { what: 'a given IPv6 prefix', source: 'fd99::1', more: true, reason: 'ALLOWED_NEW' },
    {
      what: 'a prefix that is given but switched off',
      source: '10.99.3.5',
      more: false,
      reason: 'DROP_SPOOFED_ADDRESS',
    },
    { what: 'outside of the given prefixes', source: '10.98.3.4', more: true, reason: 'DROP_SPOOFED_ADDRESS' },
    { what: 'the unspecified address', source: '::', more: true, reason: 'DROP_SPOOFED_ADDRESS' },
  ])('on a packet from $what says $reason', ({ source, more, reason }) => {
    machine.at(WEB.id).change(WEB.id, { flags: READY | (more ? EndpointFlags.MORE_SOURCES : 0) });
    const destination = source.includes(':') ? OUTSIDE.v6 : OUTSIDE.v4;
    expect(machine.from(packet(source, destination, query))).toMatchObject({ reason });
  });

  it("does not lend one endpoint's prefixes to another", () => {
    machine.at(DB.id).change(DB.id, { flags: READY | EndpointFlags.MORE_SOURCES });
    const data = packet('10.99.3.4', OUTSIDE.v4, query, {}, { sourceMac: DB.mac });
    expect(machine.from(data)).toMatchObject({ reason: 'DROP_SPOOFED_ADDRESS' });
  });

  it('refuses :: from an endpoint that has no IPv6 address', () => {
    machine.at(DB.id).change(DB.id, { v6: undefined, flags: READY });
    expect(machine.from(packet('::', OUTSIDE.v6, query))).toMatchObject({ reason: 'DROP_SPOOFED_ADDRESS' });
  });

  it('asks for the MAC only where told to, but then of every frame', () => {
    const foreign = { sourceMac: '02:00:00:00:00:99' };
    const data = packet(web.v4, OUTSIDE.v4, udp({ sourcePort: 1, destinationPort: 2 }), {}, foreign);
    machine.at(WEB.id).change(WEB.id, { flags: READY });
    expect(machine.from(data)).toMatchObject({ reason: 'ALLOWED_NEW' });
    machine.change(WEB.id, { flags: READY | EndpointFlags.MAC_CHECK });
    expect(machine.from(data)).toMatchObject({ reason: 'DROP_SPOOFED_MAC' });
    expect(machine.from(arp(foreign))).toMatchObject({ reason: 'DROP_SPOOFED_MAC' });
    expect(machine.from(arp())).toMatchObject({ reason: 'ALLOWED_NEIGHBOUR' });
  });

  it('is not made on packets to the workload', () => {
    machine.at(WEB.id).change(WEB.id, { flags: READY | EndpointFlags.MAC_CHECK });
    expect(machine.to(packet(OUTSIDE.v4, web.v4, query))).toMatchObject({ reason: 'ALLOWED_NEW' });
  });
});
