import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DirectoryWatch, readDirectory, watchDirectory } from '../../../../src/resources/sources/directory.ts';
import type { SnapshotChange } from '../../../../src/resources/sources/snapshot.ts';

const tier = (name: string, order = 1): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tortie-manifests-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** As editors and configuration tools do it. */
function replace(path: string, text: string): void {
  write(`.${path}.tmp`, text);
  renameSync(join(directory, `.${path}.tmp`), join(directory, path));
}

const orders = (objects: DirectoryWatch['snapshot']['objects']): Record<string, number | undefined> =>
  Object.fromEntries([...objects.values()].map(({ name, spec }) => [name, (spec as { order?: number }).order]));

describe('readDirectory', () => {
  it('reads manifests of every suffix in every folder', () => {
    write('a.yaml', tier('a'));
    write('sub/b.yml', tier('b'));
    write('sub/deep/c.json', '{"apiVersion":"projectcalico.org/v3","kind":"Tier","metadata":{"name":"c"}}');
    const { objects, errors } = readDirectory(directory);
    expect(errors).toEqual([]);
    expect([...objects.values()].map(({ id, location }) => [id, location.file])).toEqual([
      ['Tier//a', 'a.yaml'],
      ['Tier//b', 'sub/b.yml'],
      ['Tier//c', 'sub/deep/c.json'],
    ]);
  });

  it.each(['.a.yaml', 'a.yaml~', '#a.yaml', 'a.yaml.swp', 'a.txt', '.git/a.yaml', '4913'])('ignores %s', (path) => {
    write(path, tier('a'));
    expect(readDirectory(directory)).toMatchObject({ objects: new Map(), errors: [] });
  });

  it('reads a mounted ConfigMap once', () => {
    write('..2026_01_01/a.yaml', tier('a'));
    symlinkSync('..2026_01_01', join(directory, '..data'));
    symlinkSync('..data/a.yaml', join(directory, 'a.yaml'));
    expect(readDirectory(directory)).toMatchObject({ errors: [] });
    expect(orders(readDirectory(directory).objects)).toEqual({ a: 1 });
  });

  it('survives links that lead in a circle or nowhere', () => {
    write('sub/a.yaml', tier('a'));
    symlinkSync('..', join(directory, 'sub', 'up'));
    symlinkSync('nowhere.yaml', join(directory, 'b.yaml'));
    expect(orders(readDirectory(directory).objects)).toEqual({ a: 1 });
  });

  it('keeps the first of two definitions and names both places', () => {
    write('b.yaml', tier('x', 2));
    write('a.yaml', `# head\n${tier('x', 1)}`);
    const { objects, errors } = readDirectory(directory);
    expect(orders(objects)).toEqual({ x: 1 });
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['DUPLICATE_NAME', 'b.yaml:1: read tier x: is defined twice (a.yaml:2 is in force)'],
    ]);
  });

  it('refuses a file that is too large without reading it', () => {
    write('a.yaml', '');
    truncateSync(join(directory, 'a.yaml'), 65 * 1024 * 1024);
    write('b.yaml', tier('b'));
    const { objects, errors } = readDirectory(directory);
    expect(orders(objects)).toEqual({ b: 1 });
    expect(errors).toMatchObject([{ code: 'FILE_TOO_LARGE', file: 'a.yaml', found: '68157440 bytes' }]);
  });

  it('says that a directory does not exist', () => {
    const { objects, errors } = readDirectory(join(directory, 'missing'));
    expect(objects.size).toBe(0);
    expect(errors).toMatchObject([{ code: 'FILE_UNREADABLE', message: expect.stringContaining('ENOENT') }]);
  });
});

describe('watchDirectory', () => {
  const changes: SnapshotChange[] = [];
  let watch: DirectoryWatch;

  /** Short grace periods, and a periodic scan that cannot help. */
  function start(rescanMs = 600_000): void {
    changes.length = 0;
    const options = { debounceMs: 10, vanishedMs: 150, truncatedMs: 300, rescanMs };
    watch = watchDirectory(directory, (change) => changes.push(change), options);
  }

  afterEach(() => watch.close());

  const settle = (expected: Record<string, number>): Promise<unknown> =>
    vi.waitFor(() => expect(orders(watch.snapshot.objects)).toEqual(expected), { timeout: 5000, interval: 5 });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  it('has the first snapshot at once and calls nobody', () => {
    write('a.yaml', tier('a'));
    start();
    expect(orders(watch.snapshot.objects)).toEqual({ a: 1 });
    expect(changes).toEqual([]);
  });

  it('reports new, changed and removed objects', async () => {
    write('a.yaml', tier('a'));
    write('b.yaml', tier('b'));
    start();
    write('c.yaml', tier('c'));
    await settle({ a: 1, b: 1, c: 1 });
    expect(changes).toMatchObject([{ changed: ['Tier//c'], removed: [] }]);
    replace('a.yaml', tier('a', 2));
    await settle({ a: 2, b: 1, c: 1 });
    expect(changes[1]).toMatchObject({ changed: ['Tier//a'], removed: [] });
    unlinkSync(join(directory, 'b.yaml'));
    await settle({ a: 2, c: 1 });
    expect(changes[2]).toMatchObject({ changed: [], removed: ['Tier//b'] });
  });

  it('sees files in folders made later', async () => {
    start();
    write('sub/a.yaml', tier('a'));
    await settle({ a: 1 });
    write('sub/a.yaml', tier('a', 2));
    await settle({ a: 2 });
  });

  it('never drops a policy while its file is replaced by delete and create', async () => {
    write('a.yaml', tier('a'));
    start();
    unlinkSync(join(directory, 'a.yaml'));
    await pause(60);
    write('a.yaml', tier('a', 2));
    await settle({ a: 2 });
    expect(changes.every(({ objects }) => objects.has('Tier//a'))).toBe(true);
  });

  it('never drops a policy while its file is written in pieces', async () => {
    const text = `${tier('a')}---\n${tier('b')}`;
    write('a.yaml', text);
    start();
    write('a.yaml', '');
    for (const share of [0.3, 0.6, 0.9]) {
      await pause(60);
      write('a.yaml', text.slice(0, text.length * share));
    }
    await pause(60);
    write('a.yaml', text.replaceAll('order: 1', 'order: 2'));
    await settle({ a: 2, b: 2 });
    expect(changes.every(({ objects }) => objects.size === 2)).toBe(true);
  });

  it('believes in the end that a file is gone, without a look at the others', async () => {
    write('a.yaml', tier('a'));
    write('b.yaml', tier('b'));
    start();
    unlinkSync(join(directory, 'a.yaml'));
    await pause(100);
    expect(orders(watch.snapshot.objects)).toEqual({ a: 1, b: 1 });
    await settle({ b: 1 });
    expect(changes.map(({ changed, removed }) => [changed, removed])).toEqual([[[], ['Tier//a']]]);
  });

  it('believes an emptied file in the end', async () => {
    write('a.yaml', tier('a'));
    start();
    write('a.yaml', '');
    await settle({});
  });

  it('keeps what a broken file had and reports the error until it is mended', async () => {
    write('a.yaml', tier('a'));
    start();
    write('a.yaml', `${tier('a', 2)}---\n{ broken\n`);
    await vi.waitFor(() => expect(watch.snapshot.errors).toMatchObject([{ code: 'YAML_SYNTAX' }]));
    expect(orders(watch.snapshot.objects)).toEqual({ a: 1 });
    write(
      'a.yaml',
      `${tier('a', 3)}# mended, and longer than before, so that nobody takes it for a half-written one\n`,
    );
    await settle({ a: 3 });
    expect(watch.snapshot.errors).toEqual([]);
  });

  it('lets the second definition take over when the first is deleted', async () => {
    write('a.yaml', tier('x', 1));
    write('b.yaml', tier('x', 2));
    start();
    unlinkSync(join(directory, 'a.yaml'));
    await settle({ x: 2 });
    expect(watch.snapshot.errors).toEqual([]);
    expect(changes.at(-1)).toMatchObject({ changed: ['Tier//x'], removed: [] });
  });

  it('keeps everything while the directory is gone, and goes on when it is back', async () => {
    write('a.yaml', tier('a'));
    start(50);
    renameSync(directory, `${directory}-moved`);
    const unreadable = [{ code: 'FILE_UNREADABLE' }];
    await vi.waitFor(() => expect(watch.snapshot.errors).toMatchObject(unreadable), { timeout: 5000 });
    await pause(400);
    expect(orders(watch.snapshot.objects)).toEqual({ a: 1 });
    renameSync(`${directory}-moved`, directory);
    await vi.waitFor(() => expect(watch.snapshot.errors).toEqual([]), { timeout: 5000 });
    write('b.yaml', tier('b'));
    await settle({ a: 1, b: 1 });
  });

  it('follows a ConfigMap that is swapped', async () => {
    write('..1/a.yaml', tier('a', 1));
    write('..2/a.yaml', tier('a', 2));
    symlinkSync('..1', join(directory, '..data'));
    symlinkSync('..data/a.yaml', join(directory, 'a.yaml'));
    start();
    symlinkSync('..2', join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    await settle({ a: 2 });
  });

  it('keeps the objects of files it did not read again', async () => {
    write('a.yaml', tier('a'));
    write('b.yaml', tier('b'));
    start();
    const before = watch.snapshot.objects.get('Tier//a');
    write('b.yaml', tier('b', 2));
    await settle({ a: 1, b: 2 });
    expect(watch.snapshot.objects.get('Tier//a')).toBe(before);
  });

  it('calls nobody after close', async () => {
    start(20);
    watch.close();
    write('a.yaml', tier('a'));
    await pause(100);
    expect(changes).toEqual([]);
  });
});
