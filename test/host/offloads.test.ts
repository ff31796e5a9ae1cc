// What leaves a workload reaches the other one byte for byte, whatever is still to be done to it: checksums, segmentation. And what does not fit
// is told to its sender, as by any router.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeEndpoint, Endpoint } from '../../src/abi/endpoint.gen.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { HOST_SIDE_MAC } from '../../tools/lab/topology.ts';
import { ATTACKER, Battlefield, OPEN_PORT, OUTSIDER, OUTSIDER_MAC, VICTIM } from '../attacks/support/battlefield.ts';
import { GSO, type Offload, type RawFrame } from '../attacks/support/raw.ts';
import { addressBytes, concat, fields, internetChecksum } from '../support/packets/bytes.ts';
import { ETHERNET_BYTES, frame, macBytes } from '../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../support/packets/ip.ts';
import { type Segment, tcp, udp } from '../support/packets/transport.ts';

type Family = 4 | 6;
const SENDERS = {
  'a workload of the same host': { guest: ATTACKER.pod, addresses: ATTACKER.addresses },
  'a machine outside': { guest: OUTSIDER.name, addresses: OUTSIDER.addresses },
} as const;
const SMALL_MTU = 1300;
const HOPS = 64;
const MORE_OR_OFFSET_AT = ETHERNET_BYTES + 6;
const DONT_FRAGMENT = 0x40;

let field: Battlefield;
beforeAll(async () => {
  field = await Battlefield.create();
}, 60_000);
afterAll(() => field?.close());

/** Bytes that no offset, swap or repetition leaves alike. */
const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
const headerBytes = (family: Family): number => (family === 4 ? 20 : 40);
const victim = (family: Family): string => VICTIM.addresses[family === 4 ? 0 : 1] ?? '';
const mine = (addresses: readonly string[], family: Family): string => addresses[family === 4 ? 0 : 1] ?? '';

interface Shape {
  readonly what: string;
  readonly payload: number;
  readonly transport: 'tcp' | 'udp';
  readonly isPartial: boolean;
  readonly gso?: number | 'tcp';
  readonly gsoSize?: number;
}

const shapes: readonly Shape[] = [
  { what: 'a datagram of an odd length', transport: 'udp', payload: 1001, isPartial: false },
  { what: 'the longest datagram that fits', transport: 'udp', payload: 1452, isPartial: false },
  { what: 'a datagram whose checksum is still to be filled in', transport: 'udp', payload: 700, isPartial: true },
  { what: 'a TCP segment', transport: 'tcp', payload: 999, isPartial: false },
  { what: 'a TCP segment whose checksum is still to be filled in', transport: 'tcp', payload: 999, isPartial: true },
  { what: 'a TCP super-packet', transport: 'tcp', payload: 20_001, isPartial: true, gso: 'tcp', gsoSize: 1400 },
  {
    what: 'a TCP super-packet near 64 KiB',
    transport: 'tcp',
    payload: 65_000,
    isPartial: true,
    gso: 'tcp',
    gsoSize: 1400,
  },
  {
    what: 'datagrams in one super-packet',
    transport: 'udp',
    payload: 14_000,
    isPartial: true,
    gso: GSO.UDP_L4,
    gsoSize: 1400,
  },
  {
    what: 'datagrams in one super-packet, the last one shorter',
    transport: 'udp',
    payload: 5001,
    isPartial: true,
    gso: GSO.UDP_L4,
    gsoSize: 1000,
  },
];

let nextPort = 20_000;

/** One packet of a shape as its sender's driver would hand it over, from a port of its own. */
function shaped(shape: Shape, family: Family, source: string, hops = HOPS): { ip: Uint8Array; offload: Offload } {
  nextPort += 1;
  const ports = { sourcePort: nextPort, destinationPort: OPEN_PORT, payload: pattern(shape.payload) };
  const whole = shape.transport === 'tcp' ? tcp({ ...ports, flags: ['ack'] }) : udp(ports);
  const segment = shape.isPartial ? withPseudoChecksum(whole, source, victim(family)) : whole;
  const ends = { source, destination: victim(family), segment, ttl: hops, hopLimit: hops };
  const { bytes } = family === 4 ? ipv4(ends) : ipv6(ends);
  if (!shape.isPartial) return { ip: bytes, offload: {} };
  const start = ETHERNET_BYTES + headerBytes(family);
  const gsoOfTcp = family === 4 ? GSO.TCP4 : GSO.TCP6;
  const offload = {
    checksumStart: start,
    checksumOffset: whole.checksumAt ?? 0,
    gso: shape.gso === 'tcp' ? gsoOfTcp : (shape.gso ?? GSO.NONE),
    gsoSize: shape.gsoSize ?? 0,
    headerBytes: shape.gso === undefined ? 0 : start + (shape.transport === 'tcp' ? 20 : 8),
  };
  return { ip: bytes, offload };
}

/** With the sum over the pseudo header alone, which is what whoever fills in the rest begins with. */
function withPseudoChecksum({ checksumAt = 0, ...segment }: Segment, source: string, destination: string): Segment {
  const pseudo = concat(
    addressBytes(source),
    addressBytes(destination),
    fields([4, segment.bytes.length], [4, segment.protocol]),
  );
  const bytes = segment.bytes.slice();
  new DataView(bytes.buffer).setUint16(checksumAt, ~internetChecksum(pseudo) & 0xffff);
  return { ...segment, bytes };
}

/** What a router makes of an IP packet: one hop less. */
function forwarded(ip: Uint8Array): Uint8Array {
  const copy = ip.slice();
  const isV4 = (copy[0] ?? 0) >> 4 === 4;
  const at = isV4 ? 8 : 7;
  copy[at] = (copy[at] ?? 0) - 1;
  if (!isV4) return copy;
  copy.set([0, 0], 10);
  new DataView(copy.buffer).setUint16(10, internetChecksum(copy.slice(0, 20)));
  return copy;
}

async function frameOf(guest: string, ip: Uint8Array): Promise<Uint8Array> {
  const family = (ip[0] ?? 0) >> 4 === 4 ? 4 : 6;
  if (guest === 'red')
    return frame({ family, bytes: ip }, { sourceMac: field.mac('red'), destinationMac: HOST_SIDE_MAC });
  return frame({ family, bytes: ip }, { sourceMac: OUTSIDER_MAC, destinationMac: await field.uplinkMac() });
}

/** Source port of a frame that holds IP without options. */
function sourcePort(bytes: Uint8Array): number {
  const at = ETHERNET_BYTES + headerBytes(bytes[12] === 0x08 ? 4 : 6);
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each(Object.entries(SENDERS))('from %s', (_, { guest, addresses }) => {
  describe.each([4, 6] as const)('over IPv%s', (family) => {
    it.each(shapes)('$what arrives byte for byte, one hop older', async (shape) => {
      const { ip, offload } = shaped(shape, family, mine(addresses, family));
      const bytes = await frameOf(guest, ip);
      const port = sourcePort(bytes);
      const seen = await field.captureForVictim({ sender: guest, family }, async () => {
        expect(await field.raw.send(guest, [{ bytes, ...offload }])).toEqual(['ok']);
      });
      const arrived = seen.filter((one) => sourcePort(one.bytes) === port);
      expect(arrived).toHaveLength(1);
      const [{ bytes: got, gso, gsoSize, checksumStart, checksumOffset }] = arrived as [RawFrame];
      expect(hex(got.slice(0, 12))).toBe(hex(concat(macBytes(field.mac('green')), macBytes(HOST_SIDE_MAC))));
      expect(hex(got.slice(ETHERNET_BYTES))).toBe(hex(forwarded(ip)));
      const { gso: sentGso = 0, gsoSize: sentSize = 0, checksumStart: start = 0, checksumOffset: offset = 0 } = offload;
      expect({ gso, gsoSize, checksumStart, checksumOffset }).toEqual({
        gso: sentGso,
        gsoSize: sentSize,
        checksumStart: start,
        checksumOffset: offset,
      });
    });
  });
});

describe.each([4, 6] as const)('over IPv%s', (family) => {
  const datagram: Shape = { what: '', transport: 'udp', payload: 1372, isPartial: false };
  const train: Shape = { what: '', transport: 'tcp', payload: 20_000, isPartial: true, gso: 'tcp', gsoSize: 1400 };

  /** What the sender is told, and what the receiver gets, of one packet. */
  async function sendAndHear(
    shape: Shape,
    hops = HOPS,
    isWhole = true,
  ): Promise<{ told: RawFrame[]; got: RawFrame[] }> {
    const { ip, offload } = shaped(shape, family, mine(ATTACKER.addresses, family), hops);
    const bytes = await frameOf('red', ip);
    if (family === 4 && isWhole) setDontFragment(bytes);
    let got: RawFrame[] = [];
    const told = await field.captureForAttacker(family, async () => {
      got = await field.captureForVictim({ sender: 'red', family }, () =>
        field.raw.send('red', [{ bytes, ...offload }]),
      );
    });
    return {
      told: told.filter((one) => errorOf(one.bytes) !== undefined),
      got: got.filter((one) => hasSource(one.bytes)),
    };
  }

  /** Whether it comes from the attacker's address. */
  function hasSource(bytes: Uint8Array): boolean {
    const source = addressBytes(mine(ATTACKER.addresses, family));
    const at = ETHERNET_BYTES + (family === 4 ? 12 : 8);
    const isFamily = bytes[12] === (family === 4 ? 0x08 : 0x86);
    return isFamily && hex(bytes.slice(at, at + source.length)) === hex(source) && !isControl(bytes);
  }

  /** Its kernel answers what comes back to ports that nobody listens on. */
  const isControl = (bytes: Uint8Array): boolean => (family === 4 ? bytes[23] === 1 : bytes[20] === 58);

  /** Type, code and the second half of the four bytes after the checksum, of an ICMP message. */
  function errorOf(bytes: Uint8Array): { type: number; code: number; mtu: number } | undefined {
    const at = ETHERNET_BYTES + headerBytes(family);
    const isIcmp = family === 4 ? bytes[12] === 0x08 && bytes[23] === 1 : bytes[12] === 0x86 && bytes[20] === 58;
    if (!isIcmp || (family === 6 && (bytes[at] ?? 255) >= 128)) return undefined;
    return { type: bytes[at] ?? 0, code: bytes[at + 1] ?? 0, mtu: ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0) };
  }

  it('the last hop is told, and nothing arrives', async () => {
    const { told, got } = await sendAndHear({ ...datagram, payload: 100 }, 1);
    expect(told.map(({ bytes }) => errorOf(bytes))).toMatchObject([
      family === 4 ? { type: 11, code: 0 } : { type: 3, code: 0 },
    ]);
    expect(got).toEqual([]);
  });

  describe('to a receiver with a smaller MTU', () => {
    beforeAll(() => setMtu(SMALL_MTU));
    afterAll(() => setMtu(1500));
    const tooBig = family === 4 ? { type: 3, code: 4, mtu: SMALL_MTU } : { type: 2, code: 0, mtu: SMALL_MTU };

    it('a datagram that is too long is told to its sender, and nothing arrives', async () => {
      const { told, got } = await sendAndHear(datagram);
      expect(told.map(({ bytes }) => errorOf(bytes))).toEqual([tooBig]);
      expect(got).toEqual([]);
    });

    it('a super-packet whose segments are too long is told to its sender, and nothing arrives', async () => {
      const { told, got } = await sendAndHear(train);
      expect(told.map(({ bytes }) => errorOf(bytes))).toEqual([tooBig]);
      expect(got).toEqual([]);
    });

    it('a super-packet whose segments fit arrives whole', async () => {
      const { told, got } = await sendAndHear({ ...train, gsoSize: 1200 });
      expect(told).toEqual([]);
      expect(got.map(({ gsoSize, bytes }) => ({ gsoSize, length: bytes.length }))).toEqual([
        { gsoSize: 1200, length: ETHERNET_BYTES + headerBytes(family) + 20 + 20_000 },
      ]);
    });

    if (family === 6) return;
    it('a datagram that may be taken apart arrives in fragments, byte for byte', async () => {
      const { told, got } = await sendAndHear(datagram, HOPS, false);
      expect(told).toEqual([]);
      expect(got).toHaveLength(2);
      const payload = concat(...got.map(({ bytes }) => bytes.slice(ETHERNET_BYTES + 20)));
      expect(hex(payload.slice(8))).toBe(hex(pattern(datagram.payload)));
      for (const { bytes } of got) {
        expect(bytes[ETHERNET_BYTES + 8]).toBe(HOPS - 1);
        expect(internetChecksum(bytes.slice(ETHERNET_BYTES, ETHERNET_BYTES + 20))).toBe(0);
      }
    });
  });
});

function setDontFragment(bytes: Uint8Array): void {
  bytes[MORE_OR_OFFSET_AT] = (bytes[MORE_OR_OFFSET_AT] ?? 0) | DONT_FRAGMENT;
  bytes.set([0, 0], ETHERNET_BYTES + 10);
  new DataView(bytes.buffer).setUint16(
    ETHERNET_BYTES + 10,
    internetChecksum(bytes.slice(ETHERNET_BYTES, ETHERNET_BYTES + 20)),
  );
}

/** Of both sides of the receiver's interface, and waits until the dataplane knows. */
async function setMtu(mtu: number): Promise<void> {
  const { lab } = field.setting;
  await lab.exec(HOST, ['ip', 'link', 'set', VICTIM.hostInterface, 'mtu', String(mtu)]);
  await lab.exec('green', ['ip', 'link', 'set', 'eth0', 'mtu', String(mtu)]);
  const { stdout } = await lab.exec(HOST, ['ip', '-json', 'link', 'show', VICTIM.hostInterface]);
  const [{ ifindex }] = JSON.parse(stdout) as [{ readonly ifindex: number }];
  const map = loadNative().BpfMap.openPinned(new Pins(join(lab.bpffs, 'tortie')).map('tt_endpoints'));
  const view = new DataView(map.mmap());
  const known = (): number[] =>
    Array.from({ length: map.info.maxEntries }, (_, slot) => decodeEndpoint(view, slot * Endpoint.SIZE))
      .filter((endpoint) => endpoint.ifindex === ifindex)
      .map((endpoint) => endpoint.mtu);
  try {
    await vi.waitFor(() => expect(known()).toEqual([mtu]), 5000);
  } finally {
    map.close();
  }
}
