// What inotify's events about a directory of manifests mean: which files to look at, at once or when they have come to
// rest, or that only a scan of everything will tell. Knows no manifests.
import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isHiddenName, isManifestName } from './manifest-files.ts';

export interface FileEvent {
  /** Of the folder, below the directory of manifests. */
  readonly folder: string;
  readonly type: string;
  /** undefined = not told. */
  readonly name: string | undefined;
}

export interface EventReading {
  /** Paths of files that are whole: others were renamed into their places. */
  readonly replaced: readonly string[];
  /** Paths of files that somebody may be writing to. */
  readonly touched: readonly string[];
  /** What else there is to see has no such name. */
  readonly needsScan: boolean;
}

export interface EventContext {
  readonly root: string;
  /** Links in sight may lead to what has no visible name. */
  readonly hasLinks: boolean;
  /** Inode of the file that was read last at the path. */
  readonly inodeOf: (path: string) => string | undefined;
  /** Whether the path was a folder when all was looked at last. */
  readonly isFolder: (path: string) => boolean;
}

/**
 * Reads events that came at one time, in their order. The files are asked about only where events do not tell enough: a
 * name that is gone is looked up in its folder, and waits there for whoever is writing.
 */
export function readEvents(events: readonly FileEvent[], context: EventContext): EventReading {
  const manifests = new Map<string, string[]>();
  const renamed = new Set<string>();
  let needsScan = false;
  for (const { folder, type, name } of events) {
    if (name === undefined) {
      needsScan = true;
      continue;
    }
    const path = folder === '' ? name : `${folder}/${name}`;
    if (isManifestName(path)) {
      const types = manifests.get(path);
      if (types === undefined) manifests.set(path, [type]);
      else types.push(type);
      continue;
    }
    if (type === 'rename') renamed.add(path);
    needsScan ||= concernsManifests(path, name, context);
  }
  const replaced: string[] = [];
  const touched: string[] = [];
  for (const [path, types] of manifests) (isReplacement(path, types, renamed, context) ? replaced : touched).push(path);
  return { replaced, touched, needsScan };
}

/** Folders come and go; hidden names matter when something visible leads to them. */
function concernsManifests(path: string, name: string, { root, hasLinks, isFolder }: EventContext): boolean {
  if (isHiddenName(name)) return hasLinks;
  const status = lstatSync(join(root, path), { throwIfNoEntry: false });
  return status === undefined ? isFolder(path) : !status.isFile();
}

/**
 * Whether the one thing that happened to the file is that another one was renamed into its place, and so is whole. Who
 * deletes, creates and writes causes several events; who only just creates has written nothing.
 */
function isReplacement(
  path: string,
  types: readonly string[],
  renamed: ReadonlySet<string>,
  { root, inodeOf }: EventContext,
): boolean {
  if (types.length !== 1 || types[0] !== 'rename') return false;
  const status = statSync(join(root, path), { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size === 0 || inodeOf(path) === String(status.ino)) return false;
  // Renaming changes the inode, writing its content too: a file from elsewhere was written before it was moved. Within
  // one tick of the file system's clock the name that it had, and that nothing has any more, says the same.
  return status.ctimeMs > status.mtimeMs || [...renamed].some((other) => isGone(join(root, other)));
}

function isGone(absolute: string): boolean {
  return lstatSync(absolute, { throwIfNoEntry: false }) === undefined;
}
