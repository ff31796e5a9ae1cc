import { describe, expect, it } from 'vitest';
import { FreeSpace } from '../../../src/tables/free-space.ts';

describe('FreeSpace', () => {
  it('hands out what was given back at its own size', () => {
    const space = new FreeSpace();
    space.add(64, 16);
    expect(space.takeExact(32)).toBeUndefined();
    expect(space.takeExact(16)).toBe(64);
    expect(space.takeExact(16)).toBeUndefined();
  });

  it('joins neighbours, in whatever order they were given back', () => {
    const space = new FreeSpace();
    for (const offset of [48, 16, 32]) space.add(offset, 16);
    expect(space.takePart(48)).toBe(16);
    expect(space.takePart(16)).toBeUndefined();
  });

  it('cuts extents into parts that do not overlap, until nothing is left', () => {
    const space = new FreeSpace();
    space.add(0, 160);
    space.add(1024, 80);
    const taken = Array.from({ length: 15 }, () => space.takePart(16));
    expect(new Set(taken).size).toBe(15);
    for (const offset of taken) expect(offset).toSatisfy((at: number) => at < 160 || (at >= 1024 && at < 1104));
    expect(space.takePart(16)).toBeUndefined();
  });

  it('keeps some sizes whole, whatever else is asked for', () => {
    const space = new FreeSpace([64]);
    space.add(0, 64);
    space.add(64, 64);
    space.add(128, 16);
    expect(space.takePart(16)).toBe(128);
    expect(space.takePart(16)).toBeUndefined();
    expect(space.takePart(128)).toBeUndefined();
    expect([space.takeExact(64), space.takeExact(64)].sort()).toEqual([0, 64]);
  });

  it('finds the one extent that is large enough among many that are not', () => {
    const space = new FreeSpace();
    for (let index = 0; index < 1000; index += 1) space.add(64 * index, 32);
    space.add(1_000_000, 48);
    expect(space.takePart(48)).toBe(1_000_000);
  });
});
