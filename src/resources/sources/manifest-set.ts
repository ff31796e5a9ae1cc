// All manifests of a directory as last seen. scan() looks at every file again, look() at some; both read only what
// changed, and say what is in force.
import { DataplaneError } from '../../base/errors.ts';
import { limitExceeded } from '../../base/limit-error.ts';
import { finish, type Steps } from '../../base/steps.ts';
import type { Resource } from '../resource.ts';
import {
  findManifest,
  type Listing,
  listManifests,
  type ManifestFile,
  readManifest,
  type WalkedDirectory,
} from './manifest-files.ts';
import { countValues, DEFAULT_MANIFEST_LIMITS, type ManifestLimits } from './manifest-limits.ts';
import {
  acceptMissing,
  acceptReading,
  acceptUnreadable,
  type GracePeriods,
  type ManifestState,
  type RememberedFile,
  type ResourceCheck,
  type ResourceUse,
  recallReading,
} from './manifest-state.ts';
import { ObjectIndex } from './object-index.ts';
import { type ResourceSnapshot, type SnapshotChange, sameErrors } from './snapshot.ts';

export interface LookResult {
  /** Its objects are a live view. */
  readonly snapshot: ResourceSnapshot;
  /** undefined = nothing did. */
  readonly change: SnapshotChange | undefined;
  /** When something held back must be looked at again; undefined = nothing is. */
  readonly nextCheckMs?: number;
}

export interface ScanResult extends LookResult {
  readonly directories: readonly WalkedDirectory[];
  readonly hasLinks: boolean;
}

/** Keeps what was accepted without an error, from one process to the next. */
export interface ManifestMemory {
  /** By path. */
  recall(): ReadonlyMap<string, RememberedFile>;
  /** An earlier process has left word, be it that there was nothing. */
  readonly hasEarlier?: boolean;
  remember(path: string, text: string, resources: readonly Resource[]): void;
  forget(path: string): void;
}

export interface ManifestSetOptions {
  readonly grace: GracePeriods;
  readonly check?: ResourceCheck;
  readonly accept?: ResourceUse;
  readonly memory?: ManifestMemory;
  readonly limits?: ManifestLimits;
}

/** What files take of the limits. */
interface Load {
  bytes: number;
  values: number;
}

/** Of a file that was refused for its load; not read again until it changes or room is made. */
interface Refused extends Load {
  readonly stamp: string;
}

/** Stamp that no file has: the file is looked at again each time. */
const NO_STAMP = '';
const NO_RESOURCES: readonly Resource[] = [];

export class ManifestSet {
  readonly #root: string;
  readonly #grace: GracePeriods;
  readonly #check: ResourceCheck | undefined;
  readonly #accept: ResourceUse | undefined;
  readonly #memory: ManifestMemory | undefined;
  readonly #limits: ManifestLimits;
  readonly #states = new Map<string, ManifestState>();
  readonly #index = new ObjectIndex();
  readonly #values = new Map<string, { readonly of: readonly Resource[]; readonly count: number }>();
  readonly #refused = new Map<string, Refused>();
  /** Paths of states with errors, and of those that are held. */
  readonly #erroneous = new Set<string>();
  readonly #held = new Set<string>();
  /** What an earlier process accepted, until the first scan has made use of it. */
  #recalled: Map<string, RememberedFile> | undefined;
  /** Of the first scan: objects of files that are not as an earlier process accepted them, as they were. */
  #earlier = new Map<string, Resource | undefined>();
  #listingErrors: readonly DataplaneError[] = [];
  /** Of the files that are there. */
  #total: Load = { bytes: 0, values: 0 };
  #snapshot: ResourceSnapshot;

  constructor(root: string, { grace, check, accept, memory, limits = DEFAULT_MANIFEST_LIMITS }: ManifestSetOptions) {
    this.#root = root;
    this.#grace = grace;
    this.#check = check;
    this.#accept = accept;
    this.#memory = memory;
    this.#limits = limits;
    if (memory !== undefined) this.#recalled = new Map(memory.recall());
    this.#snapshot = { objects: this.#index.objects, errors: [] };
  }

  /** Looks at every file; blocks for about 5 us a file. nowMs never goes back. */
  scan(nowMs: number): ScanResult {
    return finish(this.scanning(nowMs));
  }

  /** The same, file by file. */
  *scanning(nowMs: number): Steps<ScanResult> {
    const listing = listManifests(this.#root, this.#limits.files);
    this.#listingErrors = listing.errors;
    this.#total = this.#totalLoad(listing);
    const listed = new Set<string>();
    for (const file of listing.files) {
      listed.add(file.path);
      this.#put(file.path, this.#lookAt(file, nowMs));
      yield;
    }
    this.#recallMissing(listed);
    for (const path of [...this.#states.keys()]) {
      if (!listed.has(path) && !isHidden(listing, path)) this.#putMissing(path, nowMs);
    }
    for (const path of this.#refused.keys()) if (!this.#states.has(path)) this.#refused.delete(path);
    this.#total = this.#totalLoad(listing);
    const { directories, hasLinks } = listing;
    return { ...this.#result(), directories, hasLinks };
  }

  /** Looks at these files alone; undefined = that does not tell enough, scan() does. */
  look(paths: Iterable<string>, nowMs: number): LookResult | undefined {
    // Room that one file makes may let another one in that was refused.
    if (this.#refused.size > 0 || this.#listingErrors.length > 0) return undefined;
    for (const path of paths) {
      const file = findManifest(this.#root, path);
      if (file === 'unknown') return undefined;
      if (file !== undefined) this.#put(path, this.#lookAt(file, nowMs));
      else if (this.#states.has(path)) this.#putMissing(path, nowMs);
    }
    return this.#result();
  }

  /** What the first scan found to differ from what an earlier process accepted: objects as they were then. Told once. */
  takeEarlier(): ReadonlyMap<string, Resource | undefined> {
    const earlier = this.#earlier;
    this.#earlier = new Map();
    return earlier;
  }

  /** Paths of files that something is held back of. */
  get held(): Iterable<string> {
    return this.#held;
  }

  /** Paths of all files known. */
  get paths(): Iterable<string> {
    return this.#states.keys();
  }

  /** Of the content that was seen last, believed or not; undefined = no such file is known. */
  stampOf(path: string): string | undefined {
    const state = this.#states.get(path);
    return state?.heldStamp ?? state?.stamp;
  }

  /** Inode of the file that was read last; undefined = none was. */
  inodeOf(path: string): string | undefined {
    return this.#states.get(path)?.stamp.split(' ')[3];
  }

  #lookAt(file: ManifestFile, nowMs: number): ManifestState {
    const known = this.#states.get(file.path);
    if (known !== undefined || this.#recalled === undefined) return this.#read(file, known, nowMs);
    const recalled = this.#recall(file.path);
    const state = this.#read(file, recalled, nowMs);
    if (this.#memory?.hasEarlier === true) this.#noteEarlier(recalled?.resources ?? NO_RESOURCES, state.resources);
    return state;
  }

  /** An object that has moved from one file to another was there, whichever of the two is read first. */
  #noteEarlier(before: readonly Resource[], after: readonly Resource[]): void {
    if (before === after) return;
    const now = new Set(after);
    const kept = new Set(before.filter((resource) => now.has(resource)));
    for (const resource of after) {
      if (!kept.has(resource) && !this.#earlier.has(resource.id)) this.#earlier.set(resource.id, undefined);
    }
    for (const resource of before) if (!kept.has(resource)) this.#earlier.set(resource.id, resource);
  }

  #read(file: ManifestFile, before: ManifestState | undefined, nowMs: number): ManifestState {
    if (before !== undefined && before.stamp === file.stamp) {
      return before.heldSinceMs === undefined ? before : { ...before, heldSinceMs: undefined, heldStamp: undefined };
    }
    try {
      this.#requireRoom(file);
      const text = readManifest(this.#root, file, this.#limits.bytesPerFile);
      const reading = { path: file.path, stamp: file.stamp, text };
      const state = acceptReading(before, reading, this.#check, nowMs, this.#grace);
      const load = this.#loadOf(file.path, state);
      this.#refused.set(file.path, { stamp: file.stamp, ...load });
      this.#requireRoom(file);
      this.#refused.delete(file.path);
      return state;
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      // Neither is a property of the content: the same file may be taken at the next look.
      const isPassing = error.code === 'LIMIT_EXCEEDED' || error.code === 'FILE_UNREADABLE';
      return acceptUnreadable(before, isPassing ? NO_STAMP : file.stamp, error);
    }
  }

  /** What an earlier process accepted of the file. */
  #recall(path: string): ManifestState | undefined {
    const remembered = this.#recalled?.get(path);
    return remembered === undefined ? undefined : recallReading(path, remembered, this.#check, this.#accept);
  }

  /** Files that were there when an earlier process looked, and may be written anew at this moment. */
  #recallMissing(listed: ReadonlySet<string>): void {
    for (const path of this.#recalled?.keys() ?? []) {
      const state = listed.has(path) ? undefined : this.#recall(path);
      if (state !== undefined) this.#put(path, state);
    }
    this.#recalled = undefined;
  }

  #putMissing(path: string, nowMs: number): void {
    this.#put(path, acceptMissing(this.#states.get(path) as ManifestState, nowMs, this.#grace));
  }

  /** The file's state from now on; undefined = it is gone. */
  #put(path: string, state: ManifestState | undefined): void {
    const before = this.#states.get(path);
    if (state === before) return;
    const loadBefore = this.#loadOf(path, before);
    this.#index.replace(before?.resources ?? NO_RESOURCES, state?.resources ?? NO_RESOURCES);
    this.#remember(path, before, state);
    if (state === undefined) this.#states.delete(path);
    else this.#states.set(path, state);
    if (state === undefined) this.#values.delete(path);
    const load = this.#loadOf(path, state);
    this.#total.bytes += load.bytes - loadBefore.bytes;
    this.#total.values += load.values - loadBefore.values;
    mark(this.#erroneous, path, state !== undefined && state.errors.length > 0);
    mark(this.#held, path, state?.heldSinceMs !== undefined);
  }

  #result(): LookResult {
    const errors = [
      ...this.#listingErrors,
      ...[...this.#erroneous].sort().flatMap((path) => this.#states.get(path)?.errors ?? []),
      ...this.#index.duplicates(),
    ];
    const { changed, removed, before } = this.#index.drain();
    const isSame = changed.length + removed.length === 0 && sameErrors(this.#snapshot.errors, errors);
    if (!isSame) this.#snapshot = { objects: this.#index.objects, errors };
    const change = isSame ? undefined : { ...this.#snapshot, changed, removed, before };
    return { snapshot: this.#snapshot, change, nextCheckMs: this.#nextCheck() };
  }

  /** Throws LIMIT_EXCEEDED when all files together would hold too much with what is known of this one. */
  #requireRoom({ path, stamp, sizeBytes }: ManifestFile): void {
    const known = this.#refused.get(path);
    const before = this.#loadOf(path, this.#states.get(path));
    const bytes = this.#total.bytes - before.bytes + sizeBytes;
    if (bytes > this.#limits.bytes) throw tooMuch(path, `${bytes} bytes`, this.#limits.bytes, 'manifest-bytes');
    const values = this.#total.values - before.values + (known?.stamp === stamp ? known.values : 0);
    if (values > this.#limits.values) throw tooMuch(path, `${values} values`, this.#limits.values, 'manifest-values');
  }

  /** Of the files that are listed, as they were before. */
  #totalLoad({ files }: Listing): Load {
    const total: Load = { bytes: 0, values: 0 };
    for (const { path } of files) {
      const { bytes, values } = this.#loadOf(path, this.#states.get(path));
      total.bytes += bytes;
      total.values += values;
    }
    return total;
  }

  #loadOf(path: string, state: ManifestState | undefined): Load {
    if (state === undefined) return { bytes: 0, values: 0 };
    let known = this.#values.get(path);
    if (known?.of !== state.resources) {
      known = { of: state.resources, count: countValues(state.resources) };
      this.#values.set(path, known);
    }
    return { bytes: state.text.length, values: known.count };
  }

  #remember(path: string, before: ManifestState | undefined, state: ManifestState | undefined): void {
    if (this.#memory === undefined) return;
    if (state === undefined) {
      this.#memory.forget(path);
      return;
    }
    if (state.errors.length > 0 || state.heldSinceMs !== undefined || state.stamp === NO_STAMP) return;
    const recalled = this.#recalled?.get(path);
    if ((recalled?.isCurrent === true && recalled.text === state.text) || before?.text === state.text) return;
    this.#memory.remember(path, state.text, state.resources);
  }

  #nextCheck(): number | undefined {
    let next: number | undefined;
    for (const path of this.#held) {
      const { heldSinceMs, heldStamp } = this.#states.get(path) as ManifestState;
      if (heldSinceMs === undefined) continue;
      const due = heldSinceMs + (heldStamp === undefined ? this.#grace.vanishedMs : this.#grace.truncatedMs);
      next = next === undefined ? due : Math.min(next, due);
    }
    return next;
  }
}

/** Whether the listing could not see what has become of the file. */
function isHidden({ unreadable }: Listing, path: string): boolean {
  return unreadable.some((hidden) => hidden === '' || hidden === path || path.startsWith(`${hidden}/`));
}

function mark(set: Set<string>, path: string, isMember: boolean): void {
  if (isMember) set.add(path);
  else set.delete(path);
}

function tooMuch(path: string, found: string, limit: number, setting: string): DataplaneError {
  const what = 'all manifests together would hold too much';
  return limitExceeded(what, { operation: 'read', target: path, found, limit, setting, file: path });
}
