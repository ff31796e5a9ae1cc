import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from '../../../../src/agent/export/spool.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-spool-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const batch = (text: string, records = 1) => ({ bytes: Buffer.from(text), records });
const textOf = async (spool: Spool) => Buffer.from((await spool.readFirst())?.bytes ?? []).toString();

describe('Spool', () => {
  it('gives batches back in order, to the next agent too', async () => {
    const first = new Spool(join(folder, 'a'), 10_000);
    await first.append(batch('one', 3));
    await first.append(batch('two', 4));
    const second = new Spool(join(folder, 'a'), 10_000);
    expect([second.batches, second.records, second.bytes]).toEqual([2, 7, 2 * (3 + 16)]);
    await second.append(batch('three'));
    const texts: string[] = [];
    for (; second.batches > 0; await second.removeFirst()) texts.push(await textOf(second));
    expect(texts).toEqual(['one', 'two', 'three']);
    expect(readdirSync(join(folder, 'a'))).toEqual([]);
  });

  it('gives up the oldest for room, and says how many flow logs that were', async () => {
    const spool = new Spool(folder, 2 * (10 + 16));
    expect(await spool.append(batch('a'.repeat(10), 5))).toBe(0);
    expect(await spool.append(batch('b'.repeat(10), 6))).toBe(0);
    expect(await spool.append(batch('c'.repeat(10), 7))).toBe(5);
    expect([await textOf(spool), spool.records]).toEqual(['b'.repeat(10), 13]);
    expect(await spool.append(batch('d'.repeat(100), 8))).toBe(8);
    expect(spool.records).toBe(13);
  });

  it('is for its owner alone', async () => {
    const spool = new Spool(join(folder, 'a'), 1000);
    await spool.append(batch('secret'));
    const [name] = readdirSync(join(folder, 'a'));
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'a', name as string)).mode & 0o777).toBe(0o600);
  });

  it('does not take for a batch what was torn, changed or taken away', async () => {
    const spool = new Spool(folder, 1000);
    for (const text of ['one', 'two', 'six']) await spool.append(batch(text));
    const [first, second, third] = readdirSync(folder).sort() as [string, string, string];
    writeFileSync(join(folder, first), 'short');
    writeFileSync(join(folder, second), Buffer.alloc(16 + 3));
    rmSync(join(folder, third));
    for (let n = 0; n < 3; n += 1) {
      expect(await spool.readFirst()).toBeUndefined();
      expect(await spool.removeFirst()).toBe(1);
    }
  });

  it('removes what was not finished, and leaves alone what is not its own', () => {
    writeFileSync(join(folder, '000000000001-5.batch.new'), 'x');
    writeFileSync(join(folder, 'README'), 'x');
    expect(new Spool(folder, 1000).batches).toBe(0);
    expect(readdirSync(folder)).toEqual(['README']);
  });
});
