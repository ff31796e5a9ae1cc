// Flows: those that are stored, page by page or summed up, and those that come.
import { EVERY_FLOW, type FlowFilter } from '../../../observe/flow-query/filter.ts';
import { FILTER_OPTIONS, filterOfOptions } from '../../../observe/flow-query/filter-options.ts';
import { predicateOf } from '../../../observe/flow-query/predicate.ts';
import { parseTime, TIME_EXPECTED } from '../../../observe/flow-query/time.ts';
import type { StoredLog } from '../../../observe/flow-store/decode.ts';
import { formatFlowId, parseFlowId } from '../../../observe/flow-store/flow-id.ts';
import {
  FLOW_SORTS,
  type FlowSort,
  type PagePlace,
  type TimeWindow,
  TOP_KEYS,
  TOP_MEASURES,
} from '../../../observe/flow-store/question.ts';
import type { FlowLog } from '../../../observe/flows/flow-log.ts';
import { numberOf } from '../change-options.ts';
import { invalidRequest } from '../failure.ts';
import { parameterOf } from '../flow-query.ts';
import type { ApiContext, ApiRequest, QueryName, Reply, Responder, Route } from '../route.ts';

const FILTER_QUERY = [...FILTER_OPTIONS.map(({ name }) => parameterOf(name)), 'filter'] as QueryName[];
const WINDOW_QUERY: readonly QueryName[] = ['since', 'until'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

export const FLOW_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/flows',
    id: 'listFlows',
    summary: 'Stored flow logs; continue = where the page before ended, in the order of time',
    query: [...FILTER_QUERY, ...WINDOW_QUERY, 'last', 'limit', 'continue', 'sort'],
    answer: { schema: 'FlowList' },
    handle: listFlows,
  },
  {
    method: 'GET',
    path: '/flows/stream',
    id: 'followFlows',
    summary: 'Flow logs as they come, one JSON object a line; what a slow reader cannot take is left out and counted',
    query: FILTER_QUERY,
    answer: { contentType: 'application/x-ndjson' },
    handle: followFlows,
  },
  {
    method: 'GET',
    path: '/flows/top',
    id: 'sumFlows',
    summary: 'Stored flow logs summed up, the greatest first; what both ends report is counted once',
    query: [...FILTER_QUERY, ...WINDOW_QUERY, 'by', 'measure', 'limit'],
    answer: { schema: 'FlowSums' },
    handle: sumFlows,
  },
  {
    method: 'GET',
    path: '/flows/graph',
    id: 'getFlowGraph',
    summary: 'Who speaks to whom: nodes, and edges by protocol and port with what went over them',
    query: [...FILTER_QUERY, ...WINDOW_QUERY, 'nodes', 'limit'],
    answer: { schema: 'FlowGraph' },
    handle: graphOfFlows,
  },
  {
    method: 'GET',
    path: '/flows/store',
    id: 'getFlowStore',
    summary: 'The store of flows: how much is in it, since when, and what could not be stored',
    answer: { schema: 'FlowStoreStatus' },
    handle: ({ agent }) => ({ body: agent.flows.store.status() }),
  },
];

async function listFlows({ agent }: ApiContext, { query }: ApiRequest): Promise<Reply> {
  const last = numberOf(query, 'last', 1);
  const limit = Math.min(last ?? numberOf(query, 'limit', 1) ?? DEFAULT_LIMIT, MAX_LIMIT);
  const sort = last === undefined ? choiceOf(query, 'sort', FLOW_SORTS) : '-time';
  const question = { ...windowOf(query), filter: filterOf(query), sort, limit, after: placeOf(query, sort) };
  const found = await agent.flows.store.store.list(question);
  const next = last === undefined && found.length === limit ? continueOf(found.at(-1), sort) : undefined;
  const items = (last === undefined ? found : found.toReversed()).map(withId);
  return {
    body: {
      kind: 'FlowList',
      apiVersion: 'tortie.io/v1',
      metadata: next === undefined ? {} : { continue: next },
      items,
    },
  };
}

/** The record, with the name that `tortie why` finds it by. */
function withId(stored: StoredLog): FlowLog & { readonly id: string } {
  return { id: formatFlowId(stored), ...stored.log };
}

function followFlows({ agent }: ApiContext, { query }: ApiRequest, responder: Responder): undefined {
  const filter = filterOf(query);
  const holds = filter === EVERY_FLOW ? () => true : predicateOf(filter);
  const stream = responder.stream();
  const stop = agent.flows.hub.listen((logs) => {
    for (const log of logs) {
      if (!holds(log)) continue;
      if (responder.response.writableNeedDrain) agent.flows.hub.leaveOut('slow-reader', 1);
      else stream.writeLine(log);
    }
  });
  stream.onEnd(stop);
}

async function sumFlows({ agent }: ApiContext, { query }: ApiRequest): Promise<Reply> {
  const by = choiceOf(query, 'by', TOP_KEYS);
  const measure = choiceOf(query, 'measure', by === 'reason' ? ['denied', ...TOP_MEASURES] : TOP_MEASURES);
  const limit = Math.min(numberOf(query, 'limit', 1) ?? DEFAULT_LIMIT, MAX_LIMIT);
  const rows = await agent.flows.store.store.top({ ...windowOf(query), filter: filterOf(query), by, measure, limit });
  const items = rows.map((row) => {
    const [bytes, packets, flows, denied] = row.slice(-4);
    return { ...keysOf(by, row), bytes, packets, flows, denied };
  });
  return { body: { kind: 'FlowSums', apiVersion: 'tortie.io/v1', by, measure, items } };
}

function keysOf(by: (typeof TOP_KEYS)[number], [first, second]: readonly unknown[]): object {
  switch (by) {
    case 'pair':
    case 'namespace':
      return { source: first, destination: second };
    case 'port':
      return { protocol: first, port: second };
    default:
      return { [by]: first };
  }
}

async function graphOfFlows({ agent }: ApiContext, { query }: ApiRequest): Promise<Reply> {
  const nodes = choiceOf(query, 'nodes', ['name', 'namespace']);
  const limit = Math.min(numberOf(query, 'limit', 1) ?? 1000, MAX_LIMIT);
  const rows = await agent.flows.store.store.graph({ ...windowOf(query), filter: filterOf(query), nodes, limit });
  const types = new Map<string, unknown>();
  const edges = rows.map(([source, sourceType, destination, destinationType, protocol, port, ...sums]) => {
    types.set(String(source), sourceType).set(String(destination), destinationType);
    const [bytes, packets, flows, denied] = sums;
    return { source, destination, protocol, port, bytes, packets, flows, denied };
  });
  const named = [...types].map(([name, type]) => ({ name, type }));
  return { body: { kind: 'FlowGraph', apiVersion: 'tortie.io/v1', nodes: named, edges } };
}

function filterOf(query: URLSearchParams): FlowFilter {
  return filterOfOptions((name) => query.getAll(parameterOf(name)));
}

function windowOf(query: URLSearchParams): TimeWindow {
  return { since: timeOf(query, 'since'), until: timeOf(query, 'until') };
}

function timeOf(query: URLSearchParams, name: 'since' | 'until'): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const time = parseTime(text, Date.now());
  if (time === undefined) throw invalidRequest(name, 'is not a time', { found: text, expected: TIME_EXPECTED });
  return time;
}

/** The first of them unless the query says which. */
function choiceOf<const T extends string>(query: URLSearchParams, name: QueryName, choices: readonly T[]): T {
  const text = query.get(name) ?? choices[0];
  const found = choices.find((one) => one === text);
  if (found !== undefined) return found;
  throw invalidRequest(name, 'is not known', { found: text, expected: [...new Set(choices)].join(', ') });
}

function continueOf(last: StoredLog | undefined, sort: FlowSort): string | undefined {
  if (last === undefined || (sort !== 'time' && sort !== '-time')) return undefined;
  return formatFlowId(last);
}

function placeOf(query: URLSearchParams, sort: FlowSort): PagePlace | undefined {
  const text = query.get('continue');
  if (text === null) return undefined;
  const place = parseFlowId(text);
  if (place !== undefined && (sort === 'time' || sort === '-time')) return place;
  throw invalidRequest('continue', 'is not where a page ended', {
    found: text,
    expected: 'what the page before answered, and its sort',
  });
}
