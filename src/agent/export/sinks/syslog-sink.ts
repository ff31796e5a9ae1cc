// Messages of RFC 5424: one a datagram, or in a stream each behind its length (RFC 6587, 3.4.1, as RFC 5425 has it for TLS too).
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { EncodedBatch, Sink } from '../sink.ts';
import type { ExportTarget } from '../target.ts';
import { DatagramSender } from './datagram-sender.ts';
import { StreamConnection } from './stream-connection.ts';
import { sendUnixDatagrams } from './unix-datagrams.ts';

type SyslogTarget = Pick<
  ExportTarget,
  'transport' | 'host' | 'port' | 'path' | 'caFile' | 'certFile' | 'keyFile' | 'url'
>;

/** Sends messages, which have no line breaks. */
interface Carrier {
  send(messages: readonly Buffer[]): Promise<void>;
  close(): void;
}

export class SyslogSink<T> implements Sink<T> {
  readonly #toMessage: (item: T) => string;
  readonly #carrier: Carrier;

  constructor(target: SyslogTarget, toMessage: (item: T) => string) {
    this.#toMessage = toMessage;
    this.#carrier = carrierOf(target);
  }

  encode(items: readonly T[]): EncodedBatch {
    return { bytes: Buffer.from(items.map((item) => this.#toMessage(item)).join('\n')), records: items.length };
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    const messages = Buffer.from(bytes).toString('latin1').split('\n');
    await this.#carrier.send(messages.map((message) => Buffer.from(message, 'latin1')));
    return 0;
  }

  close(): void {
    this.#carrier.close();
  }
}

function carrierOf(target: SyslogTarget): Carrier {
  if (target.transport === 'udp') return new DatagramSender(target.host, target.port);
  if (target.transport === 'unix')
    return { send: (messages) => sendUnixDatagrams(target.path, messages), close: () => {} };
  const connection = new StreamConnection(target.url, () => openStream(target));
  return {
    send: async (messages) => {
      await connection.open();
      await connection.write(
        Buffer.concat(messages.flatMap((message) => [Buffer.from(`${message.length} `), message])),
      );
    },
    close: () => connection.close(),
  };
}

/** Files are read for each connection: a certificate may have been renewed. */
function openStream({ transport, host, port, caFile, certFile, keyFile }: SyslogTarget): Socket {
  if (transport !== 'tls') return connectTcp({ host, port });
  return connectTls({
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    ca: readIfGiven(caFile),
    cert: readIfGiven(certFile),
    key: readIfGiven(keyFile),
    minVersion: 'TLSv1.2',
  });
}

function readIfGiven(file: string | undefined): Buffer | undefined {
  return file === undefined ? undefined : readFileSync(file);
}
