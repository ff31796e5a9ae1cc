import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSink } from '../../../../src/agent/export/sinks/file-sink.ts';

let folder: string;
let path: string;
let sink: FileSink<string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-file-sink-'));
  path = join(folder, 'logs', 'flows.jsonl');
});
afterEach(async () => {
  await sink.close();
  rmSync(folder, { recursive: true });
});

function open(options: { fileBytes?: number; fileAgeMs?: number; keptFiles?: number } = {}): void {
  sink = new FileSink({ path, fileBytes: 1000, fileAgeMs: 3_600_000, keptFiles: 3, ...options }, (text) => text);
}

const put = (...texts: string[]) => sink.send(sink.encode(texts));
const read = (file = path) => readFileSync(file, 'utf8');

describe('FileSink', () => {
  it('appends lines to a file and folder that only the owner reads', async () => {
    open();
    await put('one', 'two');
    await put('three');
    expect(read()).toBe('one\ntwo\nthree\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'logs')).mode & 0o777).toBe(0o700);
  });

  it('puts a file aside that would be too large, and keeps so many: the total is bounded', async () => {
    open({ fileBytes: 100 });
    for (let n = 0; n < 100; n += 1) await put(String(n).padStart(39, '0'));
    expect(readdirSync(join(folder, 'logs')).sort()).toEqual([
      'flows.jsonl',
      'flows.jsonl.1',
      'flows.jsonl.2',
      'flows.jsonl.3',
    ]);
    const kept = [3, 2, 1]
      .flatMap((number) => read(`${path}.${number}`).trim().split('\n'))
      .concat(read().trim().split('\n'));
    expect(kept.map(Number)).toEqual([92, 93, 94, 95, 96, 97, 98, 99]);
  });

  it('keeps none where none is to be kept', async () => {
    open({ fileBytes: 10, keptFiles: 0 });
    for (let n = 0; n < 5; n += 1) await put(`line-${n}`);
    expect(readdirSync(join(folder, 'logs'))).toEqual(['flows.jsonl']);
    expect(read()).toBe('line-4\n');
  });

  it('puts a file aside that is too old', async () => {
    open({ fileAgeMs: 50 });
    await put('old');
    await sleep(80);
    await put('new');
    expect([read(`${path}.1`), read()]).toEqual(['old\n', 'new\n']);
  });

  it('goes on in a file of an earlier agent, and takes it from others', async () => {
    open();
    await put('first');
    await sink.close();
    chmodSync(path, 0o644);
    open();
    await put('second');
    expect(read()).toBe('first\nsecond\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('begins anew when somebody has moved or removed the file', async () => {
    open();
    await put('one');
    renameSync(path, `${path}.moved`);
    await put('two');
    expect([read(`${path}.moved`), read()]).toEqual(['one\n', 'two\n']);
    rmSync(path);
    await put('three');
    expect(read()).toBe('three\n');
  });

  it('follows no link, and writes to nothing that is no file', async () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'untouched');
    path = join(folder, 'link');
    symlinkSync(victim, path);
    open();
    await expect(put('x')).rejects.toThrow(/ELOOP/);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    path = folder;
    open();
    await expect(put('x')).rejects.toThrow();
  });

  it('says what is wrong with a place where nothing can be written', async () => {
    path = '/proc/tortie/flows.jsonl';
    open();
    await expect(put('x')).rejects.toThrow(/ENOENT/);
    expect(existsSync(path)).toBe(false);
  });
});
