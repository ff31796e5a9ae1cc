// The objects of many files -> one set, in which every name is defined once.
import { DataplaneError } from '../../base/errors.ts';
import { describeObject, type Resource } from '../resource.ts';

/** Everything a source has in force, and everything that is wrong with it. */
export interface ResourceSnapshot {
  readonly objects: ReadonlyMap<string, Resource>;
  readonly errors: readonly DataplaneError[];
}

/** A snapshot with the difference to the one before, by resource id. */
export interface SnapshotChange extends ResourceSnapshot {
  /** New objects, and those that were read again. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Those of them that were there before, as they were. */
  readonly before: ReadonlyMap<string, Resource>;
}

export const EMPTY_SNAPSHOT: ResourceSnapshot = { objects: new Map(), errors: [] };

interface FileContent {
  readonly resources: readonly Resource[];
  readonly errors: readonly DataplaneError[];
}

/** Files in order: of several definitions of one object the first is in force, so that a restart changes nothing. */
export function mergeFiles(files: Iterable<FileContent>, errors: readonly DataplaneError[]): ResourceSnapshot {
  const objects = new Map<string, Resource>();
  const all = [...errors];
  for (const file of files) {
    for (const error of file.errors) all.push(error);
    for (const resource of file.resources) {
      const first = objects.get(resource.id);
      if (first === undefined) objects.set(resource.id, resource);
      else all.push(duplicateError(resource, first));
    }
  }
  return { objects, errors: all };
}

/** undefined when both snapshots say the same. */
export function diffSnapshots(
  before: ResourceSnapshot,
  after: ResourceSnapshot,
): Omit<SnapshotChange, 'before'> | undefined {
  const changed: string[] = [];
  for (const [id, resource] of after.objects) if (before.objects.get(id) !== resource) changed.push(id);
  const removed = [...before.objects.keys()].filter((id) => !after.objects.has(id));
  const isSame = changed.length === 0 && removed.length === 0 && sameErrors(before.errors, after.errors);
  return isSame ? undefined : { ...after, changed, removed };
}

/** Whether two lists of errors say the same. */
export function sameErrors(a: readonly DataplaneError[], b: readonly DataplaneError[]): boolean {
  return a.length === b.length && a.every((error, index) => error.message === b[index]?.message);
}

/** Of a definition that is not in force, because another one of that name is. */
export function duplicateError(resource: Resource, first: Resource): DataplaneError {
  const { file, line } = resource.location;
  return new DataplaneError('DUPLICATE_NAME', 'is defined twice', {
    operation: 'read',
    target: describeObject(resource.kind, resource.namespace, resource.name),
    hint: `${first.location.file}:${first.location.line} is in force`,
    file,
    line,
  });
}
