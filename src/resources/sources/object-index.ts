// The objects of many files as one set, in which every name is defined once, kept current file by file: work in
// proportion to what a file changes, not to how many there are.
import type { DataplaneError } from '../../base/errors.ts';
import type { Resource } from '../resource.ts';
import { duplicateError } from './snapshot.ts';

export class ObjectIndex {
  readonly #objects = new Map<string, Resource>();
  /** Definitions of names that have several, in the order in which they count. */
  readonly #contested = new Map<string, readonly Resource[]>();
  /** What was in force at the last drain, for ids that may have changed since. */
  readonly #before = new Map<string, Resource | undefined>();

  /** In force, by id. A live view. */
  get objects(): ReadonlyMap<string, Resource> {
    return this.#objects;
  }

  /** A file defines `after` instead of `before`. Objects that are in both stay as they are. */
  replace(before: readonly Resource[], after: readonly Resource[]): void {
    if (before === after) return;
    const known = new Set(before);
    const kept = new Set(after.filter((resource) => known.has(resource)));
    // In this order a new version takes the place of the old one.
    for (const resource of after) if (!kept.has(resource)) this.#add(resource);
    for (const resource of before) if (!kept.has(resource)) this.#remove(resource);
  }

  /** Ids of objects that are in force anew, in another version or not any more, since the last drain; and how they were. */
  drain(): { readonly changed: string[]; readonly removed: string[]; readonly before: Map<string, Resource> } {
    const changed: string[] = [];
    const removed: string[] = [];
    const earlier = new Map<string, Resource>();
    for (const [id, before] of this.#before) {
      const now = this.#objects.get(id);
      if (now === before) continue;
      if (before !== undefined) earlier.set(id, before);
      (now === undefined ? removed : changed).push(id);
    }
    this.#before.clear();
    return { changed, removed, before: earlier };
  }

  /** One for each definition that is not in force. */
  duplicates(): DataplaneError[] {
    return [...this.#contested.values()].flatMap(([first, ...others]) =>
      others.map((other) => duplicateError(other, first as Resource)),
    );
  }

  #add(resource: Resource): void {
    const { id } = resource;
    const first = this.#objects.get(id);
    if (first === undefined) this.#put(id, resource);
    else this.#settle(id, [...(this.#contested.get(id) ?? [first]), resource]);
  }

  #remove(resource: Resource): void {
    const { id } = resource;
    const definitions = this.#contested.get(id);
    if (definitions !== undefined) {
      this.#settle(
        id,
        definitions.filter((one) => one !== resource),
      );
    } else if (this.#objects.get(id) === resource) this.#put(id, undefined);
  }

  /** The first by file and line is in force, so that a restart changes nothing. */
  #settle(id: string, definitions: readonly Resource[]): void {
    const sorted = definitions.toSorted(compareByPlace);
    if (sorted.length > 1) this.#contested.set(id, sorted);
    else this.#contested.delete(id);
    if (this.#objects.get(id) !== sorted[0]) this.#put(id, sorted[0]);
  }

  #put(id: string, resource: Resource | undefined): void {
    if (!this.#before.has(id)) this.#before.set(id, this.#objects.get(id));
    if (resource === undefined) this.#objects.delete(id);
    else this.#objects.set(id, resource);
  }
}

function compareByPlace(a: Resource, b: Resource): number {
  if (a.location.file === b.location.file) return a.location.line - b.location.line;
  return a.location.file < b.location.file ? -1 : 1;
}
