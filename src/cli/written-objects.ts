// Objects of files on their way to an agent: checked here, where their lines are known, and put in the namespace that the
// command line names.

import { parseSelectors } from '../agent/api/selectors.ts';
import { isPlain, type Manifest } from '../agent/store/manifest.ts';
import { DataplaneError } from '../base/errors.ts';
import { parseResource } from '../model/parse/parse-resource.ts';
import { parseDocuments } from '../resources/document.ts';
import { findKind } from '../resources/kinds.ts';
import {
  type FileFlags,
  type FileObject,
  type NamedText,
  objectsOfText,
  readObjectFiles,
  readTexts,
} from './object-files.ts';
import { DEFAULT_NAMESPACE } from './object-targets.ts';
import type { ObjectRef } from './resource-client.ts';

export interface WrittenObject extends FileObject {
  readonly ref: ObjectRef;
}

export interface WrittenFlags extends FileFlags {
  readonly namespace?: string;
  readonly selector?: string;
  /** Leave the check to the agent. */
  readonly validate?: boolean;
}

/**
 * The objects of the files that the selector chooses. Throws an AggregateError of everything that is wrong with them;
 * USAGE when there are none.
 */
export function readWrittenObjects(flags: WrittenFlags): readonly WrittenObject[] {
  const all = flags.validate === false ? readObjectFiles(flags) : checked(readTexts(flags));
  const isWanted = parseSelectors(flags.selector ?? null, null);
  const objects = all
    .map((object) => place(object, flags.namespace))
    .filter(({ ref, manifest }) => {
      const labels = labelsOf(manifest);
      return isWanted({ name: ref.name, namespace: ref.namespace, metadata: { labels, annotations: {} } });
    });
  if (objects.length > 0) return objects;
  throw new DataplaneError('USAGE', 'no objects', { operation: 'read', target: (flags.filename ?? []).join(' ') });
}

/** What is wrong with the objects of a text, each with its line. */
export function checkText({ text, file }: NamedText): {
  readonly count: number;
  readonly errors: readonly DataplaneError[];
} {
  const { resources, errors } = parseDocuments(text, file);
  return {
    count: resources.length,
    errors: [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)],
  };
}

/** Standard input is read once: what is checked is what is sent. */
function checked(texts: readonly NamedText[]): readonly FileObject[] {
  const errors = texts.flatMap((text) => checkText(text).errors);
  if (errors.length > 0) throw new AggregateError(errors, 'refused');
  return texts.flatMap(objectsOfText);
}

function labelsOf({ metadata }: Manifest): Record<string, string> {
  const labels = isPlain(metadata) ? metadata.labels : undefined;
  return isPlain(labels) ? (labels as Record<string, string>) : {};
}

function place(object: FileObject, namespace: string | undefined): WrittenObject {
  const { manifest, file, line } = object;
  const { apiVersion, kind } = manifest;
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const definition =
    typeof apiVersion === 'string' && typeof kind === 'string' ? findKind(apiVersion, kind) : undefined;
  const refuse = (what: string, details: { found?: string; expected?: string }): DataplaneError =>
    new DataplaneError(definition === undefined ? 'UNKNOWN_KIND' : 'INVALID_FIELD', what, {
      operation: 'read',
      target: `${String(kind)} ${String(metadata.name)}`,
      file,
      line,
      ...details,
    });
  if (definition === undefined) throw refuse('is of no known kind', { found: `${String(apiVersion)} ${String(kind)}` });
  const { name } = metadata;
  if (typeof name !== 'string' || name === '') throw refuse('has no name', {});
  if (!definition.isNamespaced) return { ...object, ref: { type: definition.type, name } };
  const own = typeof metadata.namespace === 'string' && metadata.namespace !== '' ? metadata.namespace : undefined;
  if (own !== undefined && namespace !== undefined && own !== namespace) {
    throw refuse('is of another namespace than --namespace', { found: own, expected: namespace });
  }
  const placed = own ?? namespace ?? DEFAULT_NAMESPACE;
  const ref = { type: definition.type, namespace: placed, name };
  return { ...object, manifest: { ...manifest, metadata: { ...metadata, namespace: placed } }, ref };
}
