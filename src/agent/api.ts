// The agent's unix socket: HTTP with JSON, for its owner only. Reads status, tables, manifests, metrics and events;
// changes nothing but which interface an endpoint is behind.
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { DataplaneError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Agent } from './agent.ts';

const MAX_BODY_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const ENDPOINT_PATH = /^\/v1\/endpoints\/([^/]{1,253})\/([^/]{1,253})$/;
const interfaceBody = z.strictObject({ interface: z.string().regex(/^[a-zA-Z0-9_.:-]{1,15}$/) });

export class AgentApi {
  readonly #agent: Agent;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #metrics: ReturnType<typeof createMetrics>;

  constructor(agent: Agent, log: Logger) {
    this.#agent = agent;
    this.#log = log;
    this.#metrics = createMetrics(metricsSource(agent));
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#refuse(response, error));
    });
  }

  /** Resolves when the socket accepts connections, mode 0600. */
  async listen(): Promise<void> {
    const { socket } = this.#agent.options;
    if (existsSync(socket)) unlinkSync(socket);
    const mask = process.umask(0o177);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socket, resolve);
    });
    process.umask(mask);
    chmodSync(socket, 0o600);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://agent').pathname;
    const endpoint = ENDPOINT_PATH.exec(path);
    if (endpoint !== null) return this.#endpoint(request, response, `${endpoint[1]}/${endpoint[2]}`);
    if (request.method !== 'GET') throw notFound(request.method ?? '', path);
    switch (path) {
      case '/v1/status':
        return send(response, this.#agent.status());
      case '/v1/tables':
        await this.#agent.loaded;
        return send(response, this.#agent.tables());
      case '/v1/manifests':
        await this.#agent.loaded;
        return send(response, this.#agent.manifests());
      case '/v1/events':
        return this.#follow(request, response);
      case '/metrics':
        response.setHeader('content-type', this.#metrics.contentType);
        response.end(await this.#metrics.metrics());
        return;
      default:
        throw notFound('GET', path);
    }
  }

  async #endpoint(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (request.method === 'PUT') {
      const body = interfaceBody.safeParse(await readJson(request));
      if (!body.success) throw usage('set interface', name, z.prettifyError(body.error));
      await this.#agent.setInterface(decodeURIComponent(name), body.data.interface);
    } else if (request.method === 'DELETE') {
      await this.#agent.unsetInterface(decodeURIComponent(name));
    } else {
      throw notFound(request.method ?? '', name);
    }
    send(response, {});
  }

  #follow(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('content-type', 'application/x-ndjson');
    response.flushHeaders();
    const stop = this.#agent.events.listen((record) => {
      if (response.writableNeedDrain) return;
      response.write(`${JSON.stringify(record)}\n`);
    });
    request.on('close', stop);
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const known = error instanceof DataplaneError;
    if (!known) this.#log.error('request ended early', { error: String(error) });
    response.statusCode = known ? (error.code === 'NOT_FOUND' ? 404 : 400) : 500;
    response.end(
      JSON.stringify({ code: known ? error.code : 'INTERNAL', error: known ? error.message : 'see the agent log' }),
    );
  }
}

function metricsSource(agent: Agent): Parameters<typeof createMetrics>[0] {
  return {
    counters: () =>
      new Map(
        [...agent.counters()].map(([reason, { packets, bytes }]) => [
          reason,
          { packets: BigInt(packets), bytes: BigInt(bytes) },
        ]),
      ),
    flows: () => agent.flows(),
    generation: () => agent.generation,
    isInSync: () => agent.isInSync,
    isLoading: () => agent.isLoading,
    endpointStates: () => {
      const states = new Map([
        ['ready', 0],
        ['waiting', 0],
        ['error', 0],
      ]);
      for (const { state } of agent.endpoints) states.set(state, (states.get(state) ?? 0) + 1);
      return states;
    },
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES)
      throw usage('read request', request.url ?? '', `body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw usage('read request', request.url ?? '', 'body is not JSON');
  }
}

function send(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

function usage(operation: string, target: string, what: string): DataplaneError {
  return new DataplaneError('USAGE', what, { operation, target });
}

function notFound(method: string, path: string): DataplaneError {
  return new DataplaneError('NOT_FOUND', 'no such request', { operation: method, target: path });
}
