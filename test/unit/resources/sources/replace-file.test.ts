import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile } from '../../../../src/resources/sources/replace-file.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tortie-replace-'));
  file = join(directory, 'a.yaml');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

describe('replaceFile', () => {
  it.each([0o600, 0o640, 0o664, 0o444])('keeps mode %o of the file that was there', (mode) => {
    writeFileSync(file, 'old');
    chmodSync(file, mode);
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(modeOf(file)).toBe(mode.toString(8));
  });

  it('makes a new file, and the folders it is in, as the umask says', () => {
    const umask = process.umask();
    replaceFile(join(directory, 'x/y/b.yaml'), 'new');
    expect(modeOf(join(directory, 'x/y/b.yaml'))).toBe((0o666 & ~umask).toString(8));
  });

  it('replaces what a link leads to, and leaves the link', () => {
    mkdirSync(join(directory, 'real'));
    writeFileSync(join(directory, 'real/b.yaml'), 'old');
    symlinkSync('real/b.yaml', file);
    replaceFile(file, 'new');
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readlinkSync(file)).toBe('real/b.yaml');
    expect(readFileSync(join(directory, 'real/b.yaml'), 'utf8')).toBe('new');
  });

  it('leaves nothing else behind', () => {
    replaceFile(file, 'new');
    expect(readdirSync(directory)).toEqual(['a.yaml']);
  });

  it('changes nothing when it cannot write, and says so', () => {
    writeFileSync(join(directory, 'folder'), 'is a file');
    expect(() => replaceFile(join(directory, 'folder/a.yaml'), 'new')).toThrow(/cannot be written: E(?:NOTDIR|EXIST)/);
    mkdirSync(file);
    expect(() => replaceFile(file, 'new')).toThrow(expect.objectContaining({ code: 'FILE_UNWRITABLE' }));
    expect(readdirSync(directory).sort()).toEqual(['a.yaml', 'folder']);
  });
});
