// What a route of the API is: its path, its parameters, its handler, and what openapi.ts says of it. Every route is in the
// one list of routes/all.ts.
import type { ServerResponse } from 'node:http';
import type { Logger } from '../../base/log.ts';
import type { Agent } from '../agent.ts';
import type { Actor } from '../store/actor.ts';
import { FLOW_QUERY, type FlowQueryName } from './flow-query.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What the API asks of an agent. */
export type ApiAgent = Pick<
  Agent,
  | 'blocks'
  | 'endpoints'
  | 'events'
  | 'fileOf'
  | 'generation'
  | 'health'
  | 'isInSync'
  | 'isLoading'
  | 'loaded'
  | 'manifests'
  | 'meter'
  | 'resources'
  | 'setInterface'
  | 'settings'
  | 'status'
  | 'stored'
  | 'unsetInterface'
  | 'world'
> & {
  readonly flows: Pick<Agent['flows'], 'captures' | 'hub' | 'store'> & {
    readonly packetCaptures: Pick<Agent['flows']['packetCaptures'], 'statusOf'>;
  };
  readonly readings: Pick<
    Agent['readings'],
    'counters' | 'flows' | 'flowTable' | 'judge' | 'localPolicies' | 'maps' | 'programs' | 'tables' | 'usage'
  >;
};

export interface ApiContext {
  readonly agent: ApiAgent;
  readonly log: Logger;
  /** Of the agent. */
  readonly version: string;
  /** Prometheus text and its content type. */
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
}

export interface ApiRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Of the route's template, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Lower case, without parameters; empty = none. */
  readonly contentType: string;
  readonly actor: Actor;
  /** 8 MiB at most unless `maxBytes` is given. Throws REQUEST_TOO_LARGE, and INVALID_REQUEST for what is not UTF-8. */
  text(maxBytes?: number): Promise<string>;
  /** The body as it comes, whatever it is and however long: for those who count it themselves. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** JSON unless it is text. undefined = the handler has taken the response over. */
export interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whoever goes on writing after the handler has returned. */
export interface Stream {
  /** Called once, when the client is gone or the server closes. */
  onEnd(end: () => void): void;
  /** False = the client reads too slowly and has been cut off. */
  writeLine(value: unknown): boolean;
  /** As fast as the client reads. False = it is gone, or has been cut off because it took nothing for too long. */
  writeLines(values: Iterable<unknown>): Promise<boolean>;
  /** What waits is not sent. */
  cut(): void;
}

export interface Responder {
  readonly response: ServerResponse;
  /** Begins an answer of JSON lines that goes on until either side ends it. */
  stream(): Stream;
}

export type Handler = (
  context: ApiContext,
  request: ApiRequest,
  responder: Responder,
) => Promise<Reply | undefined> | Reply | undefined;

export type QueryName =
  | FlowQueryName
  | 'address'
  | 'allowWatchBookmarks'
  | 'confirm'
  | 'continue'
  | 'diff'
  | 'dryRun'
  | 'fieldManager'
  | 'fieldSelector'
  | 'filters'
  | 'force'
  | 'labelSelector'
  | 'limit'
  | 'prune'
  | 'reason'
  | 'resourceVersion'
  | 'session'
  | 'timeoutSeconds'
  | 'ttl'
  | 'watch'
  | 'window';

/** What a query parameter means, for every route alike. */
export const QUERY: Readonly<Record<QueryName, { readonly description: string; readonly schema: object }>> = {
  ...FLOW_QUERY,
  address: { description: 'An IP address; of flows also a prefix, and more than one.', schema: { type: 'string' } },
  allowWatchBookmarks: {
    description: 'Accepted: bookmarks are sent in any case.',
    schema: { type: 'boolean' },
  },
  confirm: {
    description: 'The change comes undone after so long (60s, 5m) unless it is confirmed.',
    schema: { type: 'string', pattern: '^[1-9][0-9]*(s|m|h)?$' },
  },
  continue: { description: 'Where the page before ended.', schema: { type: 'string' } },
  diff: { description: 'Answer with the packets that are judged differently.', schema: { type: 'boolean' } },
  dryRun: { description: 'All = do everything but store it.', schema: { type: 'string', enum: ['All'] } },
  fieldManager: { description: 'Who applies: fields it gives up are taken away.', schema: { type: 'string' } },
  fieldSelector: { description: 'metadata.name and metadata.namespace, with = or !=.', schema: { type: 'string' } },
  filters: { description: 'One JSON object, as Whisker asks its backend with.', schema: { type: 'string' } },
  force: {
    description: 'Even if it denies the connection it comes through, or locks somebody out.',
    schema: { type: 'boolean' },
  },
  labelSelector: { description: 'As in Kubernetes: a=b,c!=d,e in (f,g),!h.', schema: { type: 'string' } },
  limit: { description: 'Objects of a page at most.', schema: { type: 'integer', minimum: 1 } },
  prune: {
    description: 'Objects of the store with these labels that are not applied are deleted by the same change: a=b,!c.',
    schema: { type: 'string' },
  },
  reason: { description: 'Kept with what is blocked; of flows, why they were dropped.', schema: { type: 'string' } },
  resourceVersion: {
    description: 'Of a watch: changes after it are sent. Of a delete: the version that is meant.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  session: { description: 'SSH_CONNECTION of whoever asks, who is not to be locked out.', schema: { type: 'string' } },
  timeoutSeconds: { description: 'The watch ends after so long.', schema: { type: 'integer', minimum: 1 } },
  ttl: {
    description: 'It ends after so long: 90s, 30m, 1h, 7d, 2w.',
    schema: { type: 'string', pattern: '^[1-9][0-9]*[smhdw]$' },
  },
  window: {
    description: 'How long before a change and after it: 90s, 30m, 1h, 7d.',
    schema: { type: 'string', pattern: '^[1-9][0-9]*[smhd]$' },
  },
  watch: { description: 'Send changes as they come, one JSON object a line.', schema: { type: 'boolean' } },
};

/** What openapi.ts says of a body. */
export interface BodyDoc {
  readonly contentTypes: readonly string[];
  /** Name of a schema in the document. */
  readonly schema: string;
  readonly isOptional?: boolean;
}

/** What openapi.ts says of an answer. */
export interface AnswerDoc {
  readonly schema?: string;
  readonly contentType?: string;
  /** 200 unless given. */
  readonly status?: number;
  /** Schemas that may come besides, by status. */
  readonly more?: Readonly<Record<number, readonly string[]>>;
}

export interface Route {
  readonly method: Method;
  /** Parameters in braces, as OpenAPI has them. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly query?: readonly QueryName[];
  readonly body?: BodyDoc;
  readonly answer: AnswerDoc;
  readonly handle: Handler;
}
