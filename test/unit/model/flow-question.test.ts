import { describe, expect, it } from 'vitest';
import { formatQuestion, parseFlowQuestion } from '../../../src/model/flow-question.ts';

const TCP = { id: 1, src: '10.0.0.1', dst: '10.0.0.2', protocol: 'tcp', srcPort: 4000, dstPort: 80 };

describe('parseFlowQuestion', () => {
  it('reads a flow', () => {
    const { id, flow } = parseFlowQuestion(TCP);
    expect(id).toBe(1);
    expect(flow).toMatchObject({ protocol: 6, sourcePort: 4000, destinationPort: 80, icmpType: 0, icmpCode: 0 });
  });

  it('takes protocols by number, and no ports from those that have none', () => {
    expect(parseFlowQuestion({ ...TCP, protocol: 47 }).flow).toMatchObject({
      protocol: 47,
      sourcePort: 0,
      destinationPort: 0,
    });
  });

  it('fills in an ephemeral source port and echo request', () => {
    expect(parseFlowQuestion({ ...TCP, srcPort: undefined }).flow.sourcePort).toBe(32768);
    expect(parseFlowQuestion({ ...TCP, protocol: 'ICMP' }).flow.icmpType).toBe(8);
    expect(parseFlowQuestion({ src: 'fd00::1', dst: 'fd00::2', protocol: 'ICMPv6' }).flow.icmpType).toBe(128);
  });

  it.each([
    ['a number', 7, 'is not an object'],
    ['a bad address', { ...TCP, src: '10.0.0' }, 'src: is not an IP address'],
    ['mixed families', { ...TCP, dst: '::1' }, 'dst: is of another address family'],
    ['an unknown protocol', { ...TCP, protocol: 'XYZ' }, 'protocol: is not a protocol'],
    ['a protocol out of range', { ...TCP, protocol: 256 }, 'protocol: is not a protocol'],
    ['a port out of range', { ...TCP, dstPort: 65536 }, 'dstPort: is not a whole number'],
    ['a missing destination port', { ...TCP, dstPort: undefined }, 'dstPort: is not a whole number'],
    ['an IPv4-mapped address', { ...TCP, src: '::ffff:10.0.0.1', dst: '::1' }, 'src: is an IPv4-mapped address'],
    ['an IPv6 extension header', { src: '::1', dst: '::2', protocol: 43 }, 'protocol: is an IPv6 extension header'],
  ])('refuses %s', (_what, question, message) => {
    expect(() => parseFlowQuestion(question)).toThrow(message);
  });
});

describe('formatQuestion', () => {
  it.each([
    TCP,
    { id: 1, src: 'fd00::1', dst: 'fd00::2', protocol: 'ICMPv6', icmpType: 1, icmpCode: 4 },
    { id: 1, src: '10.0.0.1', dst: '10.0.0.2', protocol: 47 },
  ])('writes what parseFlowQuestion reads', (question) => {
    const { flow } = parseFlowQuestion(question);
    expect(parseFlowQuestion(formatQuestion(flow)).flow).toEqual(flow);
  });
});
