// Lists of a collection, page by page, and watches: what is there, and every change as it comes, of the store and of manifest
// files. An object that a file defines has no version of its own in a list; in a watch it has that of the change.
import { manifestOf } from '../../live-manifests.ts';
import type { FileObject, HistoryEntry } from '../../store/history.ts';
import { isPlain, type Manifest } from '../../store/manifest.ts';
import { type StoredObject, showFileObject, showStored } from '../../store/stored-object.ts';
import { flagOf, numberOf } from '../change-options.ts';
import type { Collection } from '../collections.ts';
import { invalidRequest } from '../failure.ts';
import { withLiveStatus } from '../live-status.ts';
import type { ApiAgent, ApiRequest, Handler, QueryName, Reply } from '../route.ts';
import { headOf, type Match, parseSelectors } from '../selectors.ts';
import { type Stored, WatchFeed } from '../watch-feed.ts';

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

/** A timer that is set for longer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

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
    const events = new WatchEvents(collection, isWanted, (id, shown) => withLiveStatus(agent, id, shown));
    const parts = {
      store,
      stream: responder.stream(),
      prefix: `${collection.type}/`,
      eventsOf: (entry: HistoryEntry, stored: Stored) => events.of(entry, stored),
      bookmarkAt: (at: number) => events.bookmarkAt(at),
    };
    const feed = new WatchFeed(parts, revision > 0 ? revision : store.revision);
    const there = revision > 0 ? undefined : find(agent, collection, isWanted);
    feed.start(there && addedOf(there));
    const endMs = seconds === undefined ? undefined : Math.min(seconds * 1000, MAX_TIMER_MS);
    const end = endMs === undefined ? undefined : setTimeout(() => responder.response.end(), endMs);
    parts.stream.onEnd(() => clearTimeout(end));
    return undefined;
  };
}

function* addedOf(found: readonly Found[]): Generator<object> {
  for (const { show } of found) yield { type: 'ADDED', object: show() };
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

class WatchEvents {
  readonly #collection: Collection;
  readonly #isWanted: Wanted;
  readonly #withStatus: (id: string, shown: Manifest) => Manifest;

  constructor(collection: Collection, isWanted: Wanted, withStatus: (id: string, shown: Manifest) => Manifest) {
    this.#collection = collection;
    this.#isWanted = isWanted;
    this.#withStatus = withStatus;
  }

  *of({ verb, revision, changes }: HistoryEntry, stored: Stored): Generator<object> {
    for (const { id, before, after, isCovered } of changes) {
      if (!id.startsWith(`${this.#collection.type}/`) || isCovered === true) continue;
      const below = verb === 'edit' ? stored(id) : undefined;
      yield* this.#ofChange({ id, before: before ?? below, after: after ?? below }, revision);
    }
  }

  /** From there a watch can be taken up again. */
  bookmarkAt(revision: number): object {
    const { apiVersion, kind } = this.#collection;
    return { type: 'BOOKMARK', object: { apiVersion, kind, metadata: { resourceVersion: String(revision) } } };
  }

  /** What comes to match is added, what does so no longer is deleted. */
  *#ofChange({ id, before, after }: VersionChange, revision: number): Generator<object> {
    const was = before !== undefined && this.#isWanted(id, headOf(before));
    const is = after !== undefined && this.#isWanted(id, headOf(after));
    if (is && after !== undefined) {
      yield { type: was ? 'MODIFIED' : 'ADDED', object: this.#withStatus(id, show(after, revision)) };
    } else if (was && before !== undefined) {
      yield { type: 'DELETED', object: show({ ...(after ?? before), revision }, revision) };
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
