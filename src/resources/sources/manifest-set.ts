// All manifests of a directory as last seen. scan() looks again, reads only what changed, and says what is in force.
import { DataplaneError } from '../../base/errors.ts';
import { limitExceeded } from '../../base/limit-error.ts';
import type { Resource } from '../resource.ts';
import {
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
  type ResourceCheck,
  recallReading,
} from './manifest-state.ts';
import { mergeFiles, type ResourceSnapshot } from './snapshot.ts';

export interface ScanResult {
  readonly snapshot: ResourceSnapshot;
  readonly directories: readonly WalkedDirectory[];
  /** When something held back must be looked at again; undefined = nothing is. */
  readonly nextCheckMs?: number;
}

/** Keeps the text of files that were accepted without an error, from one process to the next. */
export interface ManifestMemory {
  /** Text by path. */
  recall(): ReadonlyMap<string, string>;
  remember(path: string, text: string): void;
  forget(path: string): void;
}

export interface ManifestSetOptions {
  readonly grace: GracePeriods;
  readonly check?: ResourceCheck;
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

export class ManifestSet {
  readonly #root: string;
  readonly #grace: GracePeriods;
  readonly #check: ResourceCheck | undefined;
  readonly #memory: ManifestMemory | undefined;
  readonly #limits: ManifestLimits;
  readonly #values = new WeakMap<readonly Resource[], number>();
  readonly #refused = new Map<string, Refused>();
  #states = new Map<string, ManifestState>();

  constructor(root: string, { grace, check, memory, limits = DEFAULT_MANIFEST_LIMITS }: ManifestSetOptions) {
    this.#root = root;
    this.#grace = grace;
    this.#check = check;
    this.#memory = memory;
    this.#limits = limits;
    for (const [path, text] of memory?.recall() ?? []) this.#states.set(path, recallReading(path, text, check));
  }

  /** Looks at every file; blocks for about 5 us a file. nowMs never goes back. */
  scan(nowMs: number): ScanResult {
    const listing = listManifests(this.#root, this.#limits.files);
    const states = new Map<string, ManifestState>();
    const total = this.#totalLoad(listing);
    for (const file of listing.files) states.set(file.path, this.#look(file, nowMs, total));
    this.#keepMissing(states, listing, nowMs);
    this.#remember(states);
    for (const path of this.#refused.keys()) if (!states.has(path)) this.#refused.delete(path);
    this.#states = new Map([...states].sort(([a], [b]) => (a < b ? -1 : 1)));
    const snapshot = mergeFiles(this.#states.values(), listing.errors);
    return { snapshot, directories: listing.directories, nextCheckMs: this.#nextCheck() };
  }

  /** The file's state now; `total` goes along. */
  #look(file: ManifestFile, nowMs: number, total: Load): ManifestState {
    const before = this.#states.get(file.path);
    if (before !== undefined && before.stamp === file.stamp) {
      return before.heldSinceMs === undefined ? before : { ...before, heldSinceMs: undefined, heldStamp: undefined };
    }
    try {
      this.#requireRoom(file, total);
      const text = readManifest(this.#root, file, this.#limits.bytesPerFile);
      const reading = { path: file.path, stamp: file.stamp, text };
      const state = acceptReading(before, reading, this.#check, nowMs, this.#grace);
      const load = this.#loadOf(state);
      this.#refused.set(file.path, { stamp: file.stamp, ...load });
      this.#requireRoom(file, total);
      this.#refused.delete(file.path);
      addLoad(total, this.#loadOf(before), -1);
      addLoad(total, load, 1);
      return state;
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      const stamp = error.code === 'LIMIT_EXCEEDED' ? NO_STAMP : file.stamp;
      return acceptUnreadable(before, stamp, error);
    }
  }

  /** Throws LIMIT_EXCEEDED when all files together would hold too much with what is known of this one. */
  #requireRoom({ path, stamp, sizeBytes }: ManifestFile, total: Load): void {
    const known = this.#refused.get(path);
    const before = this.#loadOf(this.#states.get(path));
    const bytes = total.bytes - before.bytes + sizeBytes;
    if (bytes > this.#limits.bytes) throw tooMuch(path, `${bytes} bytes`, this.#limits.bytes, 'manifest-bytes');
    const values = total.values - before.values + (known?.stamp === stamp ? known.values : 0);
    if (values > this.#limits.values) throw tooMuch(path, `${values} values`, this.#limits.values, 'manifest-values');
  }

  /** Of the files that are listed, as they were before. */
  #totalLoad({ files }: Listing): Load {
    const total: Load = { bytes: 0, values: 0 };
    for (const { path } of files) addLoad(total, this.#loadOf(this.#states.get(path)), 1);
    return total;
  }

  #loadOf(state: ManifestState | undefined): Load {
    if (state === undefined) return { bytes: 0, values: 0 };
    let values = this.#values.get(state.resources);
    if (values === undefined) {
      values = countValues(state.resources);
      this.#values.set(state.resources, values);
    }
    return { bytes: state.text.length, values };
  }

  #keepMissing(states: Map<string, ManifestState>, listing: Listing, nowMs: number): void {
    for (const [path, before] of this.#states) {
      if (states.has(path)) continue;
      const isUnknown = listing.unreadable.some(
        (hidden) => hidden === '' || hidden === path || path.startsWith(`${hidden}/`),
      );
      const state = isUnknown ? before : acceptMissing(before, nowMs, this.#grace);
      if (state !== undefined) states.set(path, state);
    }
  }

  #remember(states: ReadonlyMap<string, ManifestState>): void {
    if (this.#memory === undefined) return;
    for (const [path, state] of states) {
      const isAccepted = state.errors.length === 0 && state.heldSinceMs === undefined;
      if (isAccepted && state.text !== this.#states.get(path)?.text) this.#memory.remember(path, state.text);
    }
    for (const path of this.#states.keys()) if (!states.has(path)) this.#memory.forget(path);
  }

  #nextCheck(): number | undefined {
    let next: number | undefined;
    for (const { heldSinceMs, heldStamp } of this.#states.values()) {
      if (heldSinceMs === undefined) continue;
      const due = heldSinceMs + (heldStamp === undefined ? this.#grace.vanishedMs : this.#grace.truncatedMs);
      next = next === undefined ? due : Math.min(next, due);
    }
    return next;
  }
}

function addLoad(total: Load, { bytes, values }: Load, sign: 1 | -1): void {
  total.bytes += sign * bytes;
  total.values += sign * values;
}

function tooMuch(path: string, found: string, limit: number, setting: string): DataplaneError {
  const what = 'all manifests together would hold too much';
  return limitExceeded(what, { operation: 'read', target: path, found, limit, setting, file: path });
}
