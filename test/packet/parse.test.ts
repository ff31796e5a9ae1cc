import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXTENSION, fragmentHeader, padding } from '../support/packets/ip.ts';
import { bare, icmp, PROTOCOL, sctp, tcp, udp, udpLite } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = { v4: WEB.v4 as string, v6: WEB.v6 as string };
const query = udp({ sourcePort: 1000, destinationPort: 53 });
const syn = tcp({ sourcePort: 1000, destinationPort: 80, flags: ['syn'] });
const cut = (data: Uint8Array, bytes: number): Uint8Array => data.slice(0, bytes);

describe('parse', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB]);
    machine.publish(openPolicy());
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());
  beforeEach(() => machine.forgetFlows());

  const v4 = (options = {}, segment = query) => packet(web.v4, OUTSIDE.v4, segment, options);
  const v6 = (options = {}, segment = query) => packet(web.v6, OUTSIDE.v6, segment, options);

  it.each([
    { what: 'another version in IPv4', data: v4({ version: 5 }) },
    { what: 'a header shorter than 20 bytes', data: v4({ headerWords: 4 }) },
    { what: 'a total length shorter than the header', data: v4({ totalLength: 19 }) },
    { what: 'options beyond the total length', data: v4({ headerWords: 15, totalLength: 28 }) },
    { what: 'a total length of zero without segmentation', data: v4({ totalLength: 0 }) },
    { what: 'another version in IPv6', data: v6({ version: 4 }) },
    {
      what: 'a TCP data offset below 20 bytes',
      data: v4({}, tcp({ sourcePort: 1, destinationPort: 2, flags: ['syn'], dataOffset: 4 })),
    },
    { what: 'an IPv4-mapped source in IPv6', data: packet('::ffff:10.65.0.2', OUTSIDE.v6, query) },
    { what: 'an IPv4-mapped destination in IPv6', data: packet(web.v6, '::ffff:10.65.0.3', query) },
  ])('refuses $what as malformed', ({ data }) => {
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_MALFORMED' });
    expect(machine.to(data)).toMatchObject({ action: 'shot', reason: 'DROP_MALFORMED' });
  });

  it.each([
    { what: 'before the total length', data: cut(v4(), 40) },
    { what: 'before the payload length', data: cut(v6(), 60) },
    { what: 'inside the TCP header', data: v4({}, { ...syn, bytes: cut(syn.bytes, 19) }) },
    { what: 'inside the UDP header', data: v4({}, { ...query, bytes: cut(query.bytes, 7) }) },
    { what: 'inside the SCTP header', data: v4({}, bare(PROTOCOL.SCTP, new Uint8Array(11))) },
    { what: 'inside the ICMP header', data: v4({}, bare(PROTOCOL.ICMP, new Uint8Array(7))) },
    { what: 'inside the ICMPv6 header', data: v6({}, bare(PROTOCOL.ICMPV6, new Uint8Array(7))) },
    {
      what: 'where the header says, though the frame goes on',
      data: packet(web.v4, OUTSIDE.v4, query, { totalLength: 24 }, { trailer: 20 }),
    },
    {
      what: 'inside an extension header',
      data: v6({ extensions: [padding(EXTENSION.DESTINATION, 16)], payloadLength: 4 }),
    },
  ])('refuses a packet that ends $what as truncated', ({ data }) => {
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_TRUNCATED' });
    expect(machine.to(data)).toMatchObject({ action: 'shot', reason: 'DROP_TRUNCATED' });
  });

  it.each([
    { what: 'IPv4 options', data: v4({ options: new Uint8Array(40).fill(1) }), protocol: 17, port: 53 },
    {
      what: 'trailing bytes after a short packet',
      data: packet(web.v4, OUTSIDE.v4, query, {}, { trailer: 18 }),
      protocol: 17,
      port: 53,
    },
    { what: 'one extension header', data: v6({ extensions: [padding(EXTENSION.HOP_BY_HOP)] }), protocol: 17, port: 53 },
    {
      what: 'extension headers of several kinds',
      data: v6({ extensions: [padding(0, 16), padding(60), padding(43, 24), padding(60)] }, syn),
      protocol: 6,
      port: 80,
    },
    {
      what: 'eight extension headers',
      data: v6({ extensions: Array.from({ length: 8 }, () => padding(60)) }),
      protocol: 17,
      port: 53,
    },
    {
      what: 'an atomic fragment',
      data: v6({ extensions: [fragmentHeader({ identification: 9, offset: 0, hasMore: false })] }),
      protocol: 17,
      port: 53,
    },
    { what: 'SCTP', data: v4({}, sctp({ sourcePort: 1, destinationPort: 3868 })), protocol: 132, port: 3868 },
    { what: 'UDPLite', data: v6({}, udpLite({ sourcePort: 1, destinationPort: 54 })), protocol: 136, port: 54 },
    { what: 'a bare protocol', data: v4({}, bare(PROTOCOL.GRE)), protocol: 47, port: 0 },
    {
      what: 'a bare protocol without a byte',
      data: v4({}, bare(PROTOCOL.GRE, new Uint8Array(0))),
      protocol: 47,
      port: 0,
    },
    { what: 'ESP', data: v6({}, bare(PROTOCOL.ESP)), protocol: 50, port: 0 },
    {
      what: 'AH, which is not followed',
      data: v6({ extensions: [padding(60)] }, bare(PROTOCOL.AH)),
      protocol: 51,
      port: 0,
    },
    { what: 'no next header', data: v6({}, bare(PROTOCOL.NONE, new Uint8Array(0))), protocol: 59, port: 0 },
  ])('finds protocol and port behind $what', ({ data, protocol, port }) => {
    const { action, events } = machine.from(data);
    expect(action).toBe('ok');
    expect(events).toMatchObject([{ protocol, destination_port: port }]);
  });

  it('refuses a ninth extension header', () => {
    const data = v6({ extensions: Array.from({ length: 9 }, () => padding(60)) });
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_EXTENSION_HEADERS' });
  });

  it('refuses headers that reach beyond 2,048 bytes', () => {
    const data = v6({ extensions: [padding(60, 2040), padding(60, 64)] });
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_EXTENSION_HEADERS' });
  });

  it('accepts zero lengths in packets that are still to be segmented', () => {
    const segment = tcp({ sourcePort: 1, destinationPort: 81, flags: ['ack'], payload: new Uint8Array(3000) });
    expect(machine.from(v4({ totalLength: 0 }, segment), { gsoSize: 1400 })).toMatchObject({ action: 'ok' });
    expect(machine.from(v6({ payloadLength: 0 }, segment), { gsoSize: 1400 })).toMatchObject({ action: 'ok' });
  });

  it('reads type and code of ICMP', () => {
    const { events } = machine.from(v4({}, icmp({ family: 4, type: 13, code: 2 })));
    expect(events).toMatchObject([{ protocol: 1, icmp_type: 13, icmp_code: 2, source_port: 0, destination_port: 0 }]);
  });
});
