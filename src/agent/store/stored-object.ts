// One object of the store: what its author wrote, with what the store adds to it, and the way to a Resource and to what
// the API shows. No database here, and no policy.
import { randomUUID } from 'node:crypto';
import { isEqual } from '../../base/equal.ts';
import { DataplaneError } from '../../base/errors.ts';
import { parseDocuments } from '../../resources/document.ts';
import { describeObject, type Resource } from '../../resources/resource.ts';
import { FILE_ANNOTATION, isPlain, type Manifest, NOT_IN_FORCE_ANNOTATION } from './manifest.ts';

export interface StoredObject {
  /** Of the resource: `<type>/<namespace or empty>/<name>`. */
  readonly id: string;
  /** As its author wrote it, without what the store adds. */
  readonly manifest: Manifest;
  /** Of the store, when it was last changed. */
  readonly revision: number;
  /** Counts changes of anything but metadata. */
  readonly generation: number;
  readonly uid: string;
  /** ISO 8601. */
  readonly created: string;
  /** What each field manager has applied last: fields that it gives up are found by it. */
  readonly applied?: Readonly<Record<string, Manifest>>;
}

/** Set by the store alone: what somebody sends of them says which version was meant, and is not kept. */
const STORE_FIELDS = new Set([
  'resourceVersion',
  'uid',
  'creationTimestamp',
  'generation',
  'managedFields',
  'selfLink',
]);
const FILE_VERSION = '0';
/** Kinds whose status says what goes on here: see api/live-status.ts. */
const STATUS_IS_MADE: ReadonlySet<unknown> = new Set(['PacketCapture']);

/** The object without what the store adds, and without a status that the agent makes itself. */
export function cleanManifest(value: Manifest): Manifest {
  const written = STATUS_IS_MADE.has(value.kind) ? withoutStatus(value) : value;
  const { metadata } = written;
  if (!isPlain(metadata)) return written;
  const kept = Object.entries(metadata).filter(([name]) => !STORE_FIELDS.has(name));
  return { ...written, metadata: Object.fromEntries(kept.flatMap(([name, field]) => withoutOurs(name, field))) };
}

/** Why an object was not in force is not to be read in the one that mends it; nor would annotations be that held nothing else. */
function withoutOurs(name: string, field: unknown): [string, unknown][] {
  if (name !== 'annotations' || !isPlain(field) || !(NOT_IN_FORCE_ANNOTATION in field)) return [[name, field]];
  const { [NOT_IN_FORCE_ANNOTATION]: _why, ...others } = field;
  return Object.keys(others).length === 0 ? [] : [[name, others]];
}

function withoutStatus({ status: _status, ...rest }: Manifest): Manifest {
  return rest;
}

/** What the object is as a resource. Throws an AggregateError of DataplaneErrors, one for each thing that is wrong. */
export function readResource(manifest: Manifest): Resource {
  const { resources, errors } = parseDocuments(JSON.stringify(manifest, null, 2), labelOf(manifest));
  if (errors.length > 0) throw new AggregateError(errors, 'refused');
  const [resource, another] = resources;
  if (resource !== undefined && another === undefined) return resource;
  throw new DataplaneError('INVALID_REQUEST', 'is not one object', {
    operation: 'read',
    target: labelOf(manifest),
    found: `${resources.length} objects`,
    expected: 'one object that is no list',
  });
}

/** The next version of an object, or its first. */
export function nextVersion(
  id: string,
  manifest: Manifest,
  before: StoredObject | undefined,
  { revision, now, applied }: { revision: number; now: Date; applied?: StoredObject['applied'] },
): StoredObject {
  const isSameContent = before !== undefined && isEqual(contentOf(before.manifest), contentOf(manifest));
  return {
    id,
    manifest,
    revision,
    generation: before === undefined ? 1 : before.generation + (isSameContent ? 0 : 1),
    uid: before?.uid ?? randomUUID(),
    created: before?.created ?? now.toISOString(),
    ...(applied === undefined ? {} : { applied }),
  };
}

/** The object as the API shows it. */
export function showStored({ manifest, revision, generation, uid, created }: StoredObject): Manifest {
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const added = { uid, resourceVersion: String(revision), generation, creationTimestamp: created };
  return { ...manifest, metadata: { ...metadata, ...added } };
}

/** An object that a file defines, as the API shows it: the store has no version of it. */
export function showFileObject(manifest: Manifest, { file, line }: Resource['location']): Manifest {
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const annotations = { ...(isPlain(metadata.annotations) ? metadata.annotations : {}) };
  annotations[FILE_ANNOTATION] = `${file}:${line}`;
  return { ...manifest, metadata: { ...metadata, annotations, resourceVersion: FILE_VERSION } };
}

/** `networkpolicy default/allow-dns`, as errors name it. */
export function describeManifest(manifest: Manifest): string {
  const { kind } = manifest;
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  return describeObject(text(kind) ?? 'object', text(metadata.namespace), text(metadata.name) ?? '(unnamed)');
}

/** Where errors and traces say that a stored object is written. */
function labelOf(manifest: Manifest): string {
  return `store: ${describeManifest(manifest)}`;
}

function contentOf({ metadata: _metadata, ...content }: Manifest): Manifest {
  return content;
}
