// Many objects in one change, and all of them at once: apply, export, import. Either everything in a request is in force
// afterwards or nothing of it.
import { stringify } from 'yaml';
import { isEqual } from '../../../base/equal.ts';
import { DataplaneError } from '../../../base/errors.ts';
import { findKind } from '../../../resources/kinds.ts';
import { type Resource, type ResourceType, resourceId } from '../../../resources/resource.ts';
import { manifestOf } from '../../live-manifests.ts';
import type { PlannedChange } from '../../store/change-desk.ts';
import { isPlain, type Manifest } from '../../store/manifest.ts';
import type { ResourceStore } from '../../store/resource-store.ts';
import { cleanManifest, readResource } from '../../store/stored-object.ts';
import { readObjects } from '../body.ts';
import { answerChange, CHANGE_QUERY } from '../change-options.ts';
import { isWritableType } from '../collections.ts';
import type { ApiAgent, ApiContext, ApiRequest, Reply, Route } from '../route.ts';
import { headOf, type Match, parseSelectors } from '../selectors.ts';
import { planApply } from './resources.ts';

const BODY = { contentTypes: ['application/yaml', 'application/json'], schema: 'Manifests' };

/** What takes an agent seconds, in which it does nothing else; its watchdog waits for a minute. */
const MAX_IMPORT_BYTES = 64 * 1024 * 1024;

export const TRANSFER_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/apply',
    id: 'apply',
    summary: 'Create or merge every object of a YAML stream or JSON list, as one change',
    query: [...CHANGE_QUERY, 'fieldManager', 'prune'],
    body: BODY,
    answer: { schema: 'ChangeReport' },
    handle: applyAll,
  },
  {
    method: 'GET',
    path: '/export',
    id: 'export',
    summary: 'Everything in force, of the store and of files, as a YAML stream',
    answer: { contentType: 'application/yaml' },
    handle: exportAll,
  },
  {
    method: 'POST',
    path: '/import',
    id: 'import',
    summary:
      'Make the store hold exactly these objects, as one change; what files define must be as they define it; skipped = objects of kinds that only files can define',
    query: CHANGE_QUERY,
    body: BODY,
    answer: { schema: 'ChangeReport' },
    handle: importAll,
  },
];

interface Named {
  readonly id: string;
  readonly manifest: Manifest;
}

async function applyAll(context: ApiContext, request: ApiRequest): Promise<Reply> {
  const objects = (await readObjects(request)).map(nameObject);
  requireDistinct(objects);
  const manager = request.query.get('fieldManager') ?? undefined;
  const prune = request.query.get('prune');
  const isPruned = prune === null ? undefined : parseSelectors(prune, null);
  const plan = (store: ResourceStore): readonly PlannedChange[] => [
    ...(isPruned === undefined ? [] : planPrune(context.agent, store, isPruned, objects)),
    ...objects.map(({ id, manifest }) => planApply(store, id, manifest, manager)),
  ];
  return answerChange(context, request, { verb: 'apply', plan });
}

/** What the selector chooses and is not among the objects goes; what a file defines as well is the file's. */
function planPrune(agent: ApiAgent, store: ResourceStore, isPruned: Match, objects: readonly Named[]): PlannedChange[] {
  const kept = new Set(objects.map(({ id }) => id));
  return [...store.objects()]
    .filter((object) => !kept.has(object.id) && agent.fileOf(object.id) === undefined && isPruned(headOf(object)))
    .map(({ id }) => ({ id, manifest: undefined }));
}

async function exportAll({ agent }: ApiContext): Promise<Reply> {
  await agent.loaded;
  const objects: Manifest[] = [];
  for (const resource of agent.resources())
    if (agent.fileOf(resource.id) !== undefined) objects.push(manifestOf(resource));
  for (const { id, manifest } of agent.stored.store.objects()) {
    if (agent.fileOf(id) === undefined) objects.push(cleanManifest(manifest));
  }
  const text = objects.map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false })}`).join('');
  return { text, contentType: 'application/yaml' };
}

async function importAll(context: ApiContext, request: ApiRequest): Promise<Reply> {
  const objects = (await readObjects(request, MAX_IMPORT_BYTES)).map(nameObject);
  requireDistinct(objects);
  await context.agent.loaded;
  const files = fileObjects(context.agent);
  const isSkipped = ({ id }: Named): boolean => !files.has(id) && !isWritableType(typeOf(id));
  const wanted = objects.filter((named) => !isSkipped(named) && !isAsInFile(files.get(named.id), named.manifest));
  const names = new Set(objects.map(({ id }) => id));
  const plan = (store: ResourceStore): readonly PlannedChange[] => {
    const gone = [...store.objects()].filter(({ id }) => !names.has(id) && !files.has(id));
    return [
      ...gone.map(({ id }): PlannedChange => ({ id, manifest: undefined })),
      ...wanted.map(({ id, manifest }): PlannedChange => ({ id, manifest: cleanManifest(manifest) })),
    ];
  };
  const reply = await answerChange(context, request, { verb: 'import', plan });
  const skipped = objects.filter(isSkipped).map(({ id }) => ({ id, reason: 'only manifest files can define it' }));
  return skipped.length === 0 ? reply : { ...reply, body: { ...(reply.body as object), skipped } };
}

function typeOf(id: string): ResourceType {
  return id.slice(0, id.indexOf('/')) as ResourceType;
}

function fileObjects(agent: ApiAgent): Map<string, Resource> {
  const objects = [...agent.resources()].filter(({ id }) => agent.fileOf(id) !== undefined);
  return new Map(objects.map((resource) => [resource.id, resource]));
}

function isAsInFile(inFile: Resource | undefined, manifest: Manifest): boolean {
  if (inFile === undefined) return false;
  const { metadata, spec } = readResource(manifest);
  return isEqual(metadata, inFile.metadata) && isEqual(spec, inFile.spec);
}

/** The object with its namespace and id. Throws what readResource does for a kind that is not known. */
function nameObject(value: Manifest): Named {
  const { apiVersion, kind } = value;
  const metadata = isPlain(value.metadata) ? value.metadata : {};
  const definition =
    typeof apiVersion === 'string' && typeof kind === 'string' ? findKind(apiVersion, kind) : undefined;
  if (definition === undefined || typeof metadata.name !== 'string') {
    const { id } = readResource(value);
    return { id, manifest: value };
  }
  if (!definition.isNamespaced) return { id: resourceId(definition.type, undefined, metadata.name), manifest: value };
  const given = metadata.namespace;
  const namespace = typeof given === 'string' && given !== '' ? given : 'default';
  const id = resourceId(definition.type, namespace, metadata.name);
  return { id, manifest: { ...value, metadata: { ...metadata, namespace } } };
}

function requireDistinct(objects: readonly Named[]): void {
  const seen = new Set<string>();
  for (const { id } of objects) {
    if (seen.has(id)) {
      throw new DataplaneError('DUPLICATE_NAME', 'is there twice', { operation: 'read request', target: id });
    }
    seen.add(id);
  }
}
