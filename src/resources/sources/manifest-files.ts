// The manifest files under a directory: which they are, whether they changed, what they contain. No parsing.
import { isUtf8 } from 'node:buffer';
import { type Dirent, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';
import { limitExceeded } from '../../base/limit-error.ts';
import { DEFAULT_MANIFEST_LIMITS } from './manifest-limits.ts';

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
  /** Below the directory of manifests; empty for itself. */
  readonly relative: string;
  /** Device and inode: another directory may come to stand at the path. */
  readonly identity: string;
}

export interface Listing {
  /** Sorted by path. */
  readonly files: readonly ManifestFile[];
  /** Every directory walked, for watching. */
  readonly directories: readonly WalkedDirectory[];
  /** Something visible is a symbolic link: what it leads to may change under another name. */
  readonly hasLinks: boolean;
  /** Relative paths of directories and files that exist but cannot be looked at: what they hold is unknown, not gone. */
  readonly unreadable: readonly string[];
  readonly errors: readonly DataplaneError[];
}

interface Walk {
  readonly root: string;
  readonly maxFiles: number;
  /** Names looked at so far. */
  count: number;
  readonly files: ManifestFile[];
  readonly directories: WalkedDirectory[];
  hasLinks: boolean;
  readonly unreadable: string[];
  readonly errors: DataplaneError[];
  /** Identities of directories seen, against loops of symbolic links. */
  readonly seen: Set<string>;
}

/**
 * Manifests below the directory: *.yaml, *.yml and *.json, symbolic links followed. Names that begin with a dot are
 * left out, and with them Kubernetes' `..data` directories, whose files are linked to by visible names; so are
 * editors' backups. Never throws: what cannot be read is in `unreadable` and `errors`. With more than maxFiles names
 * nothing is known of any of them: which ones came first is chance.
 */
export function listManifests(root: string, maxFiles = DEFAULT_MANIFEST_LIMITS.files): Listing {
  const walk: Walk = {
    root,
    maxFiles,
    count: 0,
    files: [],
    directories: [],
    hasLinks: false,
    unreadable: [],
    errors: [],
    seen: new Set(),
  };
  walkDirectory(walk, '');
  if (walk.count > maxFiles) return { ...walk, files: [], unreadable: [''], errors: [tooManyFiles(walk)] };
  walk.files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return walk;
}

/**
 * One manifest by its path, as listManifests would find it; undefined = it is gone. 'unknown' = only a listing can tell:
 * its folder is gone too, or cannot be looked at.
 */
export function findManifest(root: string, path: string): ManifestFile | undefined | 'unknown' {
  const absolute = join(root, path);
  try {
    const status = statSync(absolute);
    return status.isFile() ? fileOf(path, status) : 'unknown';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return 'unknown';
    return statSync(dirname(absolute), { throwIfNoEntry: false })?.isDirectory() === true ? undefined : 'unknown';
  }
}

/** Whether a file of that name is read, be it there or not. */
export function isManifestName(path: string): boolean {
  return /\.(?:yaml|yml|json)$/.test(path) && !isHiddenName(basename(path));
}

/** Names that are never looked at. */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.') || name.startsWith('#');
}

/** Text of a manifest. Throws FILE_TOO_LARGE, FILE_UNREADABLE, or YAML_SYNTAX for what is not UTF-8. */
export function readManifest(
  root: string,
  file: ManifestFile,
  maxBytes = DEFAULT_MANIFEST_LIMITS.bytesPerFile,
): string {
  if (file.sizeBytes > maxBytes) throw tooLarge(file, maxBytes);
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(root, file.path));
  } catch (cause) {
    throw unreadable(file.path, cause);
  }
  if (!isUtf8(bytes)) throw notUtf8(file.path, bytes);
  return bytes.toString('utf8');
}

function walkDirectory(walk: Walk, relative: string): void {
  const absolute = join(walk.root, relative);
  let entries: Dirent[];
  try {
    const { dev, ino } = statSync(absolute);
    const identity = `${dev}:${ino}`;
    if (walk.seen.has(identity)) return;
    walk.seen.add(identity);
    entries = readdirSync(absolute, { withFileTypes: true });
    walk.directories.push({ path: absolute, relative, identity });
  } catch (cause) {
    refuse(walk, relative, cause);
    return;
  }
  for (const entry of entries) {
    if (walk.count > walk.maxFiles) return;
    if (isHiddenName(entry.name)) continue;
    walk.count += 1;
    visit(walk, relative === '' ? entry.name : `${relative}/${entry.name}`, entry);
  }
}

function visit(walk: Walk, path: string, entry: Dirent): void {
  if (entry.isSymbolicLink()) walk.hasLinks = true;
  if (entry.isFile() && !isManifestName(path)) return;
  let status: Stats;
  try {
    status = statSync(join(walk.root, path));
  } catch (cause) {
    if (isManifestName(path)) refuse(walk, path, cause);
    return;
  }
  if (status.isDirectory()) walkDirectory(walk, path);
  else if (status.isFile() && isManifestName(path)) walk.files.push(fileOf(path, status));
}

function fileOf(path: string, { mtimeMs, ctimeMs, size, ino }: Stats): ManifestFile {
  return { path, stamp: `${mtimeMs} ${ctimeMs} ${size} ${ino}`, sizeBytes: size };
}

/** A file or directory that vanished while we walked is gone; the root itself never is. */
function refuse(walk: Walk, path: string, cause: unknown): void {
  if (path !== '' && (cause as NodeJS.ErrnoException).code === 'ENOENT') return;
  walk.unreadable.push(path);
  walk.errors.push(unreadable(path === '' ? walk.root : path, cause));
}

function tooManyFiles({ root, count, maxFiles }: Walk): DataplaneError {
  return limitExceeded('has too many files, nothing of it is read', {
    operation: 'read',
    target: root,
    found: `${count} or more names`,
    limit: maxFiles,
    setting: 'manifest-files',
  });
}

function tooLarge({ path, sizeBytes }: ManifestFile, maxBytes: number): DataplaneError {
  return new DataplaneError('FILE_TOO_LARGE', 'is too large', {
    operation: 'read',
    target: path,
    found: `${sizeBytes} bytes`,
    expected: `at most ${maxBytes}`,
    hint: 'split it, or raise the limit with --limit manifest-bytes-per-file=<number>',
    file: path,
  });
}

/** Newline bytes are never part of a longer character, so that each line can be asked on its own. */
function notUtf8(path: string, bytes: Buffer): DataplaneError {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  return new DataplaneError('YAML_SYNTAX', 'is not UTF-8 text', {
    operation: 'read',
    target: path,
    hint: 'save it as UTF-8',
    file: path,
    line,
  });
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
