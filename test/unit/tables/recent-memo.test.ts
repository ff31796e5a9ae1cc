import { describe, expect, it } from 'vitest';
import { RecentMemo } from '../../../src/tables/recent-memo.ts';

/** Asks for all keys once; the number of those that had to be made. */
function ask(memo: RecentMemo<number, { key: number }>, keys: Iterable<number>): number {
  let made = 0;
  for (const key of keys) {
    const value = memo.get(key, () => {
      made += 1;
      return { key };
    });
    if (value.key !== key) throw new Error(`${value.key} for ${key}`);
  }
  return made;
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

describe('RecentMemo', () => {
  it('keeps all that is asked for again and again, however much that is', () => {
    const memo = new RecentMemo<number, { key: number }>(1 << 16);
    expect(ask(memo, range(0, 50_000))).toBe(50_000);
    for (let turn = 0; turn < 12; turn++) expect(ask(memo, range(0, 50_000))).toBe(0);
  });

  it('keeps what is in use while other keys come and go, and few of those', () => {
    const memo = new RecentMemo<number, { key: number }>(1 << 16);
    let made = ask(memo, range(0, 20));
    for (let turn = 0; turn < 10_000; turn++) {
      made += ask(memo, range(0, 20));
      ask(memo, [1000 + turn]);
    }
    expect(made).toBe(20);
    expect(memo.size).toBeLessThan(2_000);
  });

  it('has a limit', () => {
    const memo = new RecentMemo<number, { key: number }>(1_000);
    ask(memo, range(0, 10_000));
    expect(memo.size).toBeLessThanOrEqual(1_000);
  });
});
