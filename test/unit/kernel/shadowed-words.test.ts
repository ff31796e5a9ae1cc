import { describe, expect, it } from 'vitest';
import { ShadowedWords } from '../../../src/kernel/shadowed-words.ts';

const ROW = 4;
const KEY = 1;

function tableOf(rows: number) {
  const words = new Uint32Array(rows * ROW);
  return { words, table: new ShadowedWords(words, ROW, KEY) };
}

describe('shadowed words', () => {
  it('restore every row that others wrote, and no other', () => {
    const { words, table } = tableOf(8);
    table.write(2, Uint32Array.of(1, 7, 2, 3));
    table.write(5, Uint32Array.of(4, 9, 5, 6));
    const before = words.slice();
    words.fill(0, 2 * ROW, 3 * ROW);
    words[5 * ROW] = 77;
    words[7 * ROW + KEY] = 3;
    expect(table.restore()).toBe(3);
    expect(words).toEqual(before);
    expect(table.restore()).toBe(0);
  });

  it('leave a row that was cleared cleared', () => {
    const { words, table } = tableOf(2);
    table.write(1, Uint32Array.of(1, 7, 2, 3));
    table.clear(1);
    words[ROW + KEY] = 7;
    expect(table.restore()).toBe(1);
    expect(words[ROW + KEY]).toBe(0);
    expect(table.keyOf(1)).toBe(0);
  });

  it('take what is there at first as it is', () => {
    const words = Uint32Array.of(1, 2, 3, 4);
    const table = new ShadowedWords(words, ROW, KEY);
    expect(table.keyOf(0)).toBe(2);
    expect(table.restore()).toBe(0);
  });

  it('know what the kernel holds from what they wrote', () => {
    const { words, table } = tableOf(1);
    const entry = Uint32Array.of(1, 7, 2, 3);
    table.write(0, entry);
    expect(table.holds(0, entry)).toBe(true);
    words[3] = 9;
    expect(table.holds(0, entry)).toBe(false);
    expect(table.keyOf(0)).toBe(7);
  });
});
