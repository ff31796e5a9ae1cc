// Generated flows: addresses of workloads, prefixes and their neighbours; ports and protocols at every edge.
import fc from 'fast-check';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { type Flow, hasPorts, isIcmp } from '../../../src/model/flow.ts';
import { ICMP_TYPES, PORTS, v4Address, v6Address } from './vocabulary.ts';

const other = {
  4: fc.constantFrom('0.0.0.0', '9.255.255.255', '10.0.255.255', '10.2.0.0', '255.255.255.255', '127.0.0.1'),
  6: fc.constantFrom(
    '::1',
    'fcff::1',
    'fd00:1:0:2::',
    'fe00::1',
    '8000::',
    '7fff::1',
    '::',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    'ff03::1',
  ),
};

/** Mostly addresses of workloads, then of their neighbourhood, then far away. */
function addressOf(family: 4 | 6, owned: readonly string[]): fc.Arbitrary<IpAddress> {
  const usual = family === 4 ? v4Address : v6Address;
  const own = owned.filter((text) => text.includes(':') === (family === 6));
  return fc
    .oneof(
      { weight: own.length === 0 ? 0 : 10, arbitrary: own.length === 0 ? usual : fc.constantFrom(...own) },
      { weight: 4, arbitrary: usual },
      { weight: 1, arbitrary: other[family] },
    )
    .map((text) => parseAddress(text) as IpAddress);
}

const anyPort = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, ...PORTS) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 65535 }) },
);
const protocol = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(6, 6, 17, 132) },
  { weight: 3, arbitrary: fc.constantFrom(1, 58) },
  { weight: 2, arbitrary: fc.constantFrom(2, 47, 136, 255) },
);

/** One flow in a world whose workloads own these addresses. */
export function flowAmong(owned: readonly string[]): fc.Arbitrary<Flow> {
  return fc.constantFrom<4 | 6>(4, 6).chain((family) =>
    fc
      .record({
        source: addressOf(family, owned),
        destination: addressOf(family, owned),
        protocol,
        sourcePort: anyPort,
        destinationPort: anyPort,
        icmpType: fc.oneof(fc.constantFrom(...ICMP_TYPES), fc.integer({ min: 0, max: 255 })),
        icmpCode: fc.constantFrom(0, 1, 2, 255),
      })
      .map((made) => ({
        ...made,
        ...(hasPorts(made.protocol) ? {} : { sourcePort: 0, destinationPort: 0 }),
        ...(isIcmp(made.protocol) ? {} : { icmpType: 0, icmpCode: 0 }),
      })),
  );
}
