import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuardReason } from '../../src/abi/guard.gen.ts';
import { finish } from '../../src/base/steps.ts';
import { GuardTable } from '../../src/kernel/guard-table.ts';
import { type BpfProgram, loadNative } from '../../src/kernel/native.ts';
import {
  type Cidr,
  containsAddress,
  type Family,
  formatAddress,
  formatCidr,
  type IpAddress,
  parseCidr,
} from '../../src/model/address.ts';
import { NO_PREFIXES, prefixSetsOf } from '../../src/tables/prefix-set.ts';
import { frame } from '../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../support/packets/ip.ts';
import { udp } from '../support/packets/transport.ts';
import { addressesAround, nestingPrefixes } from '../support/prefixes.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';

const XDP_DROP = 1;
const cidrOf = (text: string): Cidr => parseCidr(text) as Cidr;

function frameFrom(source: string): Uint8Array {
  const segment = udp({ sourcePort: 1, destinationPort: 2 });
  return source.includes(':')
    ? frame(ipv6({ source, destination: '2001:db8::1', segment }))
    : frame(ipv4({ source, destination: '192.0.2.1', segment }));
}

describe('guard table', () => {
  let table: GuardTable;
  /** The one that an interface would have. */
  let attached: BpfProgram;

  beforeEach(() => {
    table = new GuardTable();
    attached = table.program;
  });

  afterEach(() => table.close());

  async function change(added: readonly Cidr[], removed: readonly Cidr[]): Promise<void> {
    const changed = finish(table.changing(prefixSetsOf(added), prefixSetsOf(removed)));
    await table.publish(changed, (program) => {
      attached = program;
    });
  }

  const isDropped = (source: string) => attached.testRun({ data: frameFrom(source) }).returnValue === XDP_DROP;

  it('lets every source pass before the first change', () => {
    expect(['0.0.0.1', '255.255.255.254', '2001:db8::9'].map(isDropped)).toEqual([false, false, false]);
  });

  it.each([
    ['one prefix', ['198.51.100.0/24'], ['198.51.100.9'], ['198.51.101.9']],
    ['a prefix of many entries', ['198.0.0.0/8'], ['198.255.0.1', '198.0.0.1'], ['197.255.255.255', '199.0.0.0']],
    ['both families', ['192.0.2.7/32', '2001:db8::/33'], ['192.0.2.7', '2001:db8:7fff::1'], ['2001:db8:8000::1']],
  ])(
    'drops %s when publish has been called, and lets it pass when it is taken out',
    async (_, texts, inside, outside) => {
      const cidrs = texts.map(cidrOf);
      await change(cidrs, []);
      expect([inside.map(isDropped), outside.map(isDropped)]).toEqual([
        inside.map(() => true),
        outside.map(() => false),
      ]);
      expect(table.drops(GuardReason.DROP_SOURCE).packets).toBe(inside.length);
      await change([], cidrs);
      expect(inside.map(isDropped)).toEqual(inside.map(() => false));
    },
  );

  it('has a single prefix in force before publish has returned', () => {
    const changed = finish(table.changing(prefixSetsOf([cidrOf('198.51.100.7/32')]), NO_PREFIXES));
    expect(isDropped('198.51.100.7')).toBe(false);
    const published = table.publish(changed, () => undefined);
    expect(isDropped('198.51.100.7')).toBe(true);
    return published;
  });

  it.each([4, 6] as const)('drops what is in a prefix, and nothing else, after any changes (IPv%s)', async (family) => {
    const seed = newSeed(`guard table IPv${family}`);
    for (let index = 0; index < 5; index += 1) {
      const random = new Random(seed, index);
      const blocked = new Map<string, Cidr>();
      for (let step = 0; step < 10; step += 1) {
        const removed = [...blocked.values()].filter(() => random.below(4) === 0);
        const left = new Set(removed.map(formatCidr));
        const made = nestingPrefixes(random, family, 1 + random.below(20)).map(({ cidr }) => cidr);
        const added = made.filter((cidr) => cidr.length > 4 && !left.has(formatCidr(cidr)));
        await change(added, removed);
        for (const cidr of removed) blocked.delete(formatCidr(cidr));
        for (const cidr of added) blocked.set(formatCidr(cidr), cidr);
        const asked = addressesAround(random, [...added, ...removed].map(classified), family);
        const wrong = asked.filter((address) => isDropped(formatAddress(address)) !== isIn(blocked, address));
        expect(wrong.map(formatAddress), `table ${index}, step ${step}`).toEqual([]);
        expect(asked.filter((address) => table.isDropped(address) !== isIn(blocked, address))).toEqual([]);
      }
      await change([], [...blocked.values()]);
    }
    expect(table.drops(GuardReason.DROP_HOLE).packets).toBe(0);
  });

  it('grows into another array, with another program, and keeps what it had', async () => {
    const first = attached;
    await change([cidrOf('192.0.2.0/24')], []);
    expect(attached).toBe(first);
    const before = table.bytes;
    const many = hosts(4, 60_000);
    await change(many, []);
    expect([attached === first, table.bytes > before]).toEqual([false, true]);
    const some = many.filter((_, index) => index % 997 === 0).map((cidr) => formatAddress(cidr));
    expect(some.filter((source) => !isDropped(source))).toEqual([]);
    expect([isDropped('192.0.2.9'), isDropped('192.0.3.9')]).toEqual([true, false]);
    await change([cidrOf('192.0.3.9/32')], many);
    expect(some.filter(isDropped)).toEqual([]);
    expect([isDropped('192.0.2.9'), isDropped('192.0.3.9')]).toEqual([true, true]);
  });

  it('uses the room of what is gone again, once no frame can be reading it', async () => {
    const { waitForPrograms } = loadNative();
    const settle = async (): Promise<void> => {
      // The table waits as well, and began before.
      await waitForPrograms();
      await waitForPrograms();
    };
    const many = hosts(6, 3000);
    const round = async (): Promise<void> => {
      await change(many, []);
      await settle();
      await change([], many);
      await settle();
    };
    await round();
    const { bytes } = table;
    for (let count = 0; count < 20; count += 1) await round();
    expect(table.bytes).toBe(bytes);
  });
});

const classified = (cidr: Cidr) => ({ cidr, class: 1 });

function isIn(blocked: ReadonlyMap<string, Cidr>, address: IpAddress): boolean {
  return [...blocked.values()].some((cidr) => containsAddress(cidr, address));
}

/** Single addresses far from each other. */
function hosts(family: Family, count: number): Cidr[] {
  const word = (index: number, salt: number): number => Math.imul(index + 1, 2654435761 + 2 * salt) >>> 0;
  const all = Array.from({ length: count }, (_, index) => {
    const first = family === 4 ? (word(index, 0) >>> 2) + 0x10000000 : 0x20010db8;
    const words = family === 4 ? [first] : [first, word(index, 1), word(index, 2), word(index, 3)];
    return { family, words, length: 32 * words.length };
  });
  return [...new Map(all.map((cidr) => [formatCidr(cidr), cidr])).values()];
}
