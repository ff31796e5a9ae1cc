// The manifest files under a directory: which they are, whether they changed, what they contain. No parsing.
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';
import { MAX_FILE_BYTES } from '../document.ts';

export interface ManifestFile {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  /** Modification and change time, size and inode: another stamp may mean other content, the same one never does. */
  readonly stamp: string;
  readonly sizeBytes: number;
}

export interface WalkedDirectory {
  /** Absolute. */
  readonly path: string;
  /** Device and inode: another directory may come to stand at the path. */
  readonly identity: string;
}

export interface Listing {
  /** Sorted by path. */
  readonly files: readonly ManifestFile[];
  /** Every directory walked, for watching. */
  readonly directories: readonly WalkedDirectory[];
  /** Relative paths of directories and files that exist but cannot be looked at: what they hold is unknown, not gone. */
  readonly unreadable: readonly string[];
  readonly errors: readonly DataplaneError[];
}

interface Walk {
  readonly root: string;
  readonly files: ManifestFile[];
  readonly directories: WalkedDirectory[];
  readonly unreadable: string[];
  readonly errors: DataplaneError[];
  /** Identities of directories seen, against loops of symbolic links. */
  readonly seen: Set<string>;
}

/**
 * Manifests below the directory: *.yaml, *.yml and *.json, symbolic links followed. Names that begin with a dot are
 * left out, and with them Kubernetes' `..data` directories, whose files are linked to by visible names; so are
 * editors' backups. Never throws: what cannot be read is in `unreadable` and `errors`.
 */
export function listManifests(root: string): Listing {
  const walk: Walk = { root, files: [], directories: [], unreadable: [], errors: [], seen: new Set() };
  walkDirectory(walk, '');
  walk.files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return walk;
}

/** Text of a manifest. Throws FILE_TOO_LARGE or FILE_UNREADABLE. */
export function readManifest(root: string, file: ManifestFile): string {
  if (file.sizeBytes > MAX_FILE_BYTES) {
    const details = { found: `${file.sizeBytes} bytes`, expected: `at most ${MAX_FILE_BYTES}` };
    throw new DataplaneError('FILE_TOO_LARGE', 'is too large', {
      operation: 'read',
      target: file.path,
      file: file.path,
      ...details,
    });
  }
  try {
    return readFileSync(join(root, file.path), 'utf8');
  } catch (cause) {
    throw unreadable(file.path, cause);
  }
}

function walkDirectory(walk: Walk, relative: string): void {
  const absolute = join(walk.root, relative);
  let names: string[];
  try {
    const { dev, ino } = statSync(absolute);
    const identity = `${dev}:${ino}`;
    if (walk.seen.has(identity)) return;
    walk.seen.add(identity);
    names = readdirSync(absolute);
    walk.directories.push({ path: absolute, identity });
  } catch (cause) {
    refuse(walk, relative, cause);
    return;
  }
  for (const name of names) {
    if (name.startsWith('.') || name.startsWith('#')) continue;
    visit(walk, relative === '' ? name : `${relative}/${name}`);
  }
}

function visit(walk: Walk, path: string): void {
  let status: Stats;
  try {
    status = statSync(join(walk.root, path));
  } catch (cause) {
    if (isManifestName(path)) refuse(walk, path, cause);
    return;
  }
  if (status.isDirectory()) walkDirectory(walk, path);
  else if (status.isFile() && isManifestName(path)) {
    const stamp = `${status.mtimeMs} ${status.ctimeMs} ${status.size} ${status.ino}`;
    walk.files.push({ path, stamp, sizeBytes: status.size });
  }
}

/** A file or directory that vanished while we walked is gone; the root itself never is. */
function refuse(walk: Walk, path: string, cause: unknown): void {
  if (path !== '' && (cause as NodeJS.ErrnoException).code === 'ENOENT') return;
  walk.unreadable.push(path);
  walk.errors.push(unreadable(path === '' ? walk.root : path, cause));
}

function isManifestName(path: string): boolean {
  return /\.(?:yaml|yml|json)$/.test(path);
}

function unreadable(path: string, cause: unknown): DataplaneError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new DataplaneError('FILE_UNREADABLE', `cannot be read: ${code}`, {
    operation: 'read',
    target: path,
    file: path,
    cause,
  });
}
