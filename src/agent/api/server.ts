// HTTP: requests in, routes asked, answers and failures out, within limits on size, time and number that no client can
// stretch. What the routes do is not known here.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DataplaneError } from '../../base/errors.ts';
import { nearestName } from '../../resources/nearest.ts';
import { type CountBytes, readText } from './body.ts';
import { BodyBudget } from './body-budget.ts';
import { Connections } from './connections.ts';
import { errorsOf, failureStatus, invalidRequest } from './failure.ts';
import { describeApi, FIRST_API, OPENAPI_PATH } from './openapi.ts';
import type { TlsMaterial } from './options.ts';
import type { Identify } from './peer.ts';
import type { ApiContext, ApiRequest, Reply, Responder, Route } from './route.ts';
import { Router } from './router.ts';
import { ROUTES } from './routes/all.ts';
import { LineStream } from './stream.ts';

export interface ServerLimits {
  readonly headersMs: number;
  /** From the first byte of a request to its last. */
  readonly requestMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  readonly connections: number;
}

/** Far above what an agent that is busy may itself be late by: its clock also runs while it does not read. */
export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  headersMs: 30_000,
  requestMs: 60_000,
  idleMs: 60_000,
  connections: 256,
};

const TLS_OPTIONS = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
const MAX_HEADER_BYTES = 16 * 1024;
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const TOO_LATE = JSON.stringify({ code: 'AGENT_UNREACHABLE', message: 'the request was not whole in time' });
const REQUEST_TIMEOUT = [
  'HTTP/1.1 408 Request Timeout',
  'connection: close',
  'content-type: application/json',
  `content-length: ${TOO_LATE.length}`,
  '',
  TOO_LATE,
].join('\r\n');

export interface ApiServer {
  /** Not listening yet. */
  readonly server: Server | TlsServer;
  /** Cuts every connection. Resolves when the last one is gone. */
  close(): Promise<void>;
}

/** An HTTP server. With TLS material it takes connections with a client certificate only. */
export function createApiServer(
  context: ApiContext,
  identify: Identify,
  { limits = DEFAULT_SERVER_LIMITS, tls }: { readonly limits?: ServerLimits; readonly tls?: TlsMaterial } = {},
): ApiServer {
  const { headersMs, requestMs, idleMs } = limits;
  const answerer = new Answerer(context, identify, idleMs);
  const listener: RequestListener = (request, response) => void answerer.answer(request, response);
  const options = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    // How late a client that is too slow may be noticed.
    connectionsCheckingInterval: Math.max(50, Math.min(1000, headersMs / 4)),
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server =
    tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...TLS_OPTIONS, ...tls, handshakeTimeout: headersMs }, listener);
  server.maxConnections = limits.connections;
  server.setTimeout(idleMs);
  server.on('clientError', refuseConnection);
  const connections = new Connections(server, limits.connections);
  return { server, close: () => connections.close() };
}

function refuseConnection({ code }: NodeJS.ErrnoException, socket: Socket): void {
  // What is written before both sides have shown their certificates is never sent: the end would never come.
  const isUnfinished = socket instanceof TLSSocket && !socket.authorized;
  if (!socket.writable || isUnfinished) socket.destroy();
  else socket.end(code === 'ERR_HTTP_REQUEST_TIMEOUT' ? REQUEST_TIMEOUT : BAD_REQUEST);
}

class Answerer {
  readonly #context: ApiContext;
  readonly #identify: Identify;
  readonly #router = new Router(ROUTES);
  readonly #idleMs: number;
  readonly #bodies = new BodyBudget();
  #document: object | undefined;

  constructor(context: ApiContext, identify: Identify, idleMs: number) {
    this.#context = context;
    this.#identify = identify;
    this.#idleMs = idleMs;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    const body = this.#bodies.open();
    try {
      const reply = await this.#reply(request, response, body.count);
      if (reply !== undefined) send(response, reply);
    } catch (failure) {
      this.#refuse(request, response, failure);
    } finally {
      body.end();
    }
  }

  async #reply(request: IncomingMessage, response: ServerResponse, count: CountBytes): Promise<Reply | undefined> {
    const { path, query } = splitUrl(request.url ?? '');
    if (path === OPENAPI_PATH && request.method === 'GET') return { body: this.#openApi() };
    const match = this.#router.find(request.method ?? '', path);
    if (match === undefined) {
      throw new DataplaneError('NOT_FOUND', 'no such request', { operation: request.method ?? '', target: path });
    }
    const { route, params, methods } = match;
    if (route === undefined) return methodNotAllowed(request.method ?? '', path, methods);
    requireKnownQuery(route, query);
    const { 'user-agent': userAgent, 'content-type': contentType = '' } = request.headers;
    const actor = this.#identify(request.socket);
    const asked: ApiRequest = {
      method: route.method,
      path,
      params,
      query,
      contentType: contentType.split(';')[0]?.trim().toLowerCase() ?? '',
      actor: { ...actor, from: { ...actor.from, ...(userAgent === undefined ? {} : { userAgent }) } },
      text: (maxBytes) => readText(request, count, maxBytes),
      chunks: () => request,
    };
    const responder: Responder = { response, stream: () => new LineStream(request, response, this.#idleMs) };
    return route.handle(this.#context, asked, responder);
  }

  #openApi(): object {
    this.#document ??= describeApi();
    return this.#document;
  }

  #refuse(request: IncomingMessage, response: ServerResponse, failure: unknown): void {
    if (response.destroyed || response.headersSent) {
      response.destroy();
      return;
    }
    // A body that goes on for longer than anybody reads it must not hold the connection.
    if (!request.complete) response.setHeader('connection', 'close');
    const errors = errorsOf(failure);
    if (errors === undefined) this.#context.log.error('request ended early', { error: describeBug(failure) });
    const status = failureStatus(errors ?? []);
    const isFirstApi = request.url?.startsWith(FIRST_API) === true;
    const [error] = errors ?? [];
    const body = isFirstApi ? { code: error?.code ?? 'INTERNAL', error: error?.message ?? status.message } : status;
    send(response, { status: status.code, body });
  }
}

function splitUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?');
  return {
    path: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
  };
}

/** A parameter that is misspelt would be a change that is not what was meant. */
function requireKnownQuery({ query = [] }: Route, given: URLSearchParams): void {
  for (const name of given.keys()) {
    if ((query as readonly string[]).includes(name)) continue;
    const nearest = nearestName(name, query);
    throw invalidRequest('query', 'has an unknown parameter', {
      field: name,
      expected: query.length === 0 ? 'none' : query.join(', '),
      hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
    });
  }
}

function methodNotAllowed(method: string, path: string, methods: readonly string[]): Reply {
  const expected = methods.join(', ');
  const error = invalidRequest(path, 'is not for this method', { found: method, expected });
  return { status: 405, body: failureStatus([error], 405), headers: { allow: expected } };
}

function send(response: ServerResponse, { status = 200, body, text, contentType, headers = {} }: Reply): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-type', contentType ?? 'application/json');
  response.end(text ?? JSON.stringify(body));
}

function describeBug(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
