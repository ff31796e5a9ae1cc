// All manifests of a directory as last seen. scan() looks again, reads only what changed, and says what is in force.
import { DataplaneError } from '../../base/errors.ts';
import {
  type Listing,
  listManifests,
  type ManifestFile,
  readManifest,
  type WalkedDirectory,
} from './manifest-files.ts';
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

export class ManifestSet {
  readonly #root: string;
  readonly #grace: GracePeriods;
  readonly #check: ResourceCheck | undefined;
  readonly #memory: ManifestMemory | undefined;
  #states = new Map<string, ManifestState>();

  constructor(root: string, grace: GracePeriods, check?: ResourceCheck, memory?: ManifestMemory) {
    this.#root = root;
    this.#grace = grace;
    this.#check = check;
    this.#memory = memory;
    for (const [path, text] of memory?.recall() ?? []) this.#states.set(path, recallReading(path, text, check));
  }

  /** Looks at every file; blocks for about 5 us a file. nowMs never goes back. */
  scan(nowMs: number): ScanResult {
    const listing = listManifests(this.#root);
    const states = new Map<string, ManifestState>();
    for (const file of listing.files) states.set(file.path, this.#look(file, nowMs));
    this.#keepMissing(states, listing, nowMs);
    this.#remember(states);
    this.#states = new Map([...states].sort(([a], [b]) => (a < b ? -1 : 1)));
    const snapshot = mergeFiles(this.#states.values(), listing.errors);
    return { snapshot, directories: listing.directories, nextCheckMs: this.#nextCheck() };
  }

  #look(file: ManifestFile, nowMs: number): ManifestState {
    const before = this.#states.get(file.path);
    if (before !== undefined && before.stamp === file.stamp) {
      return before.heldSinceMs === undefined ? before : { ...before, heldSinceMs: undefined, heldStamp: undefined };
    }
    try {
      const text = readManifest(this.#root, file);
      return acceptReading(before, { path: file.path, stamp: file.stamp, text }, this.#check, nowMs, this.#grace);
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      return acceptUnreadable(before, file.stamp, error);
    }
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
