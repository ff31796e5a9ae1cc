// A directory of manifests as a source of resources, read once or watched: inotify says that something happened, a
// scan finds out what. Which readings are believed is decided in manifest-state.ts.
import { type FSWatcher, watch } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { WalkedDirectory } from './manifest-files.ts';
import type { ManifestLimits } from './manifest-limits.ts';
import { type ManifestMemory, ManifestSet } from './manifest-set.ts';
import type { GracePeriods, ResourceCheck } from './manifest-state.ts';
import { diffSnapshots, EMPTY_SNAPSHOT, type ResourceSnapshot, type SnapshotChange } from './snapshot.ts';

export interface WatchOptions extends Partial<GracePeriods> {
  /** Refuses resources that parse but mean nothing; a refused object stays as it last was. */
  readonly check?: ResourceCheck;
  /** What an earlier process accepted; without it a file that is broken at the start has nothing to fall back on. */
  readonly memory?: ManifestMemory;
  readonly limits?: ManifestLimits;
  /** Quiet time after a file event before files are read. */
  readonly debounceMs?: number;
  /** How often to look without any event: inotify sees nothing on network mounts and can lose events. */
  readonly rescanMs?: number;
}

/** A running watch. */
export interface DirectoryWatch extends Disposable {
  /** What is in force now. */
  readonly snapshot: ResourceSnapshot;
  /** Looks now, and calls onChange before it returns if something changed. */
  rescan(): void;
  /** No call to onChange follows. */
  close(): void;
}

const DEBOUNCE_MS = 50;
/** A file that is written to without a pause is read all the same after this many debounce times. */
const MAX_DEBOUNCES = 10;
const RESCAN_MS = 5000;
const VANISHED_MS = 200;
const TRUNCATED_MS = 1000;
const NO_GRACE = { vanishedMs: 0, truncatedMs: 0 };

/** All objects under the directory. Never throws: an unreadable file or directory is an error in the snapshot. */
export function readDirectory(directory: string, check?: ResourceCheck): ResourceSnapshot {
  return new ManifestSet(directory, { grace: NO_GRACE, check }).scan(0).snapshot;
}

/** Reads the directory, then calls onChange whenever objects or errors change. The first snapshot is in the result. */
export function watchDirectory(
  directory: string,
  onChange: (change: SnapshotChange) => void,
  options: WatchOptions = {},
): DirectoryWatch {
  const watcher = new DirectoryWatcher(directory, onChange, options);
  watcher.start();
  return watcher;
}

class DirectoryWatcher implements DirectoryWatch {
  readonly #manifests: ManifestSet;
  readonly #onChange: (change: SnapshotChange) => void;
  readonly #debounceMs: number;
  readonly #rescanMs: number;
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  #snapshot = EMPTY_SNAPSHOT;
  #eventTimer: NodeJS.Timeout | undefined;
  #firstEventMs: number | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isClosed = false;

  constructor(directory: string, onChange: (change: SnapshotChange) => void, options: WatchOptions) {
    const { vanishedMs = VANISHED_MS, truncatedMs = TRUNCATED_MS, check, memory, limits } = options;
    this.#manifests = new ManifestSet(directory, { grace: { vanishedMs, truncatedMs }, check, memory, limits });
    this.#onChange = onChange;
    this.#debounceMs = options.debounceMs ?? DEBOUNCE_MS;
    this.#rescanMs = options.rescanMs ?? RESCAN_MS;
  }

  get snapshot(): ResourceSnapshot {
    return this.#snapshot;
  }

  start(): void {
    this.rescan();
    this.#isStarted = true;
  }

  rescan(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#eventTimer);
    clearTimeout(this.#checkTimer);
    this.#firstEventMs = undefined;
    const { snapshot, directories, nextCheckMs } = this.#manifests.scan(performance.now());
    this.#watchDirectories(directories);
    const heldMs = (nextCheckMs ?? Number.POSITIVE_INFINITY) - performance.now();
    this.#checkTimer = setTimeout(() => this.rescan(), Math.max(1, Math.min(heldMs, this.#rescanMs)));
    const change = diffSnapshots(this.#snapshot, snapshot);
    if (change === undefined) return;
    this.#snapshot = snapshot;
    if (this.#isStarted) this.#onChange(change);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#eventTimer);
    clearTimeout(this.#checkTimer);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #watchDirectories(directories: readonly WalkedDirectory[]): void {
    const wanted = new Map(directories.map((directory) => [directory.path, directory.identity]));
    for (const [path, { watcher, identity }] of this.#watchers) {
      if (wanted.get(path) === identity) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
    const added = directories.filter((directory) => !this.#watchers.has(directory.path));
    for (const directory of added) this.#watchOne(directory);
    // What changed between the listing and the watchers it led to.
    if (added.length > 0) this.#onEvent();
  }

  /** A directory that cannot be watched (no inotify instances left, gone again) is still looked at every rescanMs. */
  #watchOne({ path, identity }: WalkedDirectory): void {
    try {
      const watcher = watch(path, () => this.#onEvent());
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(path);
      });
      this.#watchers.set(path, { watcher, identity });
    } catch {
      this.#watchers.delete(path);
    }
  }

  #onEvent(): void {
    if (this.#isClosed) return;
    const nowMs = performance.now();
    this.#firstEventMs ??= nowMs;
    const latestMs = this.#firstEventMs + this.#debounceMs * MAX_DEBOUNCES;
    clearTimeout(this.#eventTimer);
    this.#eventTimer = setTimeout(() => this.rescan(), Math.max(0, Math.min(this.#debounceMs, latestMs - nowMs)));
  }
}
