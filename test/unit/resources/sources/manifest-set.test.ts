import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_MANIFEST_LIMITS, type ManifestLimits } from '../../../../src/resources/sources/manifest-limits.ts';
import { ManifestSet } from '../../../../src/resources/sources/manifest-set.ts';

const GRACE = { vanishedMs: 0, truncatedMs: 0 };
const tier = (name: string, order = 1, more = ''): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n${more}`;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tortie-manifests-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (path: string, text: string | Uint8Array): void => writeFileSync(join(directory, path), text);
const remove = (path: string): void => rmSync(join(directory, path));

function newSet(limits: Partial<ManifestLimits>): ManifestSet {
  return new ManifestSet(directory, { grace: GRACE, limits: { ...DEFAULT_MANIFEST_LIMITS, ...limits } });
}

/** Runs it while this process cannot open another file. */
function withoutDescriptors(run: () => void): void {
  const limit = (files: string): Buffer => execFileSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${files}:`]);
  const before = execFileSync('prlimit', ['--pid', `${process.pid}`, '--nofile', '--noheadings', '--output', 'SOFT']);
  const opened: number[] = [];
  limit('256');
  try {
    expect(() => {
      for (;;) opened.push(openSync('/dev/null', 'r'));
    }).toThrow('EMFILE');
    run();
  } finally {
    for (const fd of opened) closeSync(fd);
    limit(before.toString().trim());
  }
}

/** What is in force as `name=order`, and the errors' codes and hints. */
function look(set: ManifestSet): { inForce: string[]; errors: string[] } {
  const { objects, errors } = set.scan(0).snapshot;
  return {
    inForce: [...objects.values()].map(({ name, spec }) => `${name}=${(spec as { order?: number }).order}`),
    errors: errors.map(
      ({ code, file, hint }) => `${code} ${file ?? ''} ${/--limit ([a-z-]+)=/.exec(hint ?? '')?.[1] ?? ''}`,
    ),
  };
}

describe('ManifestSet', () => {
  it('reads nothing of a directory with too many names, and keeps what it had', () => {
    const set = newSet({ files: 2 });
    write('a.yaml', tier('a'));
    write('b.yaml', tier('b'));
    expect(look(set)).toEqual({ inForce: ['a=1', 'b=1'], errors: [] });
    write('a.yaml', tier('a', 2));
    write('note.txt', 'counts too');
    expect(look(set)).toEqual({ inForce: ['a=1', 'b=1'], errors: ['LIMIT_EXCEEDED  manifest-files'] });
    remove('note.txt');
    expect(look(set)).toEqual({ inForce: ['a=2', 'b=1'], errors: [] });
  });

  it('keeps the last good version of a file that is too large', () => {
    const set = newSet({ bytesPerFile: 200 });
    write('a.yaml', tier('a'));
    look(set);
    write('a.yaml', tier('a', 2, `# ${'x'.repeat(200)}\n`));
    expect(look(set)).toEqual({ inForce: ['a=1'], errors: ['FILE_TOO_LARGE a.yaml manifest-bytes-per-file'] });
    write('a.yaml', tier('a', 3));
    expect(look(set)).toEqual({ inForce: ['a=3'], errors: [] });
  });

  it.each([
    ['bytes', { bytes: 250 }, 'manifest-bytes'],
    ['values', { values: 20 }, 'manifest-values'],
  ])(
    'refuses the file that all together would have too many %s with, until there is room',
    (_what, limits, setting) => {
      const set = newSet(limits);
      write('a.yaml', tier('a'));
      write('b.yaml', tier('b'));
      expect(look(set)).toEqual({ inForce: ['a=1', 'b=1'], errors: [] });
      const large = tier('x').replace('{name: x}', '{name: x, annotations: {a: "1", b: "2", c: "3", d: "4"}}');
      write('0.yaml', large);
      const refused = { inForce: ['a=1', 'b=1'], errors: [`LIMIT_EXCEEDED 0.yaml ${setting}`] };
      expect(look(set)).toEqual(refused);
      expect(look(set)).toEqual(refused);
      remove('b.yaml');
      expect(look(set).inForce.sort()).toEqual(['a=1', 'x=1']);
      expect(look(set).errors).toEqual([]);
    },
  );

  it('reads a file that could not be read again, even if nothing about it has changed', () => {
    const set = newSet({});
    write('a.yaml', tier('a'));
    look(set);
    write('a.yaml', tier('a', 2));
    withoutDescriptors(() => {
      expect(set.look(['a.yaml'], 0)?.snapshot.errors).toMatchObject([{ code: 'FILE_UNREADABLE', file: 'a.yaml' }]);
    });
    expect(look(set)).toEqual({ inForce: ['a=2'], errors: [] });
  });

  it('counts the new version of a file in place of the old one', () => {
    const set = newSet({ bytes: 120 });
    for (let order = 1; order < 9; order += 1) {
      write('a.yaml', tier('a', order));
      expect(look(set)).toEqual({ inForce: [`a=${order}`], errors: [] });
    }
  });

  it.each([
    ['Latin-1', Buffer.from(tier('a', 2, '# caf\u00e9\n'), 'latin1'), 5],
    ['UTF-16', Buffer.from(`\ufeff${tier('a', 2)}`, 'utf16le'), 1],
    ['a character that is cut off', Buffer.from(tier('a', 2, '# \u00e9')).subarray(0, -1), 5],
  ])('keeps the last good version of a file in %s, and names the line', (_name, bytes, line) => {
    const set = newSet({});
    write('a.yaml', tier('a'));
    look(set);
    write('a.yaml', bytes);
    expect(look(set)).toEqual({ inForce: ['a=1'], errors: ['YAML_SYNTAX a.yaml '] });
    expect(set.scan(0).snapshot.errors[0]).toMatchObject({ line, hint: 'save it as UTF-8' });
  });
});
