// The directory of manifests, and the resources of the store, as one stream of model changes. What is refused is remembered
// for status; everything else, and the last good version of what broke, stays in force. Of an object that is defined in
// both places the file's definition counts.
import type { DataplaneError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { finish, partsOf, type Steps } from '../base/steps.ts';
import type { RemovedObject } from '../calc/graph.ts';
import { ModelStore } from '../model/build-world.ts';
import { parseAccepted, parseResource } from '../model/parse/parse-resource.ts';
import type { ParseResult } from '../model/parse/result.ts';
import type { ModelObject, World } from '../model/world.ts';
import type { Resource, ResourceOf } from '../resources/resource.ts';
import { type DirectoryWatch, watchingDirectory } from '../resources/sources/directory.ts';
import { DEFAULT_MANIFEST_LIMITS, type ManifestLimits } from '../resources/sources/manifest-limits.ts';
import type { ManifestMemory } from '../resources/sources/manifest-set.ts';
import { duplicateError } from '../resources/sources/snapshot.ts';
import { releaseContents } from '../resources/text-resource.ts';
import type { FelixConfiguration } from './config/felix.ts';
import type { FileChange } from './store/file-history.ts';

const FELIX = 'FelixConfiguration';
/** Objects that one step hands on. */
const STEP_OBJECTS = 500;

export interface ManifestStatus {
  readonly directory: string;
  /** Accepted objects. */
  readonly objects: number;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

export interface ModelChanges {
  readonly changed: readonly ModelObject[];
  readonly removed: readonly RemovedObject[];
  /** When the files were noticed to have changed, by performance.now(); undefined = it is not of files. */
  readonly noticedMs?: number;
}

/** Who is told of objects as files define them. */
export interface FileListener {
  /** Of what is not as an earlier agent had accepted it, when all files have been read. */
  loaded(changes: readonly FileChange[]): void;
  /** Before it is told to others. */
  note(changes: readonly FileChange[]): void;
}

/** Resources of the store by id; undefined = gone. */
export type StoredChanges = ReadonlyMap<string, Resource | undefined>;

export class ManifestFeed {
  readonly #directory: string;
  readonly #memory: ManifestMemory;
  readonly #log: Logger;
  readonly #limits: ManifestLimits;
  /** What was made out of resources that have been checked and are not in the store yet. */
  readonly #parsed = new Map<Resource, ParseResult>();
  readonly #store = new ModelStore((resource) => this.#takeParsed(resource));
  /** Of the store, in force unless a file defines the object. */
  readonly #stored = new Map<string, Resource>();
  #watch: DirectoryWatch | undefined;
  #onChanges: (changes: ModelChanges) => void = () => undefined;
  #reported = new Set<string>();
  #onFelix: ((objects: readonly FelixConfiguration[]) => void) | undefined;
  /** Of objects that are no policy: see watchCaptures. */
  #onCaptures: () => void = () => undefined;
  #history: FileListener | undefined;
  #serviceChanges = 0;

  /** memory = what an earlier agent accepted. */
  constructor(
    directory: string,
    memory: ManifestMemory,
    log: Logger,
    limits: ManifestLimits = DEFAULT_MANIFEST_LIMITS,
  ) {
    this.#directory = directory;
    this.#limits = limits;
    this.#memory = memory;
    this.#log = log;
  }

  /** Calls back with everything there is, then with every change. */
  start(onChanges: (changes: ModelChanges) => void): void {
    finish(this.starting(onChanges));
  }

  /** The same in steps, of which each calls back with a part of what there is. `stored` are the store's resources. */
  *starting(onChanges: (changes: ModelChanges) => void, stored: Iterable<Resource> = []): Steps<void> {
    this.#onChanges = onChanges;
    const check = (resource: Resource): readonly DataplaneError[] => {
      const result = parseResource(resource);
      this.#parsed.set(resource, result);
      return result.errors;
    };
    const accept = (ofFile: readonly Resource[]): void => {
      for (const resource of ofFile) this.#parsed.set(resource, parseAccepted(resource));
      releaseContents(ofFile);
    };
    const watch = yield* watchingDirectory(
      this.#directory,
      ({ objects, changed, removed, before }, noticedMs) => {
        const ids = [...changed, ...removed];
        this.#history?.note(ids.map((id) => ({ id, before: before.get(id), after: objects.get(id) })));
        const resources = changed.map((id) => objects.get(id) as Resource);
        const uncovered = removed.flatMap((id) => this.#stored.get(id) ?? []);
        const gone = removed.filter((id) => !this.#stored.has(id));
        onChanges({ ...this.#store.apply([...resources, ...uncovered], gone), noticedMs });
        this.#parsed.clear();
        this.#logErrors();
        if (ids.some(isService)) this.#serviceChanges += 1;
        if (ids.some(isFelix)) this.#onFelix?.(this.#felix());
        if (ids.some(isCapture)) this.#onCaptures();
      },
      { check, accept, memory: this.#memory, limits: this.#limits },
    );
    this.#watch = watch;
    const { objects } = watch.snapshot;
    this.#history?.loaded([...watch.takeEarlier()].map(([id, before]) => ({ id, before, after: objects.get(id) })));
    yield* this.#storing(watch.snapshot.objects);
    yield* this.#takingStored(stored, watch.snapshot.objects);
    for (const objects of Object.values(this.#store.world)) {
      for (const changed of partsOfMap<ModelObject>(objects)) {
        onChanges({ changed, removed: [] });
        yield;
      }
    }
    this.#logErrors();
  }

  /** Of all that is in force. A live view. */
  get world(): World {
    return this.#store.world;
  }

  /** Where a file defines the object; undefined = none does. */
  fileOf(id: string): Resource['location'] | undefined {
    return this.#watch?.snapshot.objects.get(id)?.location;
  }

  /**
   * Has resources of the store in the place of others, and calls back with what follows. Returns what undoes it, and the
   * errors that it brought. Only once all that there is has been handed on.
   */
  putStored(changes: StoredChanges): { readonly undo: StoredChanges; readonly errors: readonly DataplaneError[] } {
    const undo = new Map<string, Resource | undefined>();
    const changed: Resource[] = [];
    const removed: string[] = [];
    for (const [id, resource] of changes) {
      undo.set(id, this.#stored.get(id));
      if (resource === undefined) this.#stored.delete(id);
      else this.#stored.set(id, resource);
      if (this.fileOf(id) !== undefined) continue;
      if (resource === undefined) removed.push(id);
      else changed.push(resource);
    }
    for (const resource of changed) this.#parsed.set(resource, parseResource(resource));
    const change = this.#store.apply(changed, removed);
    this.#parsed.clear();
    this.#onChanges(change);
    if ([...undo.keys()].some(isService)) this.#serviceChanges += 1;
    return { undo, errors: change.errors };
  }

  /** What putStored was given stays. Packet captures that were only tried are no reason to end one that runs. */
  keepStored(changes: StoredChanges): void {
    if ([...changes.keys()].some(isCapture)) this.#onCaptures();
  }

  /** `unreadable` = what is wrong with objects of the store that never came here. */
  status(unreadable: readonly DataplaneError[] = []): ManifestStatus {
    return {
      directory: this.#directory,
      objects: (this.#watch?.snapshot.objects.size ?? 0) + this.#uncoveredStored().length,
      errors: [...this.#errors(), ...unreadable].map(({ code, message }) => ({ code, message })),
    };
  }

  /** What is in force now, in its last good version, as it is written down. */
  resources(): Iterable<Resource> {
    return [...(this.#watch?.snapshot.objects.values() ?? []), ...this.#uncoveredStored()].sort(
      ({ location: a }, { location: b }) => compareText(a.file, b.file) || a.line - b.line,
    );
  }

  /** Grows whenever Services were written, changed or removed: policy has their backends from elsewhere, and no other use for them. */
  get serviceChanges(): number {
    return this.#serviceChanges;
  }

  /** Calls back with the settings that are among the manifests, and again whenever they change. */
  watchFelix(onFelix: (objects: readonly FelixConfiguration[]) => void): void {
    this.#onFelix = onFelix;
    onFelix(this.#felix());
  }

  /** Calls back when packet captures were written, changed or removed. */
  watchCaptures(onChange: () => void): void {
    this.#onCaptures = onChange;
  }

  /** Has somebody told of every change of files; to be called before the start. */
  keepHistory(history: FileListener): void {
    this.#history = history;
  }

  close(): void {
    this.#watch?.close();
  }

  #felix(): FelixConfiguration[] {
    return [...(this.#watch?.snapshot.objects.values() ?? [])].filter(({ type }) => type === FELIX) as ResourceOf<
      typeof FELIX
    >[];
  }

  *#storing(objects: ReadonlyMap<string, Resource>): Steps<void> {
    for (const resources of partsOfMap(objects)) {
      this.#store.apply(resources);
      yield;
    }
    this.#parsed.clear();
  }

  *#takingStored(stored: Iterable<Resource>, files: ReadonlyMap<string, Resource>): Steps<void> {
    for (const resource of stored) {
      this.#stored.set(resource.id, resource);
      if (!files.has(resource.id)) this.#store.apply([resource]);
      yield;
    }
  }

  #uncoveredStored(): Resource[] {
    return [...this.#stored.values()].filter(({ id }) => this.fileOf(id) === undefined);
  }

  #takeParsed(resource: Resource): ParseResult {
    const parsed = this.#parsed.get(resource);
    this.#parsed.delete(resource);
    // What comes into force because another definition of its name is gone was accepted before.
    return parsed ?? parseAccepted(resource);
  }

  #errors(): readonly DataplaneError[] {
    const files = this.#watch?.snapshot;
    const covered = [...this.#stored.values()].flatMap((resource) => {
      const first = files?.objects.get(resource.id);
      return first === undefined ? [] : duplicateError(resource, first);
    });
    return [...(files?.errors ?? []), ...this.#store.errors, ...covered];
  }

  /** Each error once, when it appears. */
  #logErrors(): void {
    const errors = this.#errors();
    for (const error of errors) {
      if (!this.#reported.has(error.message))
        this.#log.error('refused, the last good version stays in force', { error: error.toJSON() });
    }
    this.#reported = new Set(errors.map(({ message }) => message));
  }
}

/** Its values as they are when their turn comes: a pause is long enough for changes. */
function* partsOfMap<T>(map: ReadonlyMap<string, T>): Generator<readonly T[], void, void> {
  for (const keys of partsOf([...map.keys()], STEP_OBJECTS)) yield keys.flatMap((key) => map.get(key) ?? []);
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Whether the id is of settings. */
function isFelix(id: string): boolean {
  return id.startsWith(`${FELIX}/`);
}

function isService(id: string): boolean {
  return id.startsWith('Service/');
}

function isCapture(id: string): boolean {
  return id.startsWith('PacketCapture/');
}
