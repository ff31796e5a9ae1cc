// GET /metrics without TLS, for a Prometheus that the API's listener is not for: nothing else is answered here. That it cannot be
// opened takes the agent away from nobody.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../base/log.ts';
import type { ApiContext } from '../api/route.ts';

export interface ListenerPlace {
  readonly address: string;
  readonly port: number;
}

interface ListenerTimes {
  readonly tryEveryMs: number;
  /** An answer is given again to whoever asks so soon after: a scrape reads the whole flow table. */
  readonly keepMs: number;
}

const TIMES: ListenerTimes = { tryEveryMs: 5000, keepMs: 500 };
const MAX_CONNECTIONS = 32;
const PATIENCE_MS = 10_000;
const HEADER_BYTES = 8192;

type Answer = Awaited<ReturnType<ApiContext['metrics']>>;

export class MetricsListener {
  readonly #read: ApiContext['metrics'];
  readonly #place: ListenerPlace;
  readonly #log: Logger;
  readonly #times: ListenerTimes;
  readonly #server: Server;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Ends the try that is under way. */
  #giveUp: () => void = () => {};
  #told = '';
  #last: { readonly answer: Promise<Answer>; readonly atMs: number } | undefined;

  constructor(read: ApiContext['metrics'], place: ListenerPlace, log: Logger, times: Partial<ListenerTimes> = {}) {
    this.#read = read;
    this.#place = place;
    this.#log = log;
    this.#times = { ...TIMES, ...times };
    const limits = { maxHeaderSize: HEADER_BYTES, headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS };
    this.#server = createServer(limits, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.setTimeout(PATIENCE_MS);
    this.#server.on('error', (error) => this.#tell(error.message));
    // The name of the address was still being looked up.
    this.#server.on('listening', () => {
      if (this.#isClosed) this.#server.close();
    });
  }

  /** undefined = it is not open. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Resolves after the first try; more follow until one succeeds. */
  async open(): Promise<void> {
    if (this.#isClosed) return;
    const { address, port } = this.#place;
    const isOpen = await new Promise<boolean>((resolve) => {
      const settle = (outcome: boolean): void => {
        this.#server.off('error', onError).off('listening', onListening);
        resolve(outcome);
      };
      const onError = (): void => settle(false);
      const onListening = (): void => settle(true);
      this.#giveUp = onError;
      this.#server.once('error', onError).once('listening', onListening).listen({ host: address, port });
    });
    if (isOpen) this.#log.info('answering metrics', { address, port: this.port });
    else if (!this.#isClosed) this.#timer = setTimeout(() => void this.open(), this.#times.tryEveryMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#giveUp();
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer({ url = '', method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = url.split('?');
    if (path !== '/metrics') return end(response, 404, 'only /metrics is answered here\n');
    if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'only GET\n');
    try {
      const { text, contentType } = await this.#scrape();
      response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
      response.end(method === 'HEAD' ? undefined : text);
    } catch (error) {
      this.#log.error('metrics cannot be read', { error: String(error) });
      end(response, 500, 'metrics cannot be read\n');
    }
  }

  #scrape(): Promise<Answer> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.atMs > this.#times.keepMs) {
      this.#last = { answer: this.#read(), atMs: now };
    }
    return this.#last.answer;
  }

  /** Once for each reason. */
  #tell(why: string): void {
    if (why !== this.#told) this.#log.error('not answering metrics, trying again', { error: why });
    this.#told = why;
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
