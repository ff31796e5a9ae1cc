import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tarOf } from '../../../../src/agent/doctor/tar.ts';

const FILES = [
  { name: 'd/empty', content: new Uint8Array() },
  { name: 'd/one', content: Buffer.from('x') },
  { name: 'd/block', content: Buffer.alloc(512, 'b') },
  { name: `d/${'n'.repeat(98)}`, content: Buffer.alloc(1537, 'c') },
];

describe('tarOf', () => {
  it('makes what tar lists, with names, sizes, modes and times', () => {
    const listing = execFileSync('tar', ['--list', '--verbose', '--utc', '--full-time', '--file', '-'], {
      input: tarOf(FILES, 1_800_000_000),
      encoding: 'utf8',
    });
    const lines = listing.trim().split('\n');
    expect(lines.map((line) => line.split(/\s+/).at(-1))).toEqual(FILES.map(({ name }) => name));
    expect(lines.map((line) => Number(line.split(/\s+/)[2]))).toEqual(FILES.map(({ content }) => content.length));
    for (const line of lines) expect(line).toMatch(/^-rw------- .* 2027-01-15 08:00:00 /);
  });

  it.each(FILES)('holds the very content of $name', ({ name, content }) => {
    const read = execFileSync('tar', ['--extract', '--to-stdout', '--file', '-', name], { input: tarOf(FILES, 0) });
    expect(read.equals(content)).toBe(true);
  });

  it('refuses a name that the format cannot hold', () => {
    expect(() => tarOf([{ name: 'n'.repeat(101), content: new Uint8Array() }], 0)).toThrow(RangeError);
  });
});
