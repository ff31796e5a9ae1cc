import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordLog } from '../../../src/agent/record-log.ts';

const HEADER = 'records of a test';
let folder: string;
const path = (): string => join(folder, 'log');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-records-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the records as an agent's first start does. */
function write(records: Readonly<Record<string, string>>): void {
  const log = new RecordLog(path(), HEADER);
  log.rewrite(log.read());
  for (const [key, value] of Object.entries(records)) log.append(key, Buffer.from(value));
  log.close();
}

function read(header = HEADER): Record<string, string> {
  return Object.fromEntries([...new RecordLog(path(), header).read()].map(([key, value]) => [key, value.toString()]));
}

describe('RecordLog', () => {
  it('has nothing where there is no file', () => {
    expect(read()).toEqual({});
  });

  it('reads what was appended, the last value of each key', () => {
    write({ a: 'one', ü: 'two' });
    const log = new RecordLog(path(), HEADER);
    log.read();
    log.append('a', Buffer.from('three'));
    log.close();
    expect(read()).toEqual({ a: 'three', ü: 'two' });
  });

  it('forgets a key that was taken away', () => {
    write({ a: 'one', b: 'two' });
    const log = new RecordLog(path(), HEADER);
    log.read();
    log.append('a', undefined);
    log.close();
    expect(read()).toEqual({ b: 'two' });
  });

  it('takes a file with another header for empty', () => {
    write({ a: 'one' });
    expect(read('records of another test')).toEqual({});
  });

  it('keeps a header on one line, whatever is in it', () => {
    const log = new RecordLog(path(), 'two\nlines');
    log.rewrite([['a', Buffer.from('one')]]);
    expect(readFileSync(path(), 'utf8').startsWith('two lines\n')).toBe(true);
    expect(read('two\nlines')).toEqual({ a: 'one' });
  });

  describe.each([
    ['cut in its body', (size: number) => truncateSync(path(), size - 1)],
    ['cut in its head', (size: number) => truncateSync(path(), size - 24)],
    ['changed in one bit', (size: number) => flipBit(size - 2)],
    ['followed by other bytes', () => appendFileSync(path(), 'and more, long enough for the head of a record')],
  ])('with its last record %s', (what, damage) => {
    it('believes the records before it, and wants to be written anew', () => {
      write({ a: 'one', b: 'two' });
      damage(statSync(path()).size);
      const log = new RecordLog(path(), HEADER);
      const records = log.read();
      expect(records.get('a')?.toString()).toBe('one');
      expect(records.has('b')).toBe(what === 'followed by other bytes');
      expect(log.isUsable).toBe(false);
      log.rewrite(records);
      log.append('c', Buffer.from('three'));
      log.close();
      expect(read()).toMatchObject({ a: 'one', c: 'three' });
    });
  });

  it('says when most of the file is of no use', () => {
    const log = new RecordLog(path(), HEADER);
    log.rewrite(log.read());
    const value = Buffer.alloc(5 * 1024 * 1024, 1);
    for (let round = 0; round < 4; round += 1) log.append('a', value);
    expect(log.isWasteful).toBe(false);
    log.append('a', value);
    expect(log.isWasteful).toBe(true);
    log.rewrite(log.read());
    expect(log.isWasteful).toBe(false);
    expect(statSync(path()).size).toBeLessThan(2 * value.length);
    log.close();
  });
});

function flipBit(at: number): void {
  const bytes = readFileSync(path());
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path(), bytes);
}
