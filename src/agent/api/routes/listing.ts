// Lists of a collection, page by page, and watches: what is there, and every change as it comes, of the store and of manifest
// files. An object that a file defines has no version of its own in a list; in a watch it has that of the change.
import type { Resource } from '../../../resources/resource.ts';
import { manifestOf } from '../../live-manifests.ts';
import { type FileObject, type HistoryEntry, stateBefore } from '../../store/history.ts';
import { isPlain, type Manifest } from '../../store/manifest.ts';
import type { ResourceStore } from '../../store/resource-store.ts';
import { type StoredObject, showFileObject, showStored } from '../../store/stored-object.ts';
import { flagOf, numberOf } from '../change-options.ts';
import type { Collection } from '../collections.ts';
import { invalidRequest } from '../failure.ts';
import { withLiveStatus } from '../live-status.ts';
import type { ApiAgent, ApiRequest, Handler, QueryName, Reply, Stream } from '../route.ts';
import { type Match, parseSelectors } from '../selectors.ts';

export const LIST_QUERY: readonly QueryName[] = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'watch',
  'resourceVersion',
  'timeoutSeconds',
  'allowWatchBookmarks',
];

const BOOKMARK_MS = 15_000;

interface Found {
  readonly id: string;
  readonly show: () => Manifest;
}

type Wanted = (id: string, object: Parameters<Match>[0]) => boolean;

export function listOrWatch(collection: Collection): Handler {
  return async ({ agent }, request, responder) => {
    await agent.loaded;
    const isWanted = wantedBy(collection, request);
    if (!flagOf(request.query, 'watch')) return list(agent, collection, request, isWanted);
    const revision = numberOf(request.query, 'resourceVersion', 0) ?? 0;
    const seconds = numberOf(request.query, 'timeoutSeconds', 1);
    const { store } = agent.stored;
    if (revision > 0) store.requireHistory(revision);
    const stream = responder.stream();
    const watch = new Watch(stream, collection, isWanted, (id, shown) => withLiveStatus(agent, id, shown));
    if (revision > 0) catchUp(watch, store, revision);
    else for (const { show } of find(agent, collection, isWanted)) stream.writeLine({ type: 'ADDED', object: show() });
    const stop = store.listen((entry) => watch.send(entry, (id) => store.get(id)));
    const bookmarks = setInterval(() => watch.bookmark(store.revision), BOOKMARK_MS);
    const end = seconds === undefined ? undefined : setTimeout(() => responder.response.end(), seconds * 1000);
    stream.onEnd(() => {
      stop();
      clearInterval(bookmarks);
      clearTimeout(end);
    });
    watch.bookmark(store.revision);
    return undefined;
  };
}

/** What the store has under that id: a file that defines the object as well counts in its place. */
type Stored = (id: string) => StoredObject | undefined;

/** Sends what came after the revision; of what a file covered or uncovered, with what the store had of it then. */
function catchUp(watch: Watch, store: ResourceStore, revision: number): void {
  const then = stateBefore(entriesBackTo(store, revision));
  for (const entry of store.entriesAfter(revision)) {
    watch.send(entry, (id) => (then.has(id) ? then.get(id) : store.get(id)));
    if (entry.verb !== 'edit') for (const { id, after } of entry.changes) then.set(id, after);
  }
}

function* entriesBackTo(store: ResourceStore, revision: number): Generator<HistoryEntry> {
  for (const entry of store.entriesBack()) {
    if (entry.revision <= revision) return;
    yield entry;
  }
}

function list(agent: ApiAgent, collection: Collection, { query }: ApiRequest, isWanted: Wanted): Reply {
  const limit = numberOf(query, 'limit', 1) ?? Number.POSITIVE_INFINITY;
  const token = parseToken(query.get('continue'));
  const { revision } = agent.stored.store;
  const all = find(agent, collection, isWanted);
  const rest = token === undefined ? all : all.filter(({ id }) => id > token.after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const resourceVersion = String(token?.revision ?? revision);
  const next = last === undefined || items.length === rest.length ? undefined : { revision, after: last.id };
  const remaining = next && {
    continue: Buffer.from(JSON.stringify({ ...next, revision: Number(resourceVersion) })).toString('base64url'),
    remainingItemCount: rest.length - items.length,
  };
  const { apiVersion, kind } = collection;
  const metadata = { resourceVersion, ...remaining };
  return { body: { apiVersion, kind: `${kind}List`, metadata, items: items.map(({ show }) => show()) } };
}

/** In force or stored, by id. What a file defines is not taken from the store. */
function find(agent: ApiAgent, { type }: Collection, isWanted: Wanted): Found[] {
  const found: Found[] = [];
  for (const resource of agent.resources()) {
    if (resource.type !== type || agent.fileOf(resource.id) === undefined || !isWanted(resource.id, resource)) continue;
    const { id } = resource;
    found.push({ id, show: () => withLiveStatus(agent, id, showFileObject(manifestOf(resource), resource.location)) });
  }
  for (const object of agent.stored.store.objects(`${type}/`)) {
    if (!object.id.startsWith(`${type}/`)) break;
    if (agent.fileOf(object.id) !== undefined || !isWanted(object.id, headOf(object))) continue;
    found.push({ id: object.id, show: () => withLiveStatus(agent, object.id, showStored(object)) });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

interface VersionChange {
  readonly id: string;
  readonly before: FileObject | StoredObject | undefined;
  readonly after: FileObject | StoredObject | undefined;
}

class Watch {
  readonly #stream: Stream;
  readonly #collection: Collection;
  readonly #isWanted: Wanted;
  readonly #withStatus: (id: string, shown: Manifest) => Manifest;

  constructor(
    stream: Stream,
    collection: Collection,
    isWanted: Wanted,
    withStatus: (id: string, shown: Manifest) => Manifest,
  ) {
    this.#stream = stream;
    this.#collection = collection;
    this.#isWanted = isWanted;
    this.#withStatus = withStatus;
  }

  send({ verb, revision, changes }: HistoryEntry, stored: Stored): void {
    for (const { id, before, after } of changes) {
      if (!id.startsWith(`${this.#collection.type}/`)) continue;
      const below = verb === 'edit' ? stored(id) : undefined;
      this.#sendChange({ id, before: before ?? below, after: after ?? below }, revision);
    }
  }

  /** From there a watch can be taken up again. */
  bookmark(revision: number): void {
    const { apiVersion, kind } = this.#collection;
    this.#stream.writeLine({
      type: 'BOOKMARK',
      object: { apiVersion, kind, metadata: { resourceVersion: String(revision) } },
    });
  }

  /** What comes to match is added, what does so no longer is deleted. */
  #sendChange({ id, before, after }: VersionChange, revision: number): void {
    const was = before !== undefined && this.#isWanted(id, headOf(before));
    const is = after !== undefined && this.#isWanted(id, headOf(after));
    if (is && after !== undefined) {
      const object = this.#withStatus(id, show(after, revision));
      this.#stream.writeLine({ type: was ? 'MODIFIED' : 'ADDED', object });
    } else if (was && before !== undefined) {
      this.#stream.writeLine({ type: 'DELETED', object: show({ ...(after ?? before), revision }, revision) });
    }
  }
}

/** What a file defines has the version of the change; what the store has, its own. */
function show(version: FileObject | StoredObject, revision: number): Manifest {
  if (!('location' in version)) return showStored(version);
  const { metadata, ...content } = showFileObject(version.manifest, version.location);
  return { ...content, metadata: { ...(metadata as object), resourceVersion: String(revision) } };
}

function wantedBy({ isNamespaced }: Collection, { params, query }: ApiRequest): Wanted {
  const match = parseSelectors(query.get('labelSelector'), query.get('fieldSelector'));
  const { namespace } = params;
  return (_, object) => (!isNamespaced || namespace === undefined || object.namespace === namespace) && match(object);
}

function headOf({ id, manifest }: FileObject | StoredObject): Pick<Resource, 'name' | 'namespace' | 'metadata'> {
  const [, namespace = '', name = ''] = id.split('/');
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const labels = isPlain(metadata.labels) ? (metadata.labels as Record<string, string>) : {};
  return { name, ...(namespace === '' ? {} : { namespace }), metadata: { labels, annotations: {} } };
}

function parseToken(text: string | null): { readonly revision: number; readonly after: string } | undefined {
  if (text === null || text === '') return undefined;
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (isPlain(token) && typeof token.after === 'string' && Number.isSafeInteger(token.revision)) {
      return { revision: token.revision as number, after: token.after };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw invalidRequest('continue', 'is not what a list has given', { found: text.slice(0, 80) });
}
