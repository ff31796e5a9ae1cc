// The directory of manifests as a stream of model changes. What is refused is remembered for status; everything else,
// and the last good version of what broke, stays in force.
import type { DataplaneError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { finish, partsOf, type Steps } from '../base/steps.ts';
import type { RemovedObject } from '../calc/graph.ts';
import { ModelStore } from '../model/build-world.ts';
import { parseAccepted, parseResource } from '../model/parse/parse-resource.ts';
import type { ParseResult } from '../model/parse/result.ts';
import type { ModelObject } from '../model/world.ts';
import type { Resource } from '../resources/resource.ts';
import { type DirectoryWatch, watchingDirectory } from '../resources/sources/directory.ts';
import { DEFAULT_MANIFEST_LIMITS, type ManifestLimits } from '../resources/sources/manifest-limits.ts';
import type { ManifestMemory } from '../resources/sources/manifest-set.ts';
import { releaseContents } from '../resources/text-resource.ts';

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
}

export class ManifestFeed {
  readonly #directory: string;
  readonly #memory: ManifestMemory;
  readonly #log: Logger;
  readonly #limits: ManifestLimits;
  /** What was made out of resources that have been checked and are not in the store yet. */
  readonly #parsed = new Map<Resource, ParseResult>();
  readonly #store = new ModelStore((resource) => this.#takeParsed(resource));
  #watch: DirectoryWatch | undefined;
  #reported = new Set<string>();

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

  /** The same in steps, of which each calls back with a part of what there is. */
  *starting(onChanges: (changes: ModelChanges) => void): Steps<void> {
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
      ({ objects, changed, removed }) => {
        const resources = changed.map((id) => objects.get(id) as Resource);
        onChanges(this.#store.apply(resources, removed));
        this.#parsed.clear();
        this.#logErrors();
      },
      { check, accept, memory: this.#memory, limits: this.#limits },
    );
    this.#watch = watch;
    yield* this.#storing(watch.snapshot.objects);
    for (const objects of Object.values(this.#store.world)) {
      for (const changed of partsOfMap<ModelObject>(objects)) {
        onChanges({ changed, removed: [] });
        yield;
      }
    }
    this.#logErrors();
  }

  status(): ManifestStatus {
    return {
      directory: this.#directory,
      objects: this.#watch?.snapshot.objects.size ?? 0,
      errors: this.#errors().map(({ code, message }) => ({ code, message })),
    };
  }

  /** What is in force now, in its last good version, as it is written down. */
  resources(): Iterable<Resource> {
    return [...(this.#watch?.snapshot.objects.values() ?? [])].sort(
      ({ location: a }, { location: b }) => compareText(a.file, b.file) || a.line - b.line,
    );
  }

  close(): void {
    this.#watch?.close();
  }

  *#storing(objects: ReadonlyMap<string, Resource>): Steps<void> {
    for (const resources of partsOfMap(objects)) {
      this.#store.apply(resources);
      yield;
    }
    this.#parsed.clear();
  }

  #takeParsed(resource: Resource): ParseResult {
    const parsed = this.#parsed.get(resource);
    this.#parsed.delete(resource);
    // What comes into force because another definition of its name is gone was accepted before.
    return parsed ?? parseAccepted(resource);
  }

  #errors(): readonly DataplaneError[] {
    return [...(this.#watch?.snapshot.errors ?? []), ...this.#store.errors];
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
