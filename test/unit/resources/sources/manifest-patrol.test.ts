import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listing, listManifests } from '../../../../src/resources/sources/manifest-files.ts';
import { type PatrolFinding, patrolManifests } from '../../../../src/resources/sources/manifest-patrol.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tortie-patrol-'));
  for (const path of ['a.yaml', 'b.yaml', 'note.txt', '.hidden.yaml', 'team/c.json', 'team/deep/d.yml']) write(path);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = 'content'): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Walks with what the listing found; meanwhile runs after so many steps. */
function patrol(listing: Listing, meanwhile?: { readonly steps: number; readonly run: () => void }): PatrolFinding {
  const stamps = new Map(listing.files.map(({ path, stamp }) => [path, stamp]));
  const walk = patrolManifests({
    root,
    directories: new Map(listing.directories.map(({ relative, identity }) => [relative, identity])),
    hasLinks: listing.hasLinks,
    stampOf: (path) => stamps.get(path),
    paths: () => stamps.keys(),
  });
  for (let step = 0; ; step += 1) {
    if (step === meanwhile?.steps) meanwhile.run();
    const { done, value } = walk.next();
    if (done === true) return value;
  }
}

const NOTHING: PatrolFinding = { paths: [], needsScan: false };
const SCAN: PatrolFinding = { paths: [], needsScan: true };

describe('patrolManifests', () => {
  it('finds nothing where nothing has changed', () => {
    expect(patrol(listManifests(root))).toEqual(NOTHING);
  });

  it('names files that came, changed and went, in folders too', () => {
    const known = listManifests(root);
    write('a.yaml', 'changed content');
    write('team/new.yaml');
    unlinkSync(join(root, 'team/deep/d.yml'));
    write('.hidden.yaml', 'of no concern');
    write('other.txt');
    const { paths, needsScan } = patrol(known);
    expect([[...paths].sort(), needsScan]).toEqual([['a.yaml', 'team/deep/d.yml', 'team/new.yaml'], false]);
  });

  it.each<[string, () => void]>([
    ['a folder is new', () => mkdirSync(join(root, 'new'))],
    ['a folder is gone', () => rmSync(join(root, 'team/deep'), { recursive: true })],
    [
      'another folder has the name',
      () => {
        renameSync(join(root, 'team/deep'), join(root, '.moved'));
        mkdirSync(join(root, 'team/deep'));
      },
    ],
    ['the first link came', () => symlinkSync('a.yaml', join(root, 'link.yaml'))],
    ['a folder has the name of a manifest', () => mkdirSync(join(root, 'folder.yaml'))],
    ['the directory is gone', () => rmSync(root, { recursive: true })],
  ])('leaves it to a scan when %s', (_, change) => {
    const known = listManifests(root);
    change();
    expect(patrol(known)).toEqual(SCAN);
  });

  it('walks links, circles included, by the paths that are known', () => {
    symlinkSync('..', join(root, 'team/up'));
    symlinkSync('team', join(root, 'again'));
    symlinkSync('a.yaml', join(root, 'link.yaml'));
    symlinkSync('nowhere', join(root, 'broken'));
    const known = listManifests(root);
    expect(known.files.map(({ path }) => path)).toContain('link.yaml');
    expect(patrol(known)).toEqual(NOTHING);
    write('a.yaml', 'changed content');
    expect([...patrol(known).paths].sort()).toEqual(['a.yaml', 'link.yaml']);
  });

  it.each([0, 1, 3, 5, 8])('names no other file when one goes while it walks: step %i', (steps) => {
    const run = (): void => unlinkSync(join(root, 'b.yaml'));
    const { paths, needsScan } = patrol(listManifests(root), { steps, run });
    expect(needsScan).toBe(false);
    expect(paths.filter((path) => path !== 'b.yaml')).toEqual([]);
  });
});
