// One value out of a document -> a resource, or the reasons why it is none. List kinds are taken apart here.
import { DataplaneError } from '../base/errors.ts';
import { type FieldPath, formatPath } from './field-path.ts';
import { findKind, type KindDefinition, knownKinds } from './kinds.ts';
import { LABEL_NAME } from './names.ts';
import { nearestName } from './nearest.ts';
import type { Origin } from './origin.ts';
import { type ProblemDetails, quoteValue, type Report } from './report.ts';
import { describeObject, type Resource, resourceId } from './resource.ts';
import { reportIssues } from './schema-errors.ts';
import type { Metadata } from './schemas/metadata.ts';
import { type Content, type ResourceHead, TextResource } from './text-resource.ts';
import { checkMetadata } from './validate-metadata.ts';

/** Collects what the objects of one file are. */
export interface ObjectSink {
  readonly file: string;
  readonly resources: Resource[];
  readonly errors: DataplaneError[];
  /** Ids of objects that the file defines but that are refused. */
  readonly refused: string[];
  /** An object could not even be identified. */
  hasUnidentified: boolean;
}

interface Place extends Origin {
  /** Line of the object, when known without asking the source. */
  readonly line?: number;
}

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Partial<Metadata>;
}

type Plain = Readonly<Record<string, unknown>>;

const DEFAULT_NAMESPACE = 'default';

/** Adds the object, or the items of a list of objects, to the sink. */
export function parseObject(value: unknown, place: Place, sink: ObjectSink): void {
  if (!isPlain(value)) {
    refuseUnidentified('document', place, sink)([], 'is not an object', {
      found: quoteValue(value),
      expected: 'a mapping',
    });
    return;
  }
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    const field = typeof apiVersion !== 'string' ? 'apiVersion' : 'kind';
    const what = Object.hasOwn(value, field) ? 'invalid value' : 'is missing';
    refuseUnidentified('document', place, sink)([field], what, { code: 'MISSING_FIELD', expected: 'text' });
    return;
  }
  const definition = findKind(apiVersion, kind);
  if (definition !== undefined) parseKind(definition, value, place, sink);
  else if (kind.endsWith('List') && (kind === 'List' || findKind(apiVersion, kind.slice(0, -4)) !== undefined)) {
    parseItems(value, apiVersion, kind, place, sink);
  } else reportUnknownKind(apiVersion, kind, value, place, sink);
}

function parseItems(list: Plain, apiVersion: string, kind: string, place: Place, sink: ObjectSink): void {
  const { items } = list;
  if (items === undefined || items === null) return;
  if (!Array.isArray(items)) {
    const details = { found: quoteValue(items), expected: 'a list' };
    refuseUnidentified(kind.toLowerCase(), place, sink)(['items'], 'invalid value', details);
    return;
  }
  for (const [index, item] of items.entries()) {
    const path = [...place.path, 'items', index];
    // Lists as the API server sends them say the kind only once.
    const isBare = kind !== 'List' && isPlain(item) && item.kind === undefined;
    const value: unknown = isBare ? { apiVersion, kind: kind.slice(0, -4), ...item } : item;
    parseObject(value, { source: place.source, path, line: place.source.lineOf(path) }, sink);
  }
}

function parseKind(definition: KindDefinition, value: Plain, place: Place, sink: ObjectSink): void {
  const identity = identify(definition, value);
  const errorsBefore = sink.errors.length;
  const report = reporter(
    describeObject(definition.kind, identity.namespace, identity.name ?? '(unnamed)'),
    place,
    sink,
  );
  const resource = checkObject(definition, withoutNulls(value) as Plain, identity, place, sink.file, report);
  if (resource !== undefined && sink.errors.length === errorsBefore) {
    sink.resources.push(resource);
  } else if (identity.name === undefined) sink.hasUnidentified = true;
  else sink.refused.push(resourceId(definition.type, identity.namespace, identity.name));
}

/** The object's name and namespace as far as they can be made out before anything is checked. */
function identify(definition: KindDefinition, value: Plain): { name?: string; namespace?: string } {
  const metadata = isPlain(value.metadata) ? value.metadata : {};
  const name = typeof metadata.name === 'string' && metadata.name !== '' ? metadata.name : undefined;
  if (!definition.isNamespaced) return { name };
  const { namespace } = metadata;
  return { name, namespace: typeof namespace === 'string' && namespace !== '' ? namespace : DEFAULT_NAMESPACE };
}

function checkObject(
  definition: KindDefinition,
  value: Plain,
  identity: { readonly name?: string; readonly namespace?: string },
  place: Place,
  file: string,
  report: Report,
): Resource | undefined {
  const parsed = definition.schema.safeParse(value);
  if (!parsed.success) {
    reportIssues(parsed.error.issues, value, definition.schema, report);
    return undefined;
  }
  const document = parsed.data as Envelope & Plain;
  const { name } = document.metadata;
  const { namespace } = identity;
  checkNames(definition, document, namespace, report);
  const { labels = {}, annotations = {}, deletionTimestamp } = document.metadata;
  const metadata: Metadata = { labels, annotations, deletionTimestamp };
  checkMetadata(metadata, report);
  const spec = specOf(definition, document);
  definition.check?.(spec as never, report, metadata);
  const { source, path } = place;
  const head = {
    type: definition.type,
    apiVersion: definition.apiVersion,
    kind: definition.kind,
    namespace,
    name,
    location: { file, line: place.line ?? source.lineOf(path) },
  };
  return createResource(head as ResourceHead, { metadata, spec }, { source, path });
}

/** A frozen resource out of its parts. */
export function createResource(head: ResourceHead, content: Content, origin: Origin): Resource {
  return new TextResource(head, content, origin, readContent) as unknown as Resource;
}

/** Only for whole documents that were accepted before. Throws INTERNAL when the document is no such one. */
function readContent({ source, path }: Origin): Content {
  const sink: ObjectSink = { file: '', resources: [], errors: [], refused: [], hasUnidentified: false };
  parseObject(source.readValue(), { source, path, line: source.place.firstLine }, sink);
  const [resource] = sink.resources;
  if (resource !== undefined) return { metadata: resource.metadata, spec: resource.spec };
  throw new DataplaneError('INTERNAL', 'cannot be read again', { operation: 'read', target: 'document' });
}

function checkNames(
  definition: KindDefinition,
  document: Envelope,
  namespace: string | undefined,
  report: Report,
): void {
  const { name } = document.metadata;
  const { nameRule } = definition;
  if (!nameRule.accepts(name))
    report(['metadata', 'name'], 'invalid name', { found: name, expected: nameRule.expected });
  if (namespace !== undefined && !LABEL_NAME.accepts(namespace)) {
    report(['metadata', 'namespace'], 'invalid name', { found: namespace, expected: LABEL_NAME.expected });
  }
  const given = document.metadata.namespace ?? '';
  if (definition.isNamespaced || given === '') return;
  report(['metadata', 'namespace'], `${definition.kind} is cluster-wide`, { found: given, expected: 'no namespace' });
}

function specOf(definition: KindDefinition, document: Plain): unknown {
  if (definition.fields === undefined) return document.spec;
  return Object.fromEntries(definition.fields.map((field) => [field, document[field]]));
}

function reportUnknownKind(apiVersion: string, kind: string, value: Plain, place: Place, sink: ObjectSink): void {
  const nearest = nearestName(`${apiVersion} ${kind}`, knownKinds());
  const metadata = isPlain(value.metadata) ? value.metadata : {};
  const name = typeof metadata.name === 'string' ? metadata.name : '(unnamed)';
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : undefined;
  reporter(describeObject(kind, namespace, name), place, sink)(['kind'], 'unknown kind', {
    code: 'UNKNOWN_KIND',
    found: `${apiVersion} ${kind}`,
    hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
  });
}

function refuseUnidentified(target: string, place: Place, sink: ObjectSink): Report {
  sink.hasUnidentified = true;
  return reporter(target, place, sink);
}

function reporter(target: string, place: Place, sink: ObjectSink): Report {
  return (field: FieldPath, what: string, details: ProblemDetails = {}) => {
    const { code = 'INVALID_FIELD', ...rest } = details;
    const line = place.source.lineOf([...place.path, ...field]);
    const path = field.length === 0 ? undefined : formatPath(field);
    sink.errors.push(
      new DataplaneError(code, what, { operation: 'parse', target, field: path, file: sink.file, line, ...rest }),
    );
  };
}

/** The same value without fields that are null: to the API they are absent. Labels and annotations keep theirs. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlain(value)) return value;
  let changed: Record<string, unknown> | undefined;
  for (const [key, field] of Object.entries(value)) {
    const isFreeMap = key === 'labels' || key === 'annotations' || key === 'matchLabels';
    if (isFreeMap && field !== null) continue;
    const cleaned = field === null ? undefined : withoutNulls(field);
    if (cleaned === field) continue;
    changed ??= { ...value };
    if (cleaned === undefined) delete changed[key];
    else changed[key] = cleaned;
  }
  return changed ?? value;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
