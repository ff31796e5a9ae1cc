// Where commands read objects from: a running agent, or a directory of manifests without one. Both answer alike.
import { parseSelectors } from '../agent/api/selectors.ts';
import { manifestOf } from '../agent/live-manifests.ts';
import type { Manifest } from '../agent/store/manifest.ts';
import { showFileObject } from '../agent/store/stored-object.ts';
import { DataplaneError } from '../base/errors.ts';
import type { Resource } from '../resources/resource.ts';
import { resourceId } from '../resources/resource.ts';
import { readDirectory } from '../resources/sources/directory.ts';
import type { ResourceSnapshot } from '../resources/sources/snapshot.ts';
import type { CollectionRef, ListOptions, ObjectRef } from './resource-client.ts';

export interface ObjectReader {
  /** Throws NOT_FOUND. */
  get(ref: ObjectRef): Promise<Manifest>;
  list(ref: CollectionRef, options?: ListOptions): Promise<{ readonly items: readonly Manifest[] }>;
}

/** The valid objects of a directory of manifests. */
export class DirectoryReader implements ObjectReader {
  readonly #directory: string;
  readonly #snapshot: ResourceSnapshot;

  constructor(directory: string) {
    this.#directory = directory;
    this.#snapshot = readDirectory(directory);
  }

  /** Why other objects of the directory are not here. */
  get errors(): readonly DataplaneError[] {
    return this.#snapshot.errors;
  }

  async get({ type, namespace, name }: ObjectRef): Promise<Manifest> {
    return show(this.find({ type, namespace, name }));
  }

  /** Throws NOT_FOUND. */
  find({ type, namespace, name }: ObjectRef): Resource {
    const id = resourceId(type, namespace, name);
    const resource = this.#snapshot.objects.get(id);
    if (resource !== undefined) return resource;
    throw new DataplaneError('NOT_FOUND', 'no such object', {
      operation: 'find',
      target: id,
      hint: `looked in ${this.#directory}`,
    });
  }

  async list({ type, namespace }: CollectionRef, options: ListOptions = {}): Promise<{ items: readonly Manifest[] }> {
    const isWanted = parseSelectors(options.labelSelector ?? null, options.fieldSelector ?? null);
    const found = [...this.#snapshot.objects.values()].filter(
      (one) => one.type === type && (namespace === undefined || one.namespace === namespace) && isWanted(one),
    );
    return { items: found.sort((a, b) => (a.id < b.id ? -1 : 1)).map(show) };
  }
}

function show(resource: Resource): Manifest {
  return showFileObject(manifestOf(resource), resource.location);
}
