import { describe, expect, it } from 'vitest';
import { PROTOCOL } from '../../../src/model/flow.ts';
import { intersect } from '../../../src/tables/interval-sets.ts';
import { l4Index, pointSet, portSet, protocolConditions, protocolSet } from '../../../src/tables/l4-space.ts';

const contains = (set: readonly number[], index: number): boolean => intersect([index, index], set).length > 0;
const WITH_PORTS = [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE];

describe('the layer-4 index', () => {
  it.each(WITH_PORTS)('has every port of protocol %i, and ranges find it', (protocol) => {
    const set = portSet([
      { first: 1, last: 1 },
      { first: 80, last: 90 },
    ]);
    for (const [port, isInside] of [
      [0, false],
      [1, true],
      [2, false],
      [79, false],
      [80, true],
      [90, true],
      [91, false],
    ]) {
      const index = l4Index(protocol, port as number, 0, 0);
      expect(contains(set, index)).toBe(isInside);
      expect(contains(protocolSet(protocol), index)).toBe(true);
      expect(pointSet(protocol, port as number)).toEqual([index, index]);
    }
  });

  it('has no ports of other protocols', () => {
    const set = portSet([{ first: 1, last: 65535 }]);
    for (let protocol = 0; protocol < 256; protocol++) {
      if (WITH_PORTS.includes(protocol as (typeof WITH_PORTS)[number])) continue;
      expect(intersect(set, protocolSet(protocol))).toEqual([]);
    }
  });

  it('gives every protocol, port, ICMP type and code a number of its own', () => {
    const indexes = new Set<number>();
    let count = 0;
    const add = (index: number): void => {
      indexes.add(index);
      count += 1;
    };
    for (let protocol = 0; protocol < 256; protocol++) {
      if (protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6) {
        for (let code = 0; code < 65536; code += 255) add(l4Index(protocol, 0, code >>> 8, code & 255));
      } else if (WITH_PORTS.includes(protocol as (typeof WITH_PORTS)[number])) {
        for (let port = 0; port < 65536; port += 255) add(l4Index(protocol, port, 0, 0));
      } else add(l4Index(protocol, 0, 0, 0));
    }
    expect(indexes.size).toBe(count);
  });

  it('takes a rule about one protocol out of the rule about all', () => {
    const others = protocolConditions({ notProtocol: PROTOCOL.UDPLITE });
    expect(contains(others, l4Index(PROTOCOL.UDPLITE, 7, 0, 0))).toBe(false);
    expect(contains(others, l4Index(PROTOCOL.UDP, 7, 0, 0))).toBe(true);
  });
});
