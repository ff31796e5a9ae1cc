// Where in its file an object was read: what its lines are found by, and what a store of parsed files keeps of them.
import type { FieldPath } from './field-path.ts';
import type { Resource } from './resource.ts';
import type { SourceText } from './source-text.ts';

export interface Origin {
  /** The document. */
  readonly source: SourceText;
  /** Path of the object inside the document: empty, or `items[3]`. */
  readonly path: FieldPath;
}

/** Key of a resource's origin; not a name, because it is no part of what the resource says. */
export const ORIGIN = Symbol('origin');

/** undefined for a resource that was not read from text. */
export function originOf(resource: Resource): Origin | undefined {
  return (resource as { readonly [ORIGIN]?: Origin })[ORIGIN];
}
