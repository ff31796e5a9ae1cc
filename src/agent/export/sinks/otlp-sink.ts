// OTLP over HTTP in its JSON encoding: log records for flow logs, and the agent's metrics every so often.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OtlpResource } from '../../../observe/export/otlp.ts';
import { encodeOtlpLogs } from '../../../observe/export/otlp-logs.ts';
import type { FlowLog } from '../../../observe/flows/flow-log.ts';
import type { EncodedBatch, Sink } from '../sink.ts';
import { HttpClient, type HttpTarget } from './http-client.ts';

const compress = promisify(gzip);

/** Sends bodies to one path below what the target says: `/v1/logs`, `/v1/metrics`. */
export class OtlpClient {
  readonly #http: HttpClient;
  readonly #path: string;

  constructor(target: HttpTarget & { readonly path: string }, signal: 'logs' | 'metrics') {
    this.#http = new HttpClient(target);
    const [path = '', query] = target.path.split('?');
    this.#path = `${path.replace(/\/+$/, '')}/v1/${signal}${query === undefined ? '' : `?${query}`}`;
  }

  /** Resolves with the text of the answer. Throws SinkError. */
  async post(body: Uint8Array): Promise<string> {
    return this.#http.post({
      path: this.#path,
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: await compress(body, { level: 1 }),
    });
  }

  close(): void {
    this.#http.close();
  }
}

export class OtlpLogSink implements Sink<FlowLog> {
  readonly #client: OtlpClient;
  readonly #resource: OtlpResource;

  constructor(target: HttpTarget & { readonly path: string }, resource: OtlpResource) {
    this.#client = new OtlpClient(target, 'logs');
    this.#resource = resource;
  }

  encode(logs: readonly FlowLog[]): EncodedBatch {
    return { bytes: Buffer.from(encodeOtlpLogs(logs, this.#resource, Date.now())), records: logs.length };
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    return rejectedOf(await this.#client.post(bytes));
  }

  close(): void {
    this.#client.close();
  }
}

/** Of an ExportLogsServiceResponse: collectors may take a part. */
function rejectedOf(answer: string): number {
  try {
    const rejected = Number(JSON.parse(answer)?.partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
