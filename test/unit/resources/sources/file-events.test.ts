import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileEvent, readEvents } from '../../../../src/resources/sources/file-events.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tortie-events-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (name: string): void => writeFileSync(join(root, name), 'content');
const inode = (name: string): string => String(statSync(join(root, name)).ino);
const event = (type: string, name: string | undefined, folder = ''): FileEvent => ({ folder, type, name });
const read = (events: readonly FileEvent[], known = new Map<string, string>(), hasLinks = false) =>
  readEvents(events, { root, hasLinks, inodeOf: (path) => known.get(path), isFolder: (path) => path === 'team' });

describe('readEvents', () => {
  it('takes a file that another was renamed into for whole', () => {
    write('a.yaml');
    const known = new Map([['a.yaml', inode('a.yaml')]]);
    write('.a.new');
    renameSync(join(root, '.a.new'), join(root, 'a.yaml'));
    const events = [event('rename', '.a.new'), event('rename', 'a.yaml')];
    expect(read(events, known)).toEqual({ replaced: ['a.yaml'], touched: [], needsScan: false });
  });

  it.each([
    ['written to', ['change']],
    ['created and written to', ['rename', 'change']],
    ['deleted and created', ['rename', 'rename']],
  ])('gives a file that was %s time to come to rest', (_, types) => {
    write('a.yaml');
    const { replaced, touched } = read(types.map((type) => event(type, 'a.yaml')));
    expect({ replaced, touched }).toEqual({ replaced: [], touched: ['a.yaml'] });
  });

  it('gives the file that was read last time, should it be written to', () => {
    write('a.yaml');
    write('other');
    const known = new Map([['a.yaml', inode('a.yaml')]]);
    expect(read([event('rename', 'gone'), event('rename', 'a.yaml')], known).touched).toEqual(['a.yaml']);
  });

  it('looks at a file that is gone', () => {
    expect(read([event('rename', 'a.yaml')])).toEqual({ replaced: [], touched: ['a.yaml'], needsScan: false });
  });

  it('names files below the directory by their path', () => {
    expect(read([event('change', 'a.yaml', 'team/web')]).touched).toEqual(['team/web/a.yaml']);
  });

  it.each(['notes.txt', 'a.yaml~'])('takes no notice of what is no manifest: %s', (name) => {
    write(name);
    expect(read([event('change', name)])).toEqual({ replaced: [], touched: [], needsScan: false });
  });

  it('takes no notice of a visible name that a file was renamed from', () => {
    expect(read([event('rename', 'a.yaml.new')])).toEqual({ replaced: [], touched: [], needsScan: false });
  });

  it('scans when a folder came or is gone, and when a name is not told', () => {
    mkdirSync(join(root, 'new'));
    expect(read([event('rename', 'new')]).needsScan).toBe(true);
    expect(read([event('rename', 'team')]).needsScan).toBe(true);
    expect(read([event('change', undefined)]).needsScan).toBe(true);
  });

  it('scans for hidden names only where links may lead to them', () => {
    mkdirSync(join(root, '..data'));
    symlinkSync('..data', join(root, 'link'));
    expect(read([event('rename', '..data')], new Map(), false).needsScan).toBe(false);
    expect(read([event('rename', '..data')], new Map(), true).needsScan).toBe(true);
  });
});
