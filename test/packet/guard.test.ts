import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuardEntry, GuardReason, GuardState } from '../../src/abi/guard.gen.ts';
import { Guard } from '../../src/kernel/guard.ts';
import { formatAddress, type IpAddress, parseCidr } from '../../src/model/address.ts';
import { type ClassifiedCidr, prefixLists } from '../../src/tables/prefix-table-list.ts';
import { walkPrefixTable } from '../../src/tables/prefix-table-lookup.ts';
import { concat, fields } from '../support/packets/bytes.ts';
import { arp, ETHERTYPE, type FrameOptions, frame, rawFrame } from '../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../support/packets/ip.ts';
import { udp } from '../support/packets/transport.ts';
import { addressesAround, nestingPrefixes } from '../support/prefixes.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';

const XDP = { 1: 'drop', 2: 'pass' } as const;
const BLOCKS = 4000;

const blocked = (text: string, classId = 1): ClassifiedCidr => ({
  cidr: parseCidr(text) as NonNullable<ReturnType<typeof parseCidr>>,
  class: classId,
});

function frameFrom(source: string, options: FrameOptions = {}): Uint8Array {
  const segment = udp({ sourcePort: 1, destinationPort: 2 });
  const packet = source.includes(':')
    ? ipv6({ source, destination: '2001:db8::1', segment })
    : ipv4({ source, destination: '192.0.2.1', segment });
  return frame(packet, options);
}

describe('guard', () => {
  let guard: Guard;
  beforeEach(() => {
    guard = new Guard({ blocks: BLOCKS });
  });
  afterEach(() => guard.close());

  const send = (data: Uint8Array) => XDP[guard.run(data).returnValue as keyof typeof XDP];

  it('lets every source pass before the first table', () => {
    expect(['0.0.0.1', '255.255.255.254', '2001:db8::9'].map((source) => send(frameFrom(source)))).toEqual([
      'pass',
      'pass',
      'pass',
    ]);
  });

  it('drops blocked sources, tagged or not, and counts packets and bytes', async () => {
    await guard.publish(prefixLists([blocked('198.51.100.0/24'), blocked('2001:db8:bad::/48')]));
    const frames = ['198.51.100.77', '2001:db8:bad::77'].flatMap((source) => [
      frameFrom(source),
      frameFrom(source, { vlan: 5 }),
    ]);
    expect(frames.map(send)).toEqual(['drop', 'drop', 'drop', 'drop']);
    expect(guard.drops(GuardReason.DROP_SOURCE)).toEqual({
      packets: 4,
      bytes: frames.reduce((sum, { length }) => sum + length, 0),
    });
    expect(['198.51.101.77', '2001:db8:bae::77'].map((source) => send(frameFrom(source)))).toEqual(['pass', 'pass']);
  });

  it('looks behind two tags, not behind three', async () => {
    await guard.publish(prefixLists([blocked('198.51.100.0/24')]));
    const tagged = (tags: number): Uint8Array => {
      const bytes = frameFrom('198.51.100.77');
      const tag = fields([2, ETHERTYPE.VLAN], [2, 1]);
      return concat(bytes.subarray(0, 12), ...Array.from({ length: tags }, () => tag), bytes.subarray(12));
    };
    expect([1, 2, 3].map((tags) => send(tagged(tags)))).toEqual(['drop', 'drop', 'pass']);
  });

  it('passes what has no IP source: other protocols and frames cut inside a header', async () => {
    await guard.publish(prefixLists([blocked('0.0.0.0/0'), blocked('::/0')]));
    const cut = frameFrom('198.51.100.77').subarray(0, 14 + 19);
    const cut6 = frameFrom('2001:db8::77').subarray(0, 14 + 39);
    expect([arp(), rawFrame(ETHERTYPE.LLDP, new Uint8Array(46)), cut, cut6].map(send)).toEqual([
      'pass',
      'pass',
      'pass',
      'pass',
    ]);
  });

  it('judges by the last table that was published, also after the space of the first is used again', async () => {
    const nets = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/25'];
    for (const net of nets) {
      await guard.publish(prefixLists([blocked(net)]));
      const sources = nets.map((other) => other.replace(/\d+\/\d+/, '9'));
      expect(sources.map((source) => send(frameFrom(source)))).toEqual(
        nets.map((other) => (other === net ? 'drop' : 'pass')),
      );
    }
  });

  it('keeps the table in force when the next one does not fit', async () => {
    await guard.publish(prefixLists([blocked('192.0.2.0/24')]));
    const many = Array.from({ length: 20_000 }, (_, index) =>
      blocked(`2001:db8:${(index & 255).toString(16)}:${(index >> 8).toString(16)}::${index.toString(16)}/128`),
    );
    const small = new Guard({ blocks: 300 });
    try {
      await small.publish(prefixLists([blocked('192.0.2.0/24')]));
      await expect(small.publish(prefixLists(many))).rejects.toMatchObject({ code: 'TABLE_FULL' });
      expect(small.run(frameFrom('192.0.2.9')).returnValue).toBe(1);
    } finally {
      small.close();
    }
  });

  describe('with a hole in its table', () => {
    const sources = ['198.51.100.130', '2001:db8:bad::7'];
    const words = (map: string) => new Uint32Array(guard.memory(map));
    const counts = () => [GuardReason.DROP_SOURCE, GuardReason.DROP_HOLE].map((reason) => guard.drops(reason).packets);

    it.each([
      ['passes', 2],
      ['blocks', 1],
    ])('drops what leads through it, and says so, where the prefix %s', async (_, classId) => {
      const { roots } = await guard.publish(
        prefixLists([blocked('198.51.100.128/26', classId), blocked('2001:db8::/40', classId)]),
      );
      const heap = words('tt_guard_heap');
      const chunk = (heap[roots[4] + 0xc633] as number) & GuardEntry.OFFSET;
      for (const at of [chunk + 100, roots[6] + 0x2001]) heap[at] = (heap[at] as number) | GuardEntry.OFFSET;
      expect(sources.map((source) => send(frameFrom(source)))).toEqual(['drop', 'drop']);
      expect(counts()).toEqual([0, 2]);
      expect(['198.51.101.130', '2002:db8:bad::7'].map((source) => send(frameFrom(source)))).toEqual(['pass', 'pass']);
    });

    it('drops every source when the roots lead out of the heap', async () => {
      await guard.publish(prefixLists([]));
      const state = words('tt_guard_state');
      const beyond = words('tt_guard_heap').length;
      state.fill(beyond, GuardState.OFFSET.root / 4);
      expect(sources.map((source) => send(frameFrom(source)))).toEqual(['drop', 'drop']);
      expect(send(arp())).toBe('pass');
      expect(counts()).toEqual([0, 2]);
    });
  });

  it.each([4, 6] as const)('gives each source the class that the table gives it (IPv%s)', async (family) => {
    const seed = newSeed(`guard IPv${family}`);
    for (let index = 0; index < 10; index += 1) {
      const random = new Random(seed, index);
      const prefixes = nestingPrefixes(random, family, 1 + random.below(200));
      const table = await guard.publish(prefixLists(prefixes));
      const expected = (asked: IpAddress) => (walkPrefixTable(table, asked).class === 1 ? 'drop' : 'pass');
      const wrong = addressesAround(random, prefixes, family).filter(
        (asked) => send(frameFrom(formatAddress(asked))) !== expected(asked),
      );
      expect(wrong.map(formatAddress), `set ${index}`).toEqual([]);
    }
    expect(guard.drops(GuardReason.DROP_HOLE).packets).toBe(0);
  });
});
