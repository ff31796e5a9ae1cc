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
}

/** Reads events that came at one time, in their order. */
export function readEvents(events: readonly FileEvent[], context: EventContext): EventReading {
  const manifests = new Map<string, string[]>();
  let needsScan = false;
  /** A name that a file was renamed from: no file has it any more. */
  let hasSource = false;
  for (const { folder, type, name } of events) {
    if (name === undefined) {
      needsScan = true;
      continue;
    }
    const path = folder === '' ? name : `${folder}/${name}`;
    if (isManifestName(path)) manifests.set(path, [...(manifests.get(path) ?? []), type]);
    else if (type === 'rename' && isGone(join(context.root, path))) hasSource = true;
    if (!isManifestName(path)) needsScan ||= concernsManifests(join(context.root, path), name, context);
  }
  const [replaced, touched] = partition([...manifests], ([path, types]) =>
    isReplacement(path, types, hasSource, context),
  );
  return { replaced: replaced.map(([path]) => path), touched: touched.map(([path]) => path), needsScan };
}

/** Folders come and go; hidden names matter when something visible leads to them. */
function concernsManifests(absolute: string, name: string, { hasLinks }: EventContext): boolean {
  const isFile = lstatSync(absolute, { throwIfNoEntry: false })?.isFile();
  if (isHiddenName(name)) return hasLinks;
  return isFile !== true;
}

/**
 * Whether the one thing that happened to the file is that another one was renamed into its place, and so is whole. Who
 * deletes, creates and writes causes several events; who only just creates has written nothing.
 */
function isReplacement(
  path: string,
  types: readonly string[],
  hasSource: boolean,
  { root, inodeOf }: EventContext,
): boolean {
  if (types.length !== 1 || types[0] !== 'rename') return false;
  const status = statSync(join(root, path), { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size === 0 || inodeOf(path) === String(status.ino)) return false;
  // Renaming changes the inode, writing its content too: a file from elsewhere was written before it was moved.
  return hasSource || status.ctimeMs > status.mtimeMs;
}

function isGone(absolute: string): boolean {
  return lstatSync(absolute, { throwIfNoEntry: false }) === undefined;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
