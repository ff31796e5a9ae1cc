import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, vi } from 'vitest';
import { PinWatch } from '../../../src/kernel/pin-watch.ts';

const LIMIT_MS = 5000;

describe('a watch over pins', () => {
  let root: string;
  let seen: Set<string>;
  let watch: PinWatch;
  const pin = (name: string): string => join(root, 'links', name);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tortie-pins-'));
    mkdirSync(join(root, 'links'));
    for (const name of ['a', 'b']) writeFileSync(pin(name), '');
    seen = new Set();
    watch = new PinWatch([join(root, 'links'), join(root, 'maps')], (name) => seen.add(name));
  });

  afterEach(() => {
    watch.close();
    rmSync(root, { recursive: true });
  });

  it('tells of a pin that is removed and of one that is renamed', async () => {
    rmSync(pin('a'));
    renameSync(pin('b'), pin('c'));
    await vi.waitUntil(() => ['a', 'b', 'c'].every((name) => seen.has(name)), LIMIT_MS);
  });

  it('goes on with a directory that was made anew, or came later', async () => {
    rmSync(join(root, 'links'), { recursive: true });
    for (const name of ['links', 'maps']) mkdirSync(join(root, name));
    watch.renew();
    writeFileSync(pin('new'), '');
    rmSync(pin('new'));
    writeFileSync(join(root, 'maps', 'late'), '');
    await vi.waitUntil(() => seen.has('new') && seen.has('late'), LIMIT_MS);
  });
});
