// What was changed, by whom, and the way back: history, rollback, confirmation.
import { z } from 'zod';
import { DataplaneError } from '../../../base/errors.ts';
import { trafficOf } from '../../store/change-traffic.ts';
import type { FileObject, HistoryEntry } from '../../store/history.ts';
import type { Manifest } from '../../store/manifest.ts';
import { type StoredObject, showFileObject, showStored } from '../../store/stored-object.ts';
import { readJson } from '../body.ts';
import { CHANGE_QUERY, changeOptions, describeResult, numberOf, outcomeOf } from '../change-options.ts';
import { invalidRequest } from '../failure.ts';
import type { ApiContext, ApiRequest, Reply, Route } from '../route.ts';

const DEFAULT_LIMIT = 50;
/** A page ends with the entry with which those read for it take so much in the store. */
const PAGE_BYTES = 8 * 1024 * 1024;
const DEFAULT_WINDOW = '1h';
const WINDOW_UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_WINDOW_MS = 30 * 86_400_000;
const rollbackBody = z.strictObject({ revision: z.union([z.number().int().min(0), z.string().regex(/^\d+$/)]) });

export const HISTORY_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/history',
    id: 'listHistory',
    summary:
      'Changes of the store and of manifest files, the latest first; continue = the revision before which the page begins',
    query: ['limit', 'continue'],
    answer: { schema: 'HistoryList' },
    handle: listHistory,
  },
  {
    method: 'GET',
    path: '/history/{revision}',
    id: 'getHistory',
    summary: 'One change, with every object before and after it',
    answer: { schema: 'HistoryEntry' },
    handle: getEntry,
  },
  {
    method: 'GET',
    path: '/history/{revision}/traffic',
    id: 'getChangeTraffic',
    summary: 'What the policies of a change decided before it and after it, from the flows that are stored',
    query: ['window'],
    answer: { schema: 'ChangeTraffic' },
    handle: getTraffic,
  },
  {
    method: 'POST',
    path: '/rollback',
    id: 'rollback',
    summary:
      'Bring all stored objects back as they were at a revision, as a change of its own; kept = objects that files define otherwise than then, which stay; DEFINED_IN_FILE when nothing else has changed',
    query: CHANGE_QUERY.filter((name) => name !== 'diff'),
    body: { contentTypes: ['application/json'], schema: 'RollbackRequest' },
    answer: { schema: 'ChangeReport' },
    handle: rollBack,
  },
  {
    method: 'POST',
    path: '/confirm/{revision}',
    id: 'confirm',
    summary: 'Let a change stay that was made with confirm',
    answer: { schema: 'HistoryEntry' },
    handle: confirm,
  },
];

async function listHistory({ agent }: ApiContext, { query }: ApiRequest): Promise<Reply> {
  await agent.loaded;
  const { store } = agent.stored;
  const limit = numberOf(query, 'limit', 1) ?? DEFAULT_LIMIT;
  const items: Summary[] = [];
  for (const entry of store.pageBack(numberOf(query, 'continue', 1), limit, PAGE_BYTES)) items.push(summarize(entry));
  const last = items.at(-1)?.revision ?? 0;
  const hasMore = last > 0 && store.hasEntryBefore(last);
  const metadata = { resourceVersion: String(store.revision), ...(hasMore ? { continue: String(last) } : {}) };
  return { body: { kind: 'HistoryList', apiVersion: 'tortie.io/v1', metadata, items } };
}

async function getEntry({ agent }: ApiContext, { params }: ApiRequest): Promise<Reply> {
  await agent.loaded;
  const entry = agent.stored.store.entry(revisionOf(params.revision));
  if (entry === undefined) throw unknownRevision(params.revision);
  return { body: describeEntry(entry) };
}

async function getTraffic({ agent }: ApiContext, { params, query }: ApiRequest): Promise<Reply> {
  await agent.loaded;
  const entry = agent.stored.store.entry(revisionOf(params.revision));
  if (entry === undefined) throw unknownRevision(params.revision);
  const traffic = await trafficOf(entry, agent.flows.store.store, windowOf(query.get('window') ?? DEFAULT_WINDOW));
  return { body: { kind: 'ChangeTraffic', apiVersion: 'tortie.io/v1', ...traffic } };
}

/** Milliseconds. Throws INVALID_REQUEST. */
function windowOf(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (WINDOW_UNIT_MS[unit] ?? Number.NaN);
  if (ms <= MAX_WINDOW_MS) return ms;
  throw invalidRequest('window', 'is not a time', { found: text, expected: '90s, 30m, 1h, at most 30d' });
}

async function rollBack(context: ApiContext, request: ApiRequest): Promise<Reply> {
  const body = rollbackBody.safeParse(await readJson(request));
  if (!body.success) throw invalidRequest('rollback', z.prettifyError(body.error));
  await context.agent.loaded;
  const options = changeOptions(request);
  const { desk } = context.agent.stored;
  const result = await desk.rollBack(Number(body.data.revision), { ...options, actor: request.actor });
  return describeResult(result, options.isDryRun === true);
}

async function confirm({ agent }: ApiContext, { params, actor }: ApiRequest): Promise<Reply> {
  await agent.loaded;
  return { body: describeEntry(await agent.stored.desk.confirm(revisionOf(params.revision), actor)) };
}

interface Summary extends Pick<HistoryEntry, 'revision'> {
  readonly changes: readonly object[];
}

/** Without the objects: a page of them would be tens of MiB. */
function summarize({ changes, ...entry }: HistoryEntry): Summary {
  return { ...entry, changes: changes.map((change) => ({ id: change.id, result: outcomeOf(change) })) };
}

function describeEntry({ changes, ...entry }: HistoryEntry): object {
  return {
    kind: 'HistoryEntry',
    apiVersion: 'tortie.io/v1',
    ...entry,
    changes: changes.map((change) => ({
      id: change.id,
      result: outcomeOf(change),
      before: shown(change.before),
      after: shown(change.after),
    })),
  };
}

function shown(object: FileObject | StoredObject | undefined): Manifest | null {
  if (object === undefined) return null;
  return 'location' in object ? showFileObject(object.manifest, object.location) : showStored(object);
}

function revisionOf(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  throw unknownRevision(text);
}

function unknownRevision(text: string | undefined): DataplaneError {
  return new DataplaneError('NOT_FOUND', 'no such revision in history', {
    operation: 'find',
    target: `revision ${text}`,
  });
}
