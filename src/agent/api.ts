// The agent's API on its listeners: the unix socket for its owner, and TCP with client certificates where that is asked for.
// Requests are answered in api/server.ts.
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { Server as TlsServer } from 'node:https';
import type { Server } from 'node:net';
import type { Registry } from 'prom-client';
import type { Logger } from '../base/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { readTlsMaterial, type TlsListenerOptions } from './api/options.ts';
import { type Identify, identifyCertificate, identifyLocal } from './api/peer.ts';
import type { ApiAgent, ApiContext } from './api/route.ts';
import { type ApiServer, createApiServer, type ServerLimits } from './api/server.ts';
import { metricsSource } from './metrics-source.ts';
import { VERSION } from './version.ts';

export interface ApiOptions {
  /** undefined = no listener but the unix socket. */
  readonly tls?: TlsListenerOptions;
  readonly limits?: ServerLimits;
  /** How the peer of the unix socket is known. */
  readonly identify?: Identify;
  /** That the agent says it is of; its own unless given. */
  readonly version?: string;
}

export class AgentApi {
  readonly #socket: string;
  #tls: TlsListenerOptions | undefined;
  readonly #local: ApiServer;
  readonly #context: ApiContext;
  readonly #metrics: Registry;
  readonly #limits: ServerLimits | undefined;
  #remote: ApiServer | undefined;

  constructor(
    agent: ApiAgent & { readonly options: { readonly socket: string } },
    log: Logger,
    options: ApiOptions = {},
  ) {
    const { tls, limits } = options;
    const metrics = createMetrics(metricsSource(agent), agent.meter.instruments);
    this.#metrics = metrics;
    this.#context = {
      agent,
      log,
      version: options.version ?? VERSION,
      metrics: async () => ({ text: await metrics.metrics(), contentType: metrics.contentType }),
    };
    this.#socket = agent.options.socket;
    this.#tls = tls;
    this.#limits = limits;
    this.#local = createApiServer(this.#context, options.identify ?? identifyLocal(this.#socket), { limits });
  }

  /** Resolves when every listener accepts connections; the socket has mode 0600. Throws what listenRemote does. */
  async listen(): Promise<void> {
    if (existsSync(this.#socket)) unlinkSync(this.#socket);
    const mask = process.umask(0o177);
    try {
      await listening(this.#local.server, this.#socket);
    } finally {
      process.umask(mask);
    }
    chmodSync(this.#socket, 0o600);
    if (this.#tls !== undefined) await this.listenRemote(this.#tls);
  }

  /**
   * Opens the listener for other machines, of which there can be one. Throws FILE_UNREADABLE for certificates that cannot be
   * read, and the errors of OpenSSL and of the socket; the local listener stays.
   */
  async listenRemote(tls: TlsListenerOptions): Promise<void> {
    const remote = createApiServer(this.#context, identifyCertificate, {
      limits: this.#limits,
      tls: readTlsMaterial(tls),
    });
    await listening(remote.server, { host: tls.address, port: tls.port });
    this.#tls = tls;
    this.#remote = remote;
  }

  /**
   * Reads the certificates of the open listener for other machines again, for connections to come. Throws as listenRemote: then
   * those in use stay.
   */
  renewCertificates(): void {
    const server = this.#remote?.server;
    if (this.#tls === undefined || !(server instanceof TlsServer)) return;
    // A new context forgets the oldest version that the server was made with.
    server.setSecureContext({ ...readTlsMaterial(this.#tls), minVersion: 'TLSv1.2' });
  }

  /** What GET /metrics answers. */
  get metrics(): ApiContext['metrics'] {
    return this.#context.metrics;
  }

  /** The same as objects. */
  metricsAsJson(): ReturnType<Registry['getMetricsAsJSON']> {
    return this.#metrics.getMetricsAsJSON();
  }

  /** Of the listener for other machines; undefined = there is none. */
  get remotePort(): number | undefined {
    const address = this.#remote?.server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  async close(): Promise<void> {
    for (const server of [this.#local, this.#remote]) await server?.close();
  }
}

function listening(server: Server, where: string | { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
