import { describe, expect, it } from 'vitest';
import { PrefixReader, type ReadPrefixes, type Refusal } from '../../../../src/agent/block/prefix-reader.ts';
import { formatCidr, parseCidr } from '../../../../src/model/address.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const LIMITS = { prefixes: 1000, bytes: 1 << 20 };

function read(text: string, { refusal, limits = LIMITS, size = text.length }: ReadOptions = {}): ReadPrefixes {
  const reader = new PrefixReader(refusal, limits);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size));
  return reader.finish();
}

interface ReadOptions {
  readonly refusal?: Refusal;
  readonly limits?: typeof LIMITS;
  /** Bytes of a chunk. */
  readonly size?: number;
}

const textsOf = ({ prefixes }: ReadPrefixes): string[] => [...prefixes[4], ...prefixes[6]].map(formatCidr);

describe('prefix reader', () => {
  it('takes one prefix a line, whatever is around it', () => {
    const text = '# list\n198.51.100.0/24\n\n  192.0.2.7 \t; SBL1\r\n2001:DB8::/32#x\n192.0.2.7\n2001:db8::1';
    const found = read(text);
    expect(textsOf(found)).toEqual(['192.0.2.7/32', '198.51.100.0/24', '2001:db8::/32', '2001:db8::1/128']);
    expect([found.lines, found.badCount]).toEqual([5, 0]);
  });

  it.each([
    ['256.1.1.1', 'is neither an address nor a prefix'],
    ['1.2.3', 'is neither an address nor a prefix'],
    ['1.2.3.4.5', 'is neither an address nor a prefix'],
    ['1.2.3.4/33', 'is neither an address nor a prefix'],
    ['01.2.3.4', 'is neither an address nor a prefix'],
    ['1.2.3.4 1.2.3.5', 'is neither an address nor a prefix'],
    ['1.2.3.4/', 'is neither an address nor a prefix'],
    ['1.2.3.4/8x', 'is neither an address nor a prefix'],
    ['example.com', 'is neither an address nor a prefix'],
    ['2001:db8::/129', 'is neither an address nor a prefix'],
    ['fe80::1%eth0', 'is neither an address nor a prefix'],
    ['10.1.2.3/8', 'has bits set past its length: is 10.0.0.0/8 or 10.1.2.3 meant?'],
    ['1.2.3.4/0', 'has bits set past its length: is 0.0.0.0/0 or 1.2.3.4 meant?'],
    ['2001:db8::1/32', 'has bits set past its length: is 2001:db8::/32 or 2001:db8::1 meant?'],
    ['::ffff:1.2.3.4', 'is IPv4 written as IPv6, which no packet comes from: write it as IPv4'],
    ['\0\0\xff', 'is neither an address nor a prefix'],
  ])('tells the number of a line that says %j, and takes the rest', (line, why) => {
    const found = read(`192.0.2.1\n${line}\n192.0.2.2\n`);
    expect(textsOf(found)).toEqual(['192.0.2.1/32', '192.0.2.2/32']);
    expect(found.bad).toMatchObject([{ line: 2, why }]);
  });

  it('reads the same however the bytes are cut', () => {
    const text = '1.2.3.4\n10.0.0.0/8 # ten\nno\n2001:db8::/48\n\n255.255.255.255/32';
    const whole = read(text);
    for (let size = 1; size < text.length; size += 1) {
      const cut = read(text, { size });
      expect([textsOf(cut), cut.bad, cut.lines]).toEqual([textsOf(whole), whole.bad, whole.lines]);
    }
  });

  it('says of every text what the parser of the model says', () => {
    const random = new Random(newSeed('prefix reader'), 0);
    const parts = ['0', '1', '9', '25', '255', '256', '00', '.', '.', '.', '/', '32', '8', ':', 'f', ' ', '-'];
    const lines = Array.from({ length: 5000 }, () =>
      Array.from({ length: 1 + random.below(9) }, () => random.pick(parts)).join(''),
    ).filter((line) => line.trim() !== '');
    const good = new Set(lines.flatMap((line) => parseCidr(line.trim(), { strict: true }) ?? []).map(formatCidr));
    const found = read(lines.join('\n'), { limits: { prefixes: 5000, bytes: 1 << 20 } });
    expect(new Set(textsOf(found))).toEqual(good);
    expect(good.size).toBeGreaterThan(0);
  });

  it('leaves out what is refused, with the reason', () => {
    const refusal: Refusal = (family, words, at) => (family === 4 && words[at] === 0x0a000000 ? 'is ours' : undefined);
    const found = read('10.0.0.0/8\n10.0.0.1\n2001:db8::/32', { refusal });
    expect(textsOf(found)).toEqual(['10.0.0.1/32', '2001:db8::/32']);
    expect(found.bad).toEqual([{ line: 1, text: '10.0.0.0/8', why: 'is ours' }]);
  });

  it('stops at the first line too many, at the first byte too many', () => {
    const code = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });
    expect(() => read('1.1.1.1\n'.repeat(4), { limits: { prefixes: 3, bytes: 1000 } })).toThrowError(code);
    expect(() => read('1.1.1.1\n'.repeat(4), { limits: { prefixes: 9, bytes: 31 } })).toThrowError(code);
    expect(read('1.1.1.1\n'.repeat(4), { limits: { prefixes: 4, bytes: 32 } }).lines).toBe(4);
  });

  it('tells of a hundred bad lines, and counts the others', () => {
    const found = read('x\n'.repeat(500));
    expect([found.bad.length, found.badCount, found.bad.at(-1)?.line]).toEqual([100, 500, 100]);
  });

  it.each([10, 5000, 100_000])('takes no line of %i digits for good, nor what is behind it for bad', (size) => {
    const found = read(`1.1.1.1\n${'1'.repeat(size)}\n2.2.2.2`, { size: 777 });
    expect(textsOf(found)).toEqual(['1.1.1.1/32', '2.2.2.2/32']);
    expect(found.bad.map(({ line }) => line)).toEqual([2]);
  });
});
