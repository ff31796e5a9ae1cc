// Walks a directory of manifests in small steps, next to other work, to find out whether a look at some files or a scan
// of all would find anything that no event told of. Reads no file, and decides nothing about what it finds.
import { type Dir, type Dirent, opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findManifest, isHiddenName, isManifestName } from './manifest-files.ts';

/** What was found when all was looked at last, kept current. */
export interface KnownDirectory {
  readonly root: string;
  /** Identities of directories, by their paths below the root. */
  readonly directories: ReadonlyMap<string, string>;
  readonly hasLinks: boolean;
  /** Of the file's content that was seen last; undefined = no such file is known. */
  readonly stampOf: (path: string) => string | undefined;
  /** Of all files known. */
  readonly paths: () => Iterable<string>;
}

export interface PatrolFinding {
  /** Files that came, changed or went, as far as a glance tells. */
  readonly paths: readonly string[];
  /** Directories or links did, or something cannot be looked at. */
  readonly needsScan: boolean;
}

const READ_AHEAD = 64;
const NEEDS_SCAN: PatrolFinding = { paths: [], needsScan: true };

interface Patrol {
  readonly known: KnownDirectory;
  /** Paths of directories still to walk. */
  readonly ahead: string[];
  readonly files: Set<string>;
  readonly found: string[];
}

/** Yields after each name, some microseconds of work. Never throws. */
export function* patrolManifests(known: KnownDirectory): Generator<void, PatrolFinding> {
  const patrol: Patrol = { known, ahead: [''], files: new Set(), found: [] };
  // Links may lead to a directory by several paths: it is walked by the one that it is known by.
  const identities = new Set(known.directories.values());
  let walked = 0;
  try {
    for (let path = patrol.ahead.pop(); path !== undefined; path = patrol.ahead.pop()) {
      const identity = identityOf(join(known.root, path));
      if (!identities.has(identity)) return NEEDS_SCAN;
      if (known.directories.get(path) !== identity) continue;
      walked += 1;
      if (!(yield* walkOne(patrol, path))) return NEEDS_SCAN;
    }
  } catch {
    return NEEDS_SCAN;
  }
  if (walked !== known.directories.size) return NEEDS_SCAN;
  for (const path of known.paths()) {
    if (!patrol.files.has(path)) patrol.found.push(path);
    yield;
  }
  return { paths: patrol.found, needsScan: false };
}

/** false = only a scan can tell. Throws the error of node:fs. */
function* walkOne(patrol: Patrol, relative: string): Generator<void, boolean> {
  const directory: Dir = opendirSync(join(patrol.known.root, relative), { bufferSize: READ_AHEAD });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (!isHiddenName(entry.name) && !visit(patrol, path, entry)) return false;
      yield;
    }
    return true;
  } finally {
    directory.closeSync();
  }
}

function visit({ known, ahead, files, found }: Patrol, path: string, entry: Dirent): boolean {
  if (entry.isDirectory()) {
    ahead.push(path);
    return true;
  }
  if (entry.isSymbolicLink()) {
    if (!known.hasLinks) return false;
    if (statSync(join(known.root, path), { throwIfNoEntry: false })?.isDirectory()) {
      ahead.push(path);
      return true;
    }
  }
  if (!isManifestName(path)) return true;
  const file = findManifest(known.root, path);
  if (file === 'unknown') return false;
  if (file === undefined) return true;
  files.add(path);
  if (known.stampOf(path) !== file.stamp) found.push(path);
  return true;
}

function identityOf(absolute: string): string {
  const { dev, ino } = statSync(absolute);
  return `${dev}:${ino}`;
}
