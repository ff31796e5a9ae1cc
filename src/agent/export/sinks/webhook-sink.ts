// Batches as JSON to whoever wants them, signed as Standard Webhooks has it, so that the receiver can tell them from others':
// webhook-id, webhook-timestamp, webhook-signature = v1, and HMAC-SHA256 of `<id>.<timestamp>.<body>` in base64.
import { createHash, createHmac } from 'node:crypto';
import type { FlowLog } from '../../../observe/flows/flow-log.ts';
import { type EncodedBatch, type Sink, SinkError } from '../sink.ts';
import type { ExportTarget } from '../target.ts';
import { HttpClient, type HttpTarget, readSmallFile } from './http-client.ts';

type WebhookTarget = HttpTarget & Pick<ExportTarget, 'path' | 'secretFile'>;

const MIN_SECRET_BYTES = 16;

export class WebhookSink implements Sink<FlowLog> {
  readonly #target: WebhookTarget;
  readonly #node: string;
  readonly #http: HttpClient;

  constructor(target: WebhookTarget, node: string) {
    this.#target = target;
    this.#node = node;
    this.#http = new HttpClient(target);
  }

  encode(flows: readonly FlowLog[]): EncodedBatch {
    const body = JSON.stringify({
      type: 'tortie.flows',
      timestamp: new Date().toISOString(),
      data: { node: this.#node, flows },
    });
    return { bytes: Buffer.from(body), records: flows.length };
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    const { path, secretFile } = this.#target;
    // The same for the same batch, however often it is sent: the receiver can tell that it has it.
    const id = `msg_${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
    };
    if (secretFile !== undefined) headers['webhook-signature'] = sign(secretFile, id, timestamp, bytes);
    await this.#http.post({ path: path === '' ? '/' : path, headers, body: bytes });
    return 0;
  }

  close(): void {
    this.#http.close();
  }
}

/** The file is read each time: the secret may be a new one. */
function sign(secretFile: string, id: string, timestamp: string, body: Uint8Array): string {
  const written = readSmallFile(secretFile).trim();
  const secret = written.startsWith('whsec_') ? Buffer.from(written.slice(6), 'base64') : Buffer.from(written);
  if (secret.length < MIN_SECRET_BYTES) {
    throw new SinkError(`${secretFile} has a secret of fewer than ${MIN_SECRET_BYTES} bytes`);
  }
  const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return `v1,${mac}`;
}
