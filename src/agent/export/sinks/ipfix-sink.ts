// A session of IPFIX with a collector: templates first and again every so often, data records counted on.
import { connect } from 'node:net';
import { encodeDataSets, ipfixMessage, splitSets, templateSet } from '../../../observe/export/ipfix.ts';
import type { FlowLog } from '../../../observe/flows/flow-log.ts';
import type { EncodedBatch, Sink } from '../sink.ts';
import type { ExportTarget } from '../target.ts';
import { DatagramSender } from './datagram-sender.ts';
import { StreamConnection } from './stream-connection.ts';

type IpfixTarget = Pick<ExportTarget, 'transport' | 'host' | 'port' | 'domain' | 'templateMs' | 'url'>;

export class IpfixSink implements Sink<FlowLog> {
  readonly #target: IpfixTarget;
  readonly #sender: DatagramSender;
  readonly #connection: StreamConnection;
  #sequence = 0;
  #templatesAt = Number.NEGATIVE_INFINITY;

  constructor(target: IpfixTarget) {
    this.#target = target;
    this.#sender = new DatagramSender(target.host, target.port);
    this.#connection = new StreamConnection(target.url, () => connect({ host: target.host, port: target.port }));
  }

  encode(logs: readonly FlowLog[]): EncodedBatch {
    return encodeDataSets(logs);
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    const isStream = this.#target.transport === 'tcp';
    const isFresh = isStream ? await this.#connection.open() : this.#sender.isFresh;
    const messages = this.#messagesOf(bytes, isFresh);
    if (isStream) await this.#connection.write(Buffer.concat(messages));
    else await this.#sender.send(messages);
    return 0;
  }

  close(): void {
    this.#connection.close();
    this.#sender.close();
  }

  /** Over a stream templates hold as long as it does; datagrams may be lost, and a collector may have begun anew. */
  #messagesOf(bytes: Uint8Array, isFresh: boolean): Uint8Array[] {
    const { domain, templateMs, transport } = this.#target;
    const time = Date.now();
    if (isFresh) this.#sequence = 0;
    const messages: Uint8Array[] = [];
    const isDue = transport === 'udp' && performance.now() - this.#templatesAt >= templateMs;
    if (isFresh || isDue) {
      messages.push(ipfixMessage(templateSet(), { time, sequence: this.#sequence, domain }));
      this.#templatesAt = performance.now();
    }
    for (const { set, records } of splitSets(bytes)) {
      messages.push(ipfixMessage(set, { time, sequence: this.#sequence, domain }));
      this.#sequence = (this.#sequence + records) % 2 ** 32;
    }
    return messages;
  }
}
