// One object and one collection of the API: get, create, replace, patch, delete. Lists and watches are in listing.ts.
import { DataplaneError } from '../../../base/errors.ts';
import { resourceId } from '../../../resources/resource.ts';
import { manifestOf } from '../../live-manifests.ts';
import type { PlannedChange } from '../../store/change-desk.ts';
import { isPlain, type Manifest } from '../../store/manifest.ts';
import type { ResourceStore } from '../../store/resource-store.ts';
import { cleanManifest, type StoredObject, showFileObject, showStored } from '../../store/stored-object.ts';
import { readJson, readObject } from '../body.ts';
import { answerChange, CHANGE_QUERY } from '../change-options.ts';
import { COLLECTIONS, type Collection, collectionPath } from '../collections.ts';
import { invalidRequest } from '../failure.ts';
import { withLiveStatus } from '../live-status.ts';
import { applyPatch, jsonPatch, mergePatch } from '../patch.ts';
import type { ApiContext, ApiRequest, Reply, Route } from '../route.ts';
import { LIST_QUERY, listOrWatch } from './listing.ts';

const JSON_OR_YAML = ['application/json', 'application/yaml'];
const PATCH_TYPES = ['application/merge-patch+json', 'application/json-patch+json', 'application/apply-patch+yaml'];
/** With diff=true the answer is what the change does. */
const REPORT = { 200: ['ChangeReport'] };
const DEFAULT_MANAGER = 'default';
/** The object is stored once more for each of them. */
const MAX_MANAGERS = 32;
const MAX_MANAGER_LENGTH = 128;

/** Every route of a collection, in one namespace and across all. */
export const RESOURCE_ROUTES: readonly Route[] = COLLECTIONS.flatMap((collection) => {
  const { kind, type, apiVersion, isNamespaced, isWritable } = collection;
  const path = collectionPath(collection, isNamespaced ? '{namespace}' : undefined);
  const name = `${apiVersion.replaceAll(/[^a-z0-9]+(.)?/gi, (_, next: string) => (next ?? '').toUpperCase())}${kind}`;
  const body = { contentTypes: JSON_OR_YAML, schema: type };
  const list: Route = {
    method: 'GET',
    path,
    id: `list${name}`,
    summary: `Objects of kind ${kind}, or their changes as they come`,
    query: LIST_QUERY,
    answer: { schema: 'ObjectList' },
    handle: listOrWatch(collection),
  };
  const routes: Route[] = [
    list,
    {
      method: 'GET',
      path: `${path}/{name}`,
      id: `get${name}`,
      summary: `One ${kind}`,
      answer: { schema: type },
      handle: (context, request) => getObject(collection, context, request),
    },
  ];
  if (isNamespaced) {
    const everywhere = { path: collectionPath(collection), id: `listAll${name}` };
    routes.push({ ...list, ...everywhere, summary: `The same of every namespace: ${kind}` });
  }
  if (!isWritable) return routes;
  const one = { path: `${path}/{name}`, query: CHANGE_QUERY, answer: { schema: type, more: REPORT } };
  return [
    ...routes,
    {
      ...one,
      method: 'POST',
      path,
      id: `create${name}`,
      summary: `Create a ${kind}`,
      body,
      answer: { schema: type, status: 201, more: REPORT },
      handle: (context, request) => create(collection, context, request),
    },
    {
      ...one,
      method: 'PUT',
      id: `replace${name}`,
      summary: `Replace a ${kind} that exists`,
      body,
      handle: (context, request) => replace(collection, context, request),
    },
    {
      ...one,
      method: 'PATCH',
      id: `patch${name}`,
      summary: `Change fields of a ${kind}; apply-patch also creates it`,
      query: [...CHANGE_QUERY, 'fieldManager'],
      body: { contentTypes: PATCH_TYPES, schema: 'Patch' },
      answer: { schema: type, more: { ...REPORT, 201: [type] } },
      handle: (context, request) => patch(collection, context, request),
    },
    {
      ...one,
      method: 'DELETE',
      id: `delete${name}`,
      summary: `Delete a ${kind}`,
      query: [...CHANGE_QUERY, 'resourceVersion'],
      body: { contentTypes: ['application/json'], schema: 'DeleteOptions', isOptional: true },
      answer: { schema: 'ChangeReport' },
      handle: (context, request) => remove(collection, context, request),
    },
  ];
});

async function getObject(collection: Collection, { agent }: ApiContext, request: ApiRequest): Promise<Reply> {
  await agent.loaded;
  const id = idOf(collection, request);
  if (agent.fileOf(id) !== undefined) {
    for (const resource of agent.resources()) {
      if (resource.id !== id) continue;
      return { body: withLiveStatus(agent, id, showFileObject(manifestOf(resource), resource.location)) };
    }
  }
  return { body: withLiveStatus(agent, id, showStored(requireObject(agent.stored.store, id))) };
}

async function create(collection: Collection, context: ApiContext, request: ApiRequest): Promise<Reply> {
  const manifest = complete(collection, await readObject(request), request);
  const id = idOf(collection, { params: { ...request.params, name: nameOf(manifest) } });
  const plan = (store: ResourceStore): readonly PlannedChange[] => {
    if (store.get(id) === undefined) return [{ id, manifest: cleanManifest(manifest) }];
    throw new DataplaneError('ALREADY_EXISTS', 'exists already', { operation: 'create', target: id });
  };
  return answerChange(context, request, { verb: 'create', plan }, true);
}

async function replace(collection: Collection, context: ApiContext, request: ApiRequest): Promise<Reply> {
  const id = idOf(collection, request);
  const manifest = complete(collection, await readObject(request), request);
  const plan = (store: ResourceStore): readonly PlannedChange[] => {
    if (context.agent.fileOf(id) === undefined) requireVersion(requireObject(store, id), metadataOf(manifest));
    return [{ id, manifest: cleanManifest(manifest) }];
  };
  return answerChange(context, request, { verb: 'replace', plan }, true);
}

async function patch(collection: Collection, context: ApiContext, request: ApiRequest): Promise<Reply> {
  if (request.contentType === 'application/apply-patch+yaml') return apply(collection, context, request);
  const isMerge = request.contentType === 'application/merge-patch+json';
  if (!isMerge && request.contentType !== 'application/json-patch+json') {
    throw invalidRequest('content-type', 'is no kind of patch', {
      found: request.contentType,
      expected: PATCH_TYPES.join(', '),
    });
  }
  const id = idOf(collection, request);
  const value = await readJson(request);
  const plan = (store: ResourceStore): readonly PlannedChange[] => {
    if (context.agent.fileOf(id) !== undefined) return [{ id, manifest: {} }];
    const before = requireObject(store, id);
    if (isMerge && isPlain(value)) requireVersion(before, metadataOf(value));
    const patched = isMerge ? mergePatch(showStored(before), value) : jsonPatch(showStored(before), value);
    if (!isPlain(patched)) throw invalidRequest('patch', 'leaves no object');
    return [{ id, manifest: cleanManifest(complete(collection, patched, request)), applied: before.applied }];
  };
  return answerChange(context, request, { verb: 'patch', plan }, true);
}

async function apply(collection: Collection, context: ApiContext, request: ApiRequest): Promise<Reply> {
  const id = idOf(collection, request);
  const manifest = complete(collection, await readObject(request), request);
  const manager = request.query.get('fieldManager') ?? DEFAULT_MANAGER;
  const plan = (store: ResourceStore): readonly PlannedChange[] => [planApply(store, id, manifest, manager)];
  return answerChange(context, request, { verb: 'apply', plan }, true);
}

/** Creates the object or merges it into what is there. Throws CONFLICT when another version of it was meant, and LIMIT_EXCEEDED. */
export function planApply(
  store: ResourceStore,
  id: string,
  manifest: Manifest,
  manager = DEFAULT_MANAGER,
): PlannedChange {
  const before = store.get(id);
  requireManager(id, manager, before?.applied ?? {});
  const next = cleanManifest(manifest);
  const applied = { ...before?.applied, [manager]: next };
  if (before === undefined) return { id, manifest: next, applied };
  requireVersion(before, metadataOf(manifest));
  return { id, manifest: applyPatch(before.manifest, before.applied?.[manager], next), applied };
}

function requireManager(id: string, manager: string, applied: Readonly<Record<string, unknown>>): void {
  if (manager.length > MAX_MANAGER_LENGTH) {
    throw invalidRequest('fieldManager', 'is too long', { expected: `at most ${MAX_MANAGER_LENGTH} characters` });
  }
  if (Object.hasOwn(applied, manager) || Object.keys(applied).length < MAX_MANAGERS) return;
  throw new DataplaneError('LIMIT_EXCEEDED', 'has too many field managers', {
    operation: 'apply',
    target: id,
    found: `${MAX_MANAGERS} others`,
    expected: `at most ${MAX_MANAGERS}`,
    hint: 'apply it as one of those that have before',
  });
}

async function remove(collection: Collection, context: ApiContext, request: ApiRequest): Promise<Reply> {
  const id = idOf(collection, request);
  const text = await request.text();
  const options = text.trim() === '' ? {} : await readJson({ ...request, text: async () => text });
  const { preconditions } = isPlain(options) ? options : {};
  const resourceVersion = request.query.get('resourceVersion') ?? undefined;
  const meant = { resourceVersion, ...(isPlain(preconditions) ? preconditions : {}) };
  const plan = (store: ResourceStore): readonly PlannedChange[] => {
    if (context.agent.fileOf(id) === undefined || store.get(id) !== undefined)
      requireVersion(requireObject(store, id), meant);
    return [{ id, manifest: undefined }];
  };
  return answerChange(context, request, { verb: 'delete', plan });
}

function idOf({ type, isNamespaced }: Collection, { params }: Pick<ApiRequest, 'params'>): string {
  return resourceId(type, isNamespaced ? params.namespace : undefined, params.name ?? '');
}

function requireObject(store: ResourceStore, id: string): StoredObject {
  const object = store.get(id);
  if (object !== undefined) return object;
  throw new DataplaneError('NOT_FOUND', 'no such object', { operation: 'find', target: id });
}

/** Throws CONFLICT unless it is the version, and the object, that is meant; either may be left open. */
function requireVersion(
  { id, revision, uid }: StoredObject,
  meant: { readonly resourceVersion?: unknown; readonly uid?: unknown },
): void {
  const wanted = meant.resourceVersion ?? '';
  const isMeant = (wanted === '' || wanted === String(revision)) && (meant.uid === undefined || meant.uid === uid);
  if (isMeant) return;
  throw new DataplaneError('CONFLICT', 'has changed since', {
    operation: 'change',
    target: id,
    found: `resourceVersion ${revision}, uid ${uid}`,
    expected: `resourceVersion ${String(wanted) || 'any'}, uid ${String(meant.uid ?? 'any')}`,
    hint: 'read it again and repeat the change',
  });
}

/** The body with what its path says; throws INVALID_REQUEST where they contradict each other. */
function complete(collection: Collection, value: Manifest, { params }: ApiRequest): Manifest {
  const { apiVersion, kind, isNamespaced } = collection;
  requireSame('apiVersion', value.apiVersion, apiVersion);
  requireSame('kind', value.kind, kind);
  if (value.metadata !== undefined && !isPlain(value.metadata)) throw invalidRequest('metadata', 'is not a mapping');
  const metadata = isPlain(value.metadata) ? value.metadata : {};
  const place = { ...(isNamespaced ? { namespace: params.namespace } : {}), ...(params.name && { name: params.name }) };
  for (const [field, expected] of Object.entries(place)) requireSame(`metadata.${field}`, metadata[field], expected);
  return { ...value, apiVersion, kind, metadata: { ...metadata, ...place } };
}

function requireSame(field: string, value: unknown, expected: string | undefined): void {
  if (value === undefined || value === '' || value === expected) return;
  throw invalidRequest('body', 'contradicts the path', { field, found: JSON.stringify(value), expected });
}

function metadataOf({ metadata }: Manifest): Readonly<Record<string, unknown>> {
  return isPlain(metadata) ? metadata : {};
}

function nameOf(manifest: Manifest): string {
  const { name } = metadataOf(manifest);
  if (typeof name === 'string' && name !== '') return name;
  throw invalidRequest('body', 'has no name', { field: 'metadata.name' });
}
