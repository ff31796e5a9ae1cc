// Manifest files and directories named on a command line, read as one set: every name is defined once, and locations
// are paths as seen from where the command runs.
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataplaneError } from '../base/errors.ts';
import { parseDocuments } from '../resources/document.ts';
import type { Resource } from '../resources/resource.ts';
import { listManifests, readManifest } from '../resources/sources/manifest-files.ts';
import { mergeFiles, type ResourceSnapshot } from '../resources/sources/snapshot.ts';

interface FileContent {
  readonly resources: readonly Resource[];
  readonly errors: readonly DataplaneError[];
}

/** All objects of the files, and of the files below the directories; `-` = standard input. Throws FILE_UNREADABLE. */
export function readManifestPaths(paths: readonly string[]): ResourceSnapshot {
  const errors: DataplaneError[] = [];
  const files = paths.flatMap((path) => (isDirectory(path) ? readBelow(path, errors) : [readOne(path)]));
  return mergeFiles(files, errors);
}

/** A URI for the file: relative where it is below the current directory, else absolute. */
export function fileUri(file: string): string {
  const below = relative(process.cwd(), resolve(file));
  if (below.startsWith('..') || isAbsolute(below)) return pathToFileURL(resolve(file)).href;
  return below.split(sep).map(encodeURIComponent).join('/');
}

function readBelow(directory: string, errors: DataplaneError[]): FileContent[] {
  const listing = listManifests(directory);
  errors.push(...listing.errors);
  return listing.files.map((file) => {
    try {
      return parseDocuments(readManifest(directory, file), join(normalize(directory), file.path));
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      return { resources: [], errors: [error] };
    }
  });
}

function readOne(path: string): FileContent {
  try {
    return parseDocuments(readFileSync(path === '-' ? 0 : path, 'utf8'), path === '-' ? 'stdin' : normalize(path));
  } catch (cause) {
    throw new DataplaneError('FILE_UNREADABLE', 'cannot be read', { operation: 'read', target: path, cause });
  }
}

function isDirectory(path: string): boolean {
  return path !== '-' && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}
