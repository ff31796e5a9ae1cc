// A directory of manifests as a source of resources, read once or watched: inotify says that something happened, a
// look at the files finds out what. Which readings are believed is decided in manifest-state.ts.
import { type FSWatcher, watch } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { finish, type Steps } from '../../base/steps.ts';
import type { Resource } from '../resource.ts';
import { type EventReading, type FileEvent, readEvents } from './file-events.ts';
import type { WalkedDirectory } from './manifest-files.ts';
import type { ManifestLimits } from './manifest-limits.ts';
import { type PatrolFinding, patrolManifests } from './manifest-patrol.ts';
import { type LookResult, type ManifestMemory, ManifestSet, type ScanResult } from './manifest-set.ts';
import type { GracePeriods, ResourceCheck, ResourceUse } from './manifest-state.ts';
import { EMPTY_SNAPSHOT, type ResourceSnapshot, type SnapshotChange } from './snapshot.ts';

export interface WatchOptions extends Partial<GracePeriods> {
  /** Refuses resources that parse but mean nothing; a refused object stays as it last was. */
  readonly check?: ResourceCheck;
  readonly accept?: ResourceUse;
  /** What an earlier process accepted; without it a file that is broken at the start has nothing to fall back on. */
  readonly memory?: ManifestMemory;
  readonly limits?: ManifestLimits;
  /** Quiet time before a file is read that somebody writes to. One that was renamed into its place is read at once. */
  readonly debounceMs?: number;
  /** How often to look without any event: inotify sees nothing on network mounts and can lose events. */
  readonly rescanMs?: number;
}

/** `noticedMs` = when the first of it was heard of, by performance.now(). */
export type OnSnapshotChange = (change: SnapshotChange, noticedMs: number) => void;

/** A running watch. */
export interface DirectoryWatch extends Disposable {
  /** What is in force now. Its objects are a live view. */
  readonly snapshot: ResourceSnapshot;
  /** Objects that were not as an earlier process had accepted them when the watch began, as they were then. Told once. */
  takeEarlier(): ReadonlyMap<string, Resource | undefined>;
  /** Looks now, and calls onChange before it returns if something changed. */
  rescan(): void;
  /** No call to onChange follows. */
  close(): void;
}

const DEBOUNCE_MS = 50;
/** A file that is written to without a pause is read all the same after this many debounce times. */
const MAX_DEBOUNCES = 10;
const RESCAN_MS = 5000;
/** Looks without an event take at most this share of the time, unless that would make them rarer than SLOWEST_RESCAN_MS. */
const RESCAN_SHARE = 0.0005;
const SLOWEST_RESCAN_MS = 60_000;
/** They pause after this long, for that long: a change does not wait for one. */
const SLICE_MS = 1;
const PAUSE_MS = 10;
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
  onChange: OnSnapshotChange,
  options: WatchOptions = {},
): DirectoryWatch {
  return finish(watchingDirectory(directory, onChange, options));
}

/** The same, file by file. What changes meanwhile is seen before the last step, or soon after it. */
export function* watchingDirectory(
  directory: string,
  onChange: OnSnapshotChange,
  options: WatchOptions = {},
): Steps<DirectoryWatch> {
  const watcher = new DirectoryWatcher(directory, onChange, options);
  yield* watcher.starting();
  return watcher;
}

class DirectoryWatcher implements DirectoryWatch {
  readonly #root: string;
  readonly #manifests: ManifestSet;
  readonly #onChange: OnSnapshotChange;
  readonly #debounceMs: number;
  readonly #rescanMs: number;
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  #snapshot = EMPTY_SNAPSHOT;
  #hasLinks = false;
  /** Identities of directories, by their paths below the root. */
  #directories: ReadonlyMap<string, string> = new Map();
  /** A look at everything that no event asked for, and what it has cost. */
  #patrol: Generator<void, PatrolFinding> | undefined;
  #patrolCostMs = 0;
  #patrolTimer: NodeJS.Timeout | undefined;
  /** Not read yet: they come one by one, and only together say what happened. */
  #events: FileEvent[] = [];
  /** Files to look at when they have come to rest; undefined = all. */
  #pending: Set<string> | undefined = new Set();
  #eventTimer: NodeJS.Timeout | undefined;
  #firstEventMs: number | undefined;
  /** When something was heard first that has not been looked at; undefined = nothing was. */
  #noticedMs: number | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isClosed = false;

  constructor(directory: string, onChange: OnSnapshotChange, options: WatchOptions) {
    const { vanishedMs = VANISHED_MS, truncatedMs = TRUNCATED_MS, check, accept, memory, limits } = options;
    this.#root = directory;
    this.#manifests = new ManifestSet(directory, { grace: { vanishedMs, truncatedMs }, check, accept, memory, limits });
    this.#onChange = onChange;
    this.#debounceMs = options.debounceMs ?? DEBOUNCE_MS;
    this.#rescanMs = options.rescanMs ?? RESCAN_MS;
  }

  get snapshot(): ResourceSnapshot {
    return this.#snapshot;
  }

  takeEarlier(): ReadonlyMap<string, Resource | undefined> {
    return this.#manifests.takeEarlier();
  }

  *starting(): Steps<void> {
    const startMs = performance.now();
    this.#takeScan(yield* this.#manifests.scanning(startMs), startMs);
    this.#isStarted = true;
  }

  rescan(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#eventTimer);
    this.#firstEventMs = undefined;
    this.#pending = new Set();
    const startMs = performance.now();
    this.#takeScan(this.#manifests.scan(startMs), startMs);
  }

  #takeScan(result: ScanResult, startMs: number): void {
    this.#hasLinks = result.hasLinks;
    this.#directories = new Map(result.directories.map(({ relative, identity }) => [relative, identity]));
    this.#watchDirectories(result.directories);
    this.#planPatrol(performance.now() - startMs);
    this.#take(result);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#eventTimer);
    clearTimeout(this.#checkTimer);
    clearTimeout(this.#patrolTimer);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #look(paths: Iterable<string>): void {
    const result = this.#manifests.look(paths, performance.now());
    if (result === undefined) this.rescan();
    else this.#take(result);
  }

  #take({ snapshot, change, nextCheckMs }: LookResult): void {
    clearTimeout(this.#checkTimer);
    if (nextCheckMs !== undefined) {
      // Timers come up to a millisecond early.
      const waitMs = Math.max(1, Math.ceil(nextCheckMs - performance.now()) + 1);
      this.#checkTimer = setTimeout(() => this.#look([...this.#manifests.held]), waitMs);
    }
    this.#snapshot = snapshot;
    const noticedMs = this.#noticedMs ?? performance.now();
    // What is held back stays noticed: its look is still to come.
    if (nextCheckMs === undefined && this.#pending?.size === 0) this.#noticedMs = undefined;
    if (change !== undefined && this.#isStarted) this.#onChange(change, noticedMs);
  }

  /** The next one begins when what the last look at everything cost is little of the time between them. */
  #planPatrol(costMs: number): void {
    clearTimeout(this.#patrolTimer);
    this.#patrol = undefined;
    this.#patrolCostMs = 0;
    const slowestMs = Math.max(this.#rescanMs, SLOWEST_RESCAN_MS);
    const waitMs = Math.min(slowestMs, Math.max(this.#rescanMs, costMs / RESCAN_SHARE));
    this.#patrolTimer = setTimeout(() => this.#goOn(), waitMs);
  }

  #goOn(): void {
    const manifests = this.#manifests;
    this.#patrol ??= patrolManifests({
      root: this.#root,
      directories: this.#directories,
      hasLinks: this.#hasLinks,
      stampOf: (path) => manifests.stampOf(path),
      paths: () => manifests.paths,
    });
    const startMs = performance.now();
    let nowMs = startMs;
    let step = this.#patrol.next();
    while (step.done !== true && nowMs - startMs < SLICE_MS) {
      step = this.#patrol.next();
      nowMs = performance.now();
    }
    this.#patrolCostMs += nowMs - startMs;
    if (step.done === true) this.#endPatrol(step.value);
    else this.#patrolTimer = setTimeout(() => this.#goOn(), PAUSE_MS);
  }

  #endPatrol({ paths, needsScan }: PatrolFinding): void {
    this.#planPatrol(this.#patrolCostMs);
    if (needsScan) this.rescan();
    else if (paths.length > 0) this.#look(paths);
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
    if (added.length > 0) this.#wait(undefined);
  }

  /** A directory that cannot be watched (no inotify instances left, gone again) is still looked at every rescanMs. */
  #watchOne({ path, relative, identity }: WalkedDirectory): void {
    try {
      const watcher = watch(path, (type, name) => this.#onEvent({ folder: relative, type, name: name ?? undefined }));
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(path);
      });
      this.#watchers.set(path, { watcher, identity });
    } catch {
      this.#watchers.delete(path);
    }
  }

  #onEvent(event: FileEvent): void {
    if (this.#isClosed) return;
    this.#events.push(event);
    this.#noticedMs ??= performance.now();
    if (this.#events.length === 1) setImmediate(() => this.#readEvents());
  }

  #readEvents(): void {
    if (this.#isClosed) return;
    const events = this.#events;
    this.#events = [];
    const { replaced, touched, needsScan } = this.#understand(events);
    if (needsScan) this.#wait(undefined);
    else if (touched.length > 0) this.#wait(touched);
    else if (replaced.length === 0 && this.#pending?.size === 0) this.#noticedMs = undefined;
    if (replaced.length > 0) this.#look(replaced);
  }

  #understand(events: readonly FileEvent[]): EventReading {
    const inodeOf = (path: string): string | undefined => this.#manifests.inodeOf(path);
    const isFolder = (path: string): boolean => this.#directories.has(path);
    try {
      return readEvents(events, { root: this.#root, hasLinks: this.#hasLinks, inodeOf, isFolder });
    } catch {
      return { replaced: [], touched: [], needsScan: true };
    }
  }

  /** Looks at the paths when nothing has happened for a while; undefined = at everything. */
  #wait(paths: readonly string[] | undefined): void {
    if (paths === undefined) this.#pending = undefined;
    else for (const path of paths) this.#pending?.add(path);
    const nowMs = performance.now();
    this.#firstEventMs ??= nowMs;
    const latestMs = this.#firstEventMs + this.#debounceMs * MAX_DEBOUNCES;
    clearTimeout(this.#eventTimer);
    const waitMs = Math.max(0, Math.min(this.#debounceMs, latestMs - nowMs));
    this.#eventTimer = setTimeout(() => this.#lookAtPending(), waitMs);
  }

  #lookAtPending(): void {
    const pending = this.#pending;
    this.#firstEventMs = undefined;
    this.#pending = new Set();
    if (pending === undefined) this.rescan();
    else this.#look(pending);
  }
}
