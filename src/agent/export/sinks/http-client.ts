// POSTs to one address, over one connection that is kept. Answers are read to a limit; which of them pass is told by their status.
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { SinkError } from '../sink.ts';
import type { ExportTarget } from '../target.ts';

export type HttpTarget = Pick<
  ExportTarget,
  'transport' | 'host' | 'port' | 'timeoutMs' | 'headersFile' | 'caFile' | 'certFile' | 'keyFile'
>;

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_FILE_BYTES = 16 * 1024;
/** Statuses of what may go better later. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_RETRY_AFTER_MS = 300_000;

export interface HttpPost {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export class HttpClient {
  readonly #target: HttpTarget;
  #agent: HttpAgent | HttpsAgent | undefined;
  /** Of what is being sent. Each has one of its own: what is derived from one that lives as long as this adds up in it. */
  readonly #sending = new Set<AbortController>();
  #isClosed = false;

  constructor(target: HttpTarget) {
    this.#target = target;
  }

  /** Resolves with the text of an answer that says yes. Throws SinkError. */
  async post({ path, headers, body }: HttpPost): Promise<string> {
    const { transport, host, port, timeoutMs } = this.#target;
    const sending = new AbortController();
    const { signal } = sending;
    const timer = setTimeout(() => sending.abort(), timeoutMs);
    this.#sending.add(sending);
    try {
      if (this.#isClosed) throw new SinkError(`${host}:${port}: closed`);
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const all = { ...this.#givenHeaders(), ...headers, 'content-length': String(body.length) };
        const options = { method: 'POST', host, port, path, headers: all, signal, agent: this.#agentFor() };
        const request = transport === 'https' ? requestHttps(options) : requestHttp(options);
        request.once('response', resolve);
        request.once('error', reject);
        request.end(body);
      });
      return await this.#take(answer);
    } catch (error) {
      if (error instanceof SinkError) throw error;
      const isLate = signal.aborted && !this.#isClosed;
      const reason = isLate ? `no answer in ${timeoutMs} ms` : (error as Error).message;
      throw new SinkError(`${host}:${port}: ${reason}`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.#sending.delete(sending);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const sending of this.#sending) sending.abort();
    this.#agent?.destroy();
  }

  async #take(answer: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) break;
      chunks.push(chunk);
    }
    const { statusCode: status = 0, headers } = answer;
    if (status >= 200 && status < 300) return Buffer.concat(chunks).toString('utf8');
    const { host, port } = this.#target;
    throw new SinkError(`${host}:${port}: HTTP ${status}`, {
      isPermanent: !PASSING.has(status),
      retryAfterMs: retryAfterMs(headers['retry-after']),
    });
  }

  #agentFor(): HttpAgent | HttpsAgent {
    if (this.#agent !== undefined) return this.#agent;
    const { transport, caFile, certFile, keyFile } = this.#target;
    const common = { keepAlive: true, maxSockets: 1 };
    this.#agent =
      transport === 'http'
        ? new HttpAgent(common)
        : new HttpsAgent({
            ...common,
            minVersion: 'TLSv1.2',
            ca: caFile === undefined ? undefined : readSmallFile(caFile, 1024 * 1024),
            cert: certFile === undefined ? undefined : readSmallFile(certFile),
            key: keyFile === undefined ? undefined : readSmallFile(keyFile),
          });
    return this.#agent;
  }

  /** Read each time: a token may be a new one. */
  #givenHeaders(): Record<string, string> {
    const { headersFile } = this.#target;
    if (headersFile === undefined) return {};
    const lines = readSmallFile(headersFile).split('\n').filter(Boolean);
    return Object.fromEntries(
      lines.map((line) => {
        const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e]*?)\s*$/.exec(line) ?? [];
        if (name === undefined) throw new SinkError(`${headersFile} has a line that is no header`);
        return [name.toLowerCase(), value as string];
      }),
    );
  }
}

/** Throws SinkError, which says nothing of what is in the file. */
export function readSmallFile(file: string, limit = MAX_FILE_BYTES): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SinkError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  if (text.length > limit) throw new SinkError(`${file} is longer than ${limit} bytes`);
  return text;
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const ms = /^\d{1,6}$/.test(written) ? Number(written) * 1000 : Date.parse(written) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}
