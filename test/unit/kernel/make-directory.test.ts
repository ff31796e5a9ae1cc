import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDirectory } from '../../../src/kernel/make-directory.ts';

describe('makeDirectory', () => {
  let place: string;

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'tortie-directory-'));
  });
  afterAll(() => rmSync(place, { recursive: true }));

  it('makes what is missing above, for the owner only, and may be called again', () => {
    const path = join(place, 'a', 'b', 'c');
    makeDirectory(path);
    makeDirectory(path);
    for (const made of ['a', 'a/b', 'a/b/c']) expect(statSync(join(place, made)).mode & 0o777).toBe(0o700);
  });

  it('says so where nothing can be made, instead of trying on', () => {
    expect(() => makeDirectory('/proc/tortie-test/below')).toThrow(/ENOENT|EACCES|EPERM/);
  });

  it('does not make a directory of a file', () => {
    const file = join(place, 'file');
    writeFileSync(file, '');
    expect(() => makeDirectory(join(file, 'below'))).toThrow(/ENOTDIR/);
    expect(() => makeDirectory(file)).toThrow(/EEXIST/);
  });
});
