// The resources of a running agent as commands work with them: objects by type, namespace and name, changes with their
// options, history. One method for each thing the API does; see docs/api.md.
import { COLLECTIONS, type Collection, collectionPath } from '../agent/api/collections.ts';
import { NOT_IN_FORCE_HEADER } from '../agent/api/headers.ts';
import { sshConnectionOf } from '../agent/ssh-connection.ts';
import type { ChangeTraffic } from '../agent/store/change-traffic.ts';
import type { Confirmation } from '../agent/store/confirmation.ts';
import type { EditedObject, HistoryEntry } from '../agent/store/history.ts';
import type { Manifest } from '../agent/store/manifest.ts';
import type { ResourceType } from '../resources/resource.ts';
import { type AgentAnswer, type AgentRequest, followAgent, sendToAgent } from './agent-client.ts';
import { EXIT } from './exit-codes.ts';
import { printWarning } from './output.ts';

export interface ObjectRef {
  readonly type: ResourceType;
  /** Of a namespaced kind; a list without it is of every namespace. */
  readonly namespace?: string;
  readonly name: string;
}

export type CollectionRef = Omit<ObjectRef, 'name'>;

export interface ChangeFlags {
  readonly isDryRun?: boolean;
  /** Even if it cuts the connection it comes through. */
  readonly isForced?: boolean;
  /** Such as 60s: undone after so long unless confirmed. */
  readonly confirm?: string;
  readonly fieldManager?: string;
  /** Labels: objects that have them and are not applied are deleted by the same change. */
  readonly prune?: string;
}

export interface ChangeReport {
  readonly revision: string;
  readonly dryRun: boolean;
  readonly confirmation?: { readonly revision: number; readonly expires: string };
  readonly changes: readonly {
    readonly id: string;
    readonly result: 'created' | 'configured' | 'unchanged' | 'deleted';
    readonly object: Manifest | null;
  }[];
  /** Of a rollback: what files define otherwise than they did then, which stays. */
  readonly kept?: readonly EditedObject[];
  /** Stored and not in force yet. */
  readonly inForce?: false;
  /** Why it is not. */
  readonly error?: string;
  /** Of an import: what is left out, because it cannot be stored. */
  readonly skipped?: readonly { readonly id: string; readonly reason: string }[];
  /** As `tortie diff --output json` prints it. */
  readonly difference?: unknown;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Manifest;
}

export interface HistoryPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly (Omit<HistoryEntry, 'changes'> & {
    readonly changes: readonly { readonly id: string; readonly result: string }[];
  })[];
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

const PAGE = 500;
/** For everything at once: an agent may have 64 MiB of it to check. */
const ALL_MS = 300_000;
const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export class ResourceClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Throws NOT_FOUND. */
  async get(ref: ObjectRef): Promise<Manifest> {
    return this.#ask('GET', pathOf(ref));
  }

  /** All objects, page by page. */
  async list(ref: CollectionRef, options: ListOptions = {}): Promise<{ items: Manifest[]; resourceVersion: string }> {
    const items: Manifest[] = [];
    for (let token: string | undefined; ; ) {
      const page = await this.#ask<{
        metadata: { resourceVersion: string; continue?: string };
        items: Manifest[];
      }>('GET', pathOf(ref), { query: { ...options, limit: PAGE, continue: token } });
      items.push(...page.items);
      token = page.metadata.continue;
      if (token === undefined) return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  /** Changes after a resourceVersion, as they come; without one, what is there first. Throws REVISION_GONE. */
  async *watch(
    ref: CollectionRef,
    options: ListOptions & { readonly resourceVersion?: string; readonly timeoutSeconds?: number } = {},
  ): AsyncGenerator<WatchEvent> {
    const query = { ...options, watch: true };
    for await (const line of followAgent(this.#socket, pathOf(ref), query)) yield JSON.parse(line) as WatchEvent;
  }

  /** Throws ALREADY_EXISTS, and what is wrong with the object. */
  create({ type, namespace }: CollectionRef, object: Manifest, flags: ChangeFlags = {}): Promise<Manifest> {
    return this.#ask('POST', pathOf({ type, namespace }), { body: object, query: queryOf(flags) });
  }

  /** Throws NOT_FOUND, and CONFLICT when the object's resourceVersion is another. */
  replace(ref: ObjectRef, object: Manifest, flags: ChangeFlags = {}): Promise<Manifest> {
    return this.#ask('PUT', pathOf(ref), { body: object, query: queryOf(flags) });
  }

  patch(ref: ObjectRef, kind: keyof typeof PATCH_TYPES, patch: unknown, flags: ChangeFlags = {}): Promise<Manifest> {
    return this.#ask('PATCH', pathOf(ref), { body: patch, contentType: PATCH_TYPES[kind], query: queryOf(flags) });
  }

  delete(ref: ObjectRef, flags: ChangeFlags & { readonly resourceVersion?: string } = {}): Promise<ChangeReport> {
    const { resourceVersion } = flags;
    return this.#ask('DELETE', pathOf(ref), { query: { ...queryOf(flags), resourceVersion } });
  }

  /** Every object of a YAML stream, or of a JSON list, as one change. */
  applyAll(yaml: string, flags: ChangeFlags & { readonly withDiff?: boolean } = {}): Promise<ChangeReport> {
    return this.#sendAll('/apply', yaml, flags);
  }

  /** The store holds exactly these objects afterwards. */
  importAll(yaml: string, flags: ChangeFlags & { readonly withDiff?: boolean } = {}): Promise<ChangeReport> {
    return this.#sendAll('/import', yaml, flags, ALL_MS);
  }

  exportAll(): Promise<string> {
    return this.#ask('GET', '/export', { timeoutMs: ALL_MS });
  }

  /** The latest first. */
  history(limit?: number, from?: string): Promise<HistoryPage> {
    return this.#ask('GET', '/history', { query: { limit, continue: from } });
  }

  historyEntry(revision: string): Promise<HistoryEntry> {
    return this.#ask('GET', `/history/${encodeURIComponent(revision)}`);
  }

  /** Counts of stored flows around the change; window such as 1h. */
  changeTraffic(revision: string, window?: string): Promise<ChangeTraffic> {
    return this.#ask('GET', `/history/${encodeURIComponent(revision)}/traffic`, { query: { window } });
  }

  rollBack(revision: string, flags: ChangeFlags = {}): Promise<ChangeReport> {
    return this.#ask('POST', '/rollback', { body: { revision }, query: queryOf(flags) });
  }

  confirm(revision: string): Promise<HistoryEntry> {
    return this.#ask('POST', `/confirm/${encodeURIComponent(revision)}`);
  }

  /** The change that awaits a confirmation. */
  async pending(): Promise<Confirmation | undefined> {
    const status = await this.#ask<{ readonly store?: { readonly pending: Confirmation | null } | null }>(
      'GET',
      '/v1/status',
    );
    return status.store?.pending ?? undefined;
  }

  #sendAll(
    path: string,
    yaml: string,
    flags: ChangeFlags & { readonly withDiff?: boolean },
    timeoutMs?: number,
  ): Promise<ChangeReport> {
    const query = { ...queryOf(flags), diff: flags.withDiff };
    return this.#ask('POST', path, { body: yaml, contentType: 'application/yaml', query, timeoutMs });
  }

  async #ask<T>(method: AgentRequest['method'], path: string, rest: Partial<AgentRequest> = {}): Promise<T> {
    const answer: AgentAnswer<T> = await sendToAgent(this.#socket, { method, path, ...rest });
    if (answer.headers[NOT_IN_FORCE_HEADER] !== undefined) warnNotInForce(answer.body);
    return answer.body;
  }
}

/** What the agent has stored counts, but packets are judged as before until it could be put in force. */
function warnNotInForce(body: unknown): void {
  const { error } = body as Partial<ChangeReport>;
  printWarning(
    `the change is stored and not in force yet${typeof error === 'string' ? `: ${error}` : ''}; it is tried again: tortie status`,
  );
  process.exitCode = EXIT.NOT_READY;
}

function queryOf({
  isDryRun,
  isForced,
  confirm,
  fieldManager,
  prune,
}: ChangeFlags): NonNullable<AgentRequest['query']> {
  const session = sshConnectionOf(process.pid) || undefined;
  return { dryRun: isDryRun === true ? 'All' : undefined, force: isForced, confirm, fieldManager, prune, session };
}

function pathOf(ref: CollectionRef & { readonly name?: string }): string {
  const collection = COLLECTIONS.find(({ type }) => type === ref.type) as Collection;
  const [namespace, name] = [ref.namespace, ref.name].map((part) => part && encodeURIComponent(part));
  const isPlaced = collection.isNamespaced && (namespace !== undefined || name !== undefined);
  return collectionPath(collection, isPlaced ? (namespace ?? 'default') : undefined, name);
}
