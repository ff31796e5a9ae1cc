// Entries of systemd's journal, in its own protocol: one datagram each, `NAME=value` a line, and values with line breaks behind
// their length.
import type { EncodedBatch, Sink } from '../sink.ts';
import { sendUnixDatagrams } from './unix-datagrams.ts';

/** Names of capitals, digits and _, not beginning with _. */
export type JournalFields = Readonly<Record<string, string | number>>;

const LENGTH_BYTES = 4;

export class JournalSink<T> implements Sink<T> {
  readonly #socket: string;
  readonly #toFields: (item: T) => JournalFields;

  constructor(socket: string, toFields: (item: T) => JournalFields) {
    this.#socket = socket;
    this.#toFields = toFields;
  }

  encode(items: readonly T[]): EncodedBatch {
    const parts = items.flatMap((item) => {
      const entry = encodeEntry(this.#toFields(item));
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32LE(entry.length);
      return [length, entry];
    });
    return { bytes: Buffer.concat(parts), records: items.length };
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    const all = Buffer.from(bytes);
    const entries: Buffer[] = [];
    for (let at = 0; at + LENGTH_BYTES <= all.length; ) {
      const end = at + LENGTH_BYTES + all.readUInt32LE(at);
      entries.push(all.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    await sendUnixDatagrams(this.#socket, entries);
    return 0;
  }

  close(): void {}
}

export function encodeEntry(fields: JournalFields): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([name, value]) => {
      const text = Buffer.from(String(value));
      if (!text.includes('\n')) return Buffer.concat([Buffer.from(`${name}=`), text, Buffer.from('\n')]);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([Buffer.from(`${name}\n`), length, text, Buffer.from('\n')]);
    }),
  );
}
