// A resource that was read from a text. What it says (metadata and spec) may be let go of, and is then read from the text
// again for whoever asks: a cluster has many objects, and most of them are asked once. No parsing here.
import type { FieldPath } from './field-path.ts';
import { ORIGIN, type Origin } from './origin.ts';
import { type Resource, resourceId } from './resource.ts';
import type { Metadata } from './schemas/metadata.ts';
import type { SourceText } from './source-text.ts';

/** What an object says, besides what it is. */
export interface Content {
  readonly metadata: Metadata;
  readonly spec: unknown;
}

export type ResourceHead = Omit<Resource, 'id' | 'lineOf' | 'metadata' | 'spec'>;

/** Reads what the object at the path of the document says; it was accepted once. */
export type ContentReader = (origin: Origin) => Content;

/** Objects of a file, and keys and values of them all. */
const MAX_RELEASED = 64;
const MAX_RELEASED_VALUES = 4096;
const WHOLE_DOCUMENT: FieldPath = Object.freeze([]);

/** What was read again last: fields are asked for in turn. */
let latest: { readonly of: TextResource; readonly content: Content } | undefined;

export class TextResource {
  readonly type: Resource['type'];
  readonly id: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly location: Resource['location'];
  readonly #source: SourceText;
  /** undefined = the whole document. */
  readonly #path: FieldPath | undefined;
  readonly #read: ContentReader;
  /** undefined = let go of. */
  #content: Content | undefined;
  #values: number | undefined;

  constructor(head: ResourceHead, content: Content, origin: Origin, read: ContentReader) {
    this.type = head.type;
    this.id = resourceId(head.type, head.namespace, head.name);
    this.apiVersion = head.apiVersion;
    this.kind = head.kind;
    this.namespace = head.namespace;
    this.name = head.name;
    this.location = Object.freeze(head.location);
    this.#source = origin.source;
    this.#path = origin.path.length === 0 ? undefined : origin.path;
    this.#content = content;
    this.#read = read;
    Object.freeze(this);
  }

  get metadata(): Metadata {
    return this.#contentNow().metadata;
  }

  get spec(): unknown {
    return this.#contentNow().spec;
  }

  /** Keys and values of what it says. */
  get valueCount(): number {
    this.#values ??= countIn(this.spec) + countIn(this.metadata);
    return this.#values;
  }

  get [ORIGIN](): Origin {
    return { source: this.#source, path: this.#path ?? WHOLE_DOCUMENT };
  }

  lineOf(field: FieldPath): number {
    return this.#source.lineOf(this.#path === undefined ? field : [...this.#path, ...field]);
  }

  /** Its fields, what it says included. */
  toJSON(): object {
    const { type, id, apiVersion, kind, namespace, name, metadata, spec, location } = this;
    return { type, id, apiVersion, kind, namespace, name, metadata, spec, location };
  }

  /** Lets go of what it says. An item of a list keeps it: reading one item again is reading the whole list. */
  release(): void {
    if (this.#path !== undefined) return;
    this.#values ??= this.valueCount;
    this.#content = undefined;
  }

  #contentNow(): Content {
    if (this.#content !== undefined) return this.#content;
    if (latest?.of !== this) latest = { of: this, content: this.#read(this[ORIGIN]) };
    return latest.content;
  }
}

/**
 * Lets the resources of one file go of what they say, until somebody asks. Those of a long file keep it, be it long by
 * their number or by what they say: when one of them changes, the file is stored anew as a whole, and to read all others
 * again for that would take longer than the change.
 */
export function releaseContents(ofFile: readonly Resource[]): void {
  if (ofFile.length > MAX_RELEASED || holdsManyValues(ofFile)) return;
  for (const resource of ofFile) if (resource instanceof TextResource) resource.release();
}

function holdsManyValues(resources: readonly Resource[]): boolean {
  let values = 0;
  for (const resource of resources) {
    values += countValuesOf(resource);
    if (values > MAX_RELEASED_VALUES) return true;
  }
  return false;
}

/** A copy with other fields; it keeps what it says. */
export function copyResource(resource: Resource, changes: Partial<Resource>): Resource {
  const { type, id, apiVersion, kind, namespace, name, metadata, spec, location } = resource;
  const lineOf = (path: FieldPath): number => resource.lineOf(path);
  const fields = { type, id, apiVersion, kind, namespace, name, metadata, spec, location, lineOf };
  return Object.freeze({ ...fields, ...changes }) as Resource;
}

/** Keys and values of what a resource says. */
export function countValuesOf(resource: Resource): number {
  if (resource instanceof TextResource) return resource.valueCount;
  return countIn(resource.spec) + countIn(resource.metadata);
}

/** Documents are nested no deeper than yaml/bounds.ts lets them be. */
function countIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  if (Array.isArray(value)) for (const item of value) count += countIn(item);
  else for (const key in value) count += countIn((value as Readonly<Record<string, unknown>>)[key]);
  return count;
}
