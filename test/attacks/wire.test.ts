// Attacks whose way through the kernel is what matters: real frames from a workload's namespace, the real agent, connections of others.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { HOST_SIDE_MAC } from '../../tools/lab/topology.ts';
import { concat, fields } from '../support/packets/bytes.ts';
import { ETHERTYPE, frame, macBytes, rawFrame } from '../support/packets/ethernet.ts';
import { fragmentHeader, type IpPacket, type Ipv4, type Ipv6, ipv4, ipv6 } from '../support/packets/ip.ts';
import { bare, icmp, type Segment, tcp, udp } from '../support/packets/transport.ts';
import {
  ATTACKER,
  Battlefield,
  BYSTANDER,
  CLOSED_PORT,
  OPEN_PORT,
  OUTSIDER,
  OUTSIDER_MAC,
  UPLINK,
  VICTIM,
} from './support/battlefield.ts';
import { GSO, type RawFrame } from './support/raw.ts';

const [red4 = '', red6 = ''] = ATTACKER.addresses;
const [green4 = '', green6 = ''] = VICTIM.addresses;
const [out4, out6] = OUTSIDER.addresses;
const HOST_V4 = '172.31.255.1';
const query = udp({ sourcePort: 40_000, destinationPort: OPEN_PORT, payload: new Uint8Array(8) });

let field: Battlefield;
beforeAll(async () => {
  field = await Battlefield.create();
}, 60_000);
afterAll(() => field?.close());
beforeEach(() => field.watch());
afterEach(() => field.unwatch());

function ip(source: string, destination: string, segment: Segment, more: Partial<Ipv4 & Ipv6> = {}): IpPacket {
  return source.includes(':')
    ? ipv6({ source, destination, segment, ...more })
    : ipv4({ source, destination, segment, ...more });
}

/** A frame from the attacker's MAC to the host's. */
function wire(packet: IpPacket, sourceMac = field.mac('red'), vlan?: number): RawFrame {
  return { bytes: frame(packet, { sourceMac, destinationMac: HOST_SIDE_MAC, vlan }) };
}

function strange(ethertype: number, payload: Uint8Array, vlan?: number): RawFrame {
  return { bytes: rawFrame(ethertype, payload, { sourceMac: field.mac('red'), destinationMac: HOST_SIDE_MAC, vlan }) };
}

describe('frames of a workload', () => {
  it('with a tag, which the kernel takes off, are dropped', async () => {
    const frames = [red4, red6].flatMap((source, family) =>
      [0, 1, 4095].map((vlan) => wire(ip(source, family === 0 ? green4 : green6, query), undefined, vlan)),
    );
    await field.expectDropped('red', frames, 'drop_ethertype');
  });

  it('with two tags are dropped', async () => {
    const { bytes } = ip(red4, green4, query);
    const inner = concat(fields([2, 5], [2, ETHERTYPE.IPV4]), bytes);
    const frames = [
      strange(ETHERTYPE.VLAN, inner, 7),
      strange(0x88a8, concat(fields([2, 7], [2, ETHERTYPE.VLAN]), inner)),
    ];
    await field.expectDropped('red', frames, 'drop_ethertype');
  });

  it('with a tag are dropped also where the cache would answer for them', async () => {
    const known = wire(ip(red4, green4, query));
    await field.raw.send('red', [known, known, known, known]);
    const tagged = wire(ip(red4, green4, query), undefined, 7);
    await field.expectDropped('red', [tagged, tagged], 'drop_ethertype');
  });

  it('of a flow that the cache knows of another interface are dropped', async () => {
    const known = wire(ip(red4, green4, query));
    await field.raw.send('red', [known, known, known, known]);
    await field.expectDropped('blue', [known, known], 'drop_spoofed_mac');
    await field.expectDropped('blue', [wire(ip(red4, green4, query), field.mac('blue'))], 'drop_spoofed_address');
  });

  it.each([
    { what: 'IPv4', ethertype: ETHERTYPE.IPV4, header: 20, packet: () => ip(red4, green4, query) },
    { what: 'IPv6', ethertype: ETHERTYPE.IPV6, header: 40, packet: () => ip(red6, green6, query) },
  ])('that end anywhere inside the $what header are dropped', async ({ ethertype, header, packet }) => {
    const frames = Array.from({ length: header - 1 }, (_, index) =>
      strange(ethertype, packet().bytes.slice(0, 1 + index)),
    );
    await field.expectDropped('red', frames, 'drop_truncated');
  });

  it('of other protocols than IP are dropped', async () => {
    const { bytes } = ip(red4, green4, query);
    const frames = [0x0040, 0x22f3, 0x8847, 0x8864, 0x888e, 0x88cc].map((ethertype) => strange(ethertype, bytes));
    await field.expectDropped('red', frames, 'drop_ethertype');
  });

  it("in another's name are dropped, whatever they are", async () => {
    const segments = [
      query,
      tcp({ sourcePort: 1, destinationPort: OPEN_PORT, flags: ['rst'] }),
      icmp({ family: 4, type: 3 }),
    ];
    const frames = segments.flatMap((segment) => [
      wire(ip(green4, '10.66.0.3', segment)),
      wire(ip(out4, green4, segment)),
      wire(ip(HOST_V4, green4, segment)),
      wire(ip('127.0.0.1', green4, segment)),
    ]);
    await field.expectDropped('red', frames, 'drop_spoofed_address');
    await field.expectDropped('red', [wire(ip(red4, green4, query), field.mac('green'))], 'drop_spoofed_mac');
  });

  it('that hold packets for others in tunnels are dropped', async () => {
    const inner = ip(red4, green4, udp({ sourcePort: 1, destinationPort: CLOSED_PORT })).bytes;
    const tunnels = [
      bare(4, inner),
      bare(41, ip(red6, green6, query).bytes),
      bare(47, concat(fields([2, 0], [2, 0x0800]), inner)),
    ];
    const frames = tunnels.flatMap((outer) => [wire(ip(red4, HOST_V4, outer)), wire(ip(red4, green4, outer))]);
    await field.expectDropped('red', frames, 'drop_egress_policy');
  });

  it('that take a source route are dropped', async () => {
    const options = Uint8Array.of(0x83, 7, 4, 10, 66, 0, 2, 0);
    const segment = udp({ sourcePort: 1, destinationPort: CLOSED_PORT });
    await field.expectDropped('red', [wire(ip(red4, HOST_V4, segment, { options }))], 'drop_egress_policy');
  });
});

describe('neighbours', () => {
  const arp = (operation: number, source: readonly number[], target: readonly number[]): RawFrame => {
    const mac = macBytes(field.mac('red'));
    const head = fields([2, 1], [2, 0x0800], [1, 6], [1, 4], [2, operation]);
    return strange(
      ETHERTYPE.ARP,
      concat(head, mac, Uint8Array.from(source), macBytes(HOST_SIDE_MAC), Uint8Array.from(target)),
    );
  };

  it("that claim the victim's and the gateway's address by ARP change nothing but their own link", async () => {
    const [green, gateway] = [
      [10, 66, 0, 2],
      [169, 254, 1, 1],
    ] as const;
    const claims = [arp(2, green, gateway), arp(1, green, gateway), arp(2, gateway, green), arp(1, green, green)];
    const drops = await field.dropsDuring(() => field.raw.send('red', claims));
    expect(drops).toEqual({});
    const { stdout } = await field.setting.lab.exec(HOST, ['ip', 'neigh', 'show', 'dev', VICTIM.hostInterface]);
    expect(stdout).not.toContain(field.mac('red'));
    await field.expectUndisturbed();
  });

  it("that advertise themselves in the victim's and the gateway's name change nothing but their own link", async () => {
    const target = (address: string): Uint8Array =>
      ipv6({ source: address, destination: '::', segment: bare(59) }).bytes.slice(8, 24);
    const option = concat(fields([1, 2], [1, 1]), macBytes(field.mac('red')));
    const claims = [green6, 'fe80::ecee:eeff:feee:eeee'].map((address) =>
      wire(
        ip(
          address,
          'ff02::1',
          icmp({ family: 6, type: 136, rest: 0x20000000, payload: concat(target(address), option) }),
          { hopLimit: 255 },
        ),
      ),
    );
    expect(await field.dropsDuring(() => field.raw.send('red', claims))).toEqual({});
    const { stdout } = await field.setting.lab.exec(HOST, ['ip', '-6', 'neigh', 'show', 'dev', VICTIM.hostInterface]);
    expect(stdout).not.toContain(field.mac('red'));
    await field.expectUndisturbed();
  });

  it('that advertise themselves as routers are dropped', async () => {
    const advertisement = icmp({ family: 6, type: 134, rest: 0x40000708, payload: new Uint8Array(8) });
    await field.expectDropped(
      'red',
      [wire(ip('fe80::2', 'ff02::1', advertisement, { hopLimit: 255 }))],
      'drop_spoofed_address',
    );
    await field.expectDropped(
      'red',
      [wire(ip(red6, 'ff02::1', advertisement, { hopLimit: 255 }))],
      'drop_egress_policy',
    );
  });

  it('do not reach beyond their link by messages that pass before policy', async () => {
    const messages = [131, 135, 136].flatMap((type) =>
      ['fe80::2', '::'].map((source) =>
        wire(ip(source, green6, icmp({ family: 6, type, payload: new Uint8Array(16) }), { hopLimit: 255 })),
      ),
    );
    const before = await field.stackCounter('green', 'Icmp6InType131');
    const seen = await field.captureForVictim({ sender: 'red', family: 6 }, () => field.raw.send('red', messages));
    const fromRed = seen.filter(
      ({ bytes }) => bytes[12] === 0x86 && bytes[20] === 58 && [131].includes(bytes[54] ?? 0),
    );
    expect(fromRed).toEqual([]);
    expect(await field.stackCounter('green', 'Icmp6InType131')).toBe(before);
    await field.expectUndisturbed();
  });
});

describe('floods', () => {
  it.each([
    { what: 'allowed', port: OPEN_PORT },
    { what: 'denied', port: CLOSED_PORT },
  ])('of $what datagrams from ever new ports leave the connections of others alone', async ({ port }) => {
    const before = await field.counters();
    const stops = [green4, green6].map((address) => field.setting.peer('red').storm(address, port));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const counts = await Promise.all(stops.map((stop) => stop()));
    expect(counts.every(({ sent }) => sent > 1000)).toBe(true);
    if (port === CLOSED_PORT) {
      expect(counts.map(({ answered }) => answered)).toEqual([0, 0]);
      const after = await field.counters();
      expect((after.drop_egress_policy ?? 0) - (before.drop_egress_policy ?? 0)).toBeGreaterThan(2000);
      expect(after.event_suppressed ?? 0).toBeGreaterThan(before.event_suppressed ?? 0);
    }
    await field.expectUndisturbed();
  });
});

describe('a super-packet', () => {
  const long = new Uint8Array(6000);
  const headers = (family: 4 | 6, transport: number): number => 14 + (family === 4 ? 20 : 40) + transport;

  it.each([4, 6] as const)('to a denied port is dropped whole (IPv%s)', async (family) => {
    const [source, destination] = family === 4 ? [red4, green4] : [red6, green6];
    const start = headers(family, 0);
    const segment = tcp({ sourcePort: 1, destinationPort: CLOSED_PORT, flags: ['ack'], payload: long });
    const datagram = udp({ sourcePort: 1, destinationPort: CLOSED_PORT, payload: long });
    const frames: RawFrame[] = [
      {
        ...wire(ip(source, destination, segment)),
        gso: family === 4 ? GSO.TCP4 : GSO.TCP6,
        gsoSize: 1400,
        headerBytes: headers(family, 20),
        checksumStart: start,
        checksumOffset: 16,
      },
      {
        ...wire(ip(source, destination, datagram)),
        gso: GSO.UDP_L4,
        gsoSize: 1400,
        headerBytes: headers(family, 8),
        checksumStart: start,
        checksumOffset: 6,
      },
    ];
    await field.expectDropped('red', frames, 'drop_egress_policy');
  });

  it('whose headers lie about its length is dropped', async () => {
    const segment = tcp({ sourcePort: 1, destinationPort: OPEN_PORT, flags: ['ack'], payload: long });
    const gso = { gso: GSO.TCP4, gsoSize: 1400, headerBytes: headers(4, 20), checksumStart: 34, checksumOffset: 16 };
    await field.expectDropped(
      'red',
      [{ ...wire(ip(red4, green4, segment, { totalLength: 65_535 })), ...gso }],
      'drop_truncated',
    );
    await field.expectDropped(
      'red',
      [{ ...wire(ip(red4, green4, segment, { totalLength: 12 })), ...gso }],
      'drop_malformed',
    );
  });
});

describe('the host', () => {
  it('does not lend a workload its loopback, even where it routes to it', async () => {
    await field.setting.lab.exec(HOST, ['tee', '/proc/sys/net/ipv4/conf/all/route_localnet'], '1');
    try {
      const segments = [
        udp({ sourcePort: 1, destinationPort: OPEN_PORT }),
        tcp({ sourcePort: 1, destinationPort: OPEN_PORT, flags: ['syn'] }),
      ];
      await field.expectDropped(
        'red',
        segments.map((segment) => wire(ip(red4, '127.0.0.1', segment))),
        'drop_egress_policy',
      );
    } finally {
      await field.setting.lab.exec(HOST, ['tee', '/proc/sys/net/ipv4/conf/all/route_localnet'], '0');
    }
  });

  it.each([
    { family: 4, cuts: [600, 1200], isHeard: false },
    { family: 4, cuts: [104, 1304], isHeard: false },
    { family: 4, cuts: [600, 1200], isHeard: true },
    { family: 6, cuts: [600, 1200], isHeard: false },
    { family: 6, cuts: [104, 1304], isHeard: false },
    { family: 6, cuts: [600, 1200], isHeard: true },
  ] as const)(
    'judges fragments from outside that its connection tracking put together and took apart (IPv$family, $cuts, $isHeard)',
    async ({ family, cuts, isHeard }) => {
      const rules =
        'table inet track { chain first { type filter hook prerouting priority -300; ct state invalid counter; }; }';
      await field.setting.lab.exec(HOST, ['nft', '-f', '-'], rules);
      try {
        const [source, destination] = family === 4 ? [out4, green4] : [out6, green6];
        const hostMac = await field.uplinkMac();
        const whole = ip(
          source,
          destination,
          udp({ sourcePort: 1234, destinationPort: CLOSED_PORT, payload: new Uint8Array(1600).fill(7) }),
        );
        const payload = whole.bytes.slice(family === 4 ? 20 : 40);
        const pieces = [
          { from: 0, to: cuts[0] },
          { from: cuts[0], to: cuts[1] },
          { from: cuts[1], to: payload.length },
        ].map(({ from, to }) => ({
          bytes: frame(fragment(family, source, destination, payload, from, to), {
            sourceMac: OUTSIDER_MAC,
            destinationMac: hostMac,
          }),
        }));
        let seen: RawFrame[] = [];
        const drops = await field.dropsDuring(async () => {
          // Who listens at the host has the kernel copy each fragment, which it otherwise passes on as it came.
          const listen = () => field.raw.send(OUTSIDER.name, pieces);
          const way = { sender: OUTSIDER.name, family };
          const uplink = { guest: HOST, device: UPLINK };
          seen = await field.captureForVictim(way, () =>
            isHeard ? field.captureForVictim({ ...way, at: uplink }, listen) : listen(),
          );
        });
        expect(seen.filter(({ bytes }) => isPayload(bytes))).toEqual([]);
        // One drop: it was one packet when its first new fragment met the hook, and its others were given up.
        expect(drops).toEqual({ drop_ingress_policy: 1 });
        await field.expectUndisturbed();
      } finally {
        await field.setting.lab.exec(HOST, ['nft', 'delete', 'table', 'inet', 'track']);
      }
    },
  );
});

/** More than a hundred sevens in a row: the datagram that the fragments make. */
function isPayload(bytes: Uint8Array): boolean {
  return bytes.filter((byte) => byte === 7).length > 100;
}

function fragment(
  family: 4 | 6,
  source: string,
  destination: string,
  payload: Uint8Array,
  from: number,
  to: number,
): IpPacket {
  const segment = { protocol: 17, bytes: payload.slice(from, to) };
  const hasMore = to < payload.length;
  if (family === 4)
    return ipv4({ source, destination, segment, identification: 99, fragmentOffset: from, hasMoreFragments: hasMore });
  return ipv6({
    source,
    destination,
    segment,
    extensions: [fragmentHeader({ identification: 99, offset: from, hasMore })],
  });
}

describe('an interface', () => {
  it('that its workload renames stays under policy, and so does one that it moves away', async () => {
    const { lab } = field.setting;
    const nest = `${lab.prefix}-nest`;
    const denied = wire(ip(red4, green4, udp({ sourcePort: 1, destinationPort: CLOSED_PORT })));
    await runCommand(
      ['ip', '-n', lab.namespace('red'), '-batch', '-'],
      'link set eth0 down\nlink set eth0 name eth9\nlink set eth9 up\n',
    );
    const renamed = await field.dropsDuring(() => field.raw.send('red', [denied], 'eth9'));
    expect(renamed).toEqual({ drop_egress_policy: 1 });
    await runCommand(['ip', 'netns', 'add', nest]);
    try {
      await runCommand(['ip', '-n', lab.namespace('red'), 'link', 'set', 'eth9', 'name', 'eth0', 'netns', nest]);
      await runCommand(['ip', '-n', nest, 'link', 'set', 'eth0', 'up']);
      await vi.waitFor(async () => {
        expect(await field.dropsDuring(() => field.raw.sendIn(nest, [denied]))).toEqual({ drop_egress_policy: 1 });
      }, 3000);
      await field.expectUndisturbed();
    } finally {
      await runCommand(['ip', 'netns', 'delete', nest]);
    }
    expect(BYSTANDER.addresses).toHaveLength(2);
  });
});
