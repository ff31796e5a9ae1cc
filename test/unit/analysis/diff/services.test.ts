import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PacketSlice } from '../../../../src/analysis/diff/packet-space.ts';
import { describeServices, exampleServices } from '../../../../src/analysis/diff/services.ts';
import { hasPorts, isIcmp, PROTOCOL } from '../../../../src/model/flow.ts';
import { complement, type IntervalSet, intersect, unionOf } from '../../../../src/tables/interval-sets.ts';
import { l4Index, pointSet, portSet, protocolSet } from '../../../../src/tables/l4-space.ts';
import { L4_ENTRIES } from '../../../../src/tables/layout.ts';
import { serviceCovers } from '../../../support/diff/covers.ts';
import { newSeed } from '../../../support/worlds/questions.ts';

const { TCP, UDP, ICMP } = PROTOCOL;
const union = (...sets: IntervalSet[]): IntervalSet =>
  unionOf(
    sets.flatMap(
      (set) => set.flatMap((first, at) => (at % 2 === 0 ? [[first, set[at + 1] as number]] : [])) as [number, number][],
    ),
  );
const without = (set: IntervalSet): IntervalSet => complement(set, L4_ENTRIES);
const icmp = (type: number, code?: number): IntervalSet => {
  const base = protocolSet(ICMP)[0] as number;
  return code === undefined
    ? [base + 256 * type, base + 256 * type + 255]
    : [base + 256 * type + code, base + 256 * type + code];
};
const tcp = (first: number, last: number): IntervalSet => intersect(portSet([{ first, last }]), protocolSet(TCP));

const cases: [text: string, slices: PacketSlice[]][] = [
  ['everything', [{ l4: [0, L4_ENTRIES - 1] }]],
  ['TCP 443', [{ l4: pointSet(TCP, 443) }]],
  ['TCP 80, 8000-8080', [{ l4: union(pointSet(TCP, 80), tcp(8000, 8080)) }]],
  ['every TCP port but 22', [{ l4: union(tcp(0, 21), tcp(23, 65535)) }]],
  ['all UDP', [{ l4: protocolSet(UDP) }]],
  ['TCP 53; UDP 53', [{ l4: union(pointSet(TCP, 53), pointSet(UDP, 53)) }]],
  ['ICMP type 8', [{ l4: icmp(8) }]],
  ['ICMP types 0, 8, type 3 code 4', [{ l4: union(icmp(0), icmp(8), icmp(3, 4)) }]],
  ['all ICMP but type 5', [{ l4: intersect(protocolSet(ICMP), without(icmp(5))) }]],
  ['protocol 47', [{ l4: protocolSet(47) }]],
  [
    'protocols 2-5, 47',
    [{ l4: union(protocolSet(2), protocolSet(3), protocolSet(4), protocolSet(5), protocolSet(47)) }],
  ],
  ['everything but TCP 22, UDP 53', [{ l4: without(union(pointSet(TCP, 22), pointSet(UDP, 53))) }]],
  ['TCP 80 from source ports 53, 1024-65535', [{ l4: pointSet(TCP, 80), sourcePorts: [53, 53, 1024, 65535] }]],
  ['UDP 53 from source port 53', [{ l4: pointSet(UDP, 53), sourcePorts: [53, 53] }]],
];

const edge = fc.constantFrom(0, 1, 21, 22, 23, 52, 53, 54, 79, 80, 81, 443, 1023, 65534, 65535);
const piece: fc.Arbitrary<IntervalSet> = fc.oneof(
  fc.constantFrom(...Array.from({ length: 256 }, (_, protocol) => protocolSet(protocol))),
  fc.tuple(fc.constantFrom(TCP, UDP, PROTOCOL.SCTP, ICMP, PROTOCOL.ICMPV6), edge, edge).map(([protocol, a, b]) => {
    const base = protocolSet(protocol)[0] as number;
    return [base + Math.min(a, b), base + Math.max(a, b)];
  }),
);
const sets = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([pieces, isInverted]) => (isInverted ? without(union(...pieces)) : union(...pieces)));

describe('describeServices', () => {
  it.each(cases)('says %s', (text, slices) => {
    expect(describeServices(slices, 4).join('; ')).toBe(text);
  });

  it('leaves IPv6 extension headers out of words: no packet has them as its protocol', () => {
    expect(describeServices([{ l4: without(union(protocolSet(0), protocolSet(43))) }], 6)).toEqual(['everything']);
    expect(describeServices([{ l4: union(protocolSet(42), protocolSet(45)) }], 6)).toEqual(['protocols 42-45']);
  });

  it('says exactly the packets of the set', { timeout: 120_000 }, () => {
    const numbers = [
      0, 1, 20, 21, 22, 23, 51, 52, 53, 54, 55, 78, 79, 80, 81, 82, 443, 1022, 1023, 1024, 65533, 65534, 65535,
    ];
    const address = { family: 4 as const, words: [0] };
    fc.assert(
      fc.property(sets, (l4) => {
        const texts = describeServices([{ l4 }], 4);
        for (let protocol = 0; protocol < 256; protocol += 1) {
          for (const number of hasPorts(protocol) || isIcmp(protocol) ? numbers : [0]) {
            const [icmpType, icmpCode] = isIcmp(protocol) ? [number >>> 8, number & 255] : [0, 0];
            const destinationPort = hasPorts(protocol) ? number : 0;
            const flow = {
              source: address,
              destination: address,
              protocol,
              sourcePort: 0,
              destinationPort,
              icmpType,
              icmpCode,
            };
            const index = l4Index(protocol, destinationPort, icmpType, icmpCode);
            const isMeant = intersect(l4, [index, index]).length > 0;
            if (texts.some((text) => serviceCovers(text, flow)) !== isMeant)
              expect({ flow, texts, isMeant }).toBe('the same');
          }
        }
      }),
      { numRuns: 300, seed: newSeed('services') },
    );
  });
});

describe('exampleServices', () => {
  it.each([
    [
      'the usual port of a large set',
      [{ l4: [0, L4_ENTRIES - 1] }],
      { protocol: TCP, destinationPort: 80, sourcePort: undefined },
    ],
    ['not port 0', [{ l4: tcp(0, 21) }], { protocol: TCP, destinationPort: 1, sourcePort: undefined }],
    [
      'an ephemeral source port',
      [{ l4: tcp(22, 22), sourcePorts: [53, 53, 1024, 65535] }],
      { protocol: TCP, destinationPort: 22, sourcePort: 32768 },
    ],
    ['type and code', [{ l4: icmp(3, 4) }], { protocol: ICMP, icmpType: 3, icmpCode: 4 }],
  ] satisfies [string, PacketSlice[], object][])('begin with %s', (_, slices, expected) => {
    expect(exampleServices(slices)[0]).toMatchObject(expected);
  });
});
