// A file of recorded flows of any known format, piece by piece -> flows, one by one. Nothing is kept but the records
// that are being read and, for formats with a record a packet, which connections were seen lately.
import { DataplaneError } from '../../base/errors.ts';
import { CaptureError, CaptureReader, isCaptureFile } from './capture-file.ts';
import { Connections, FirstOfConnection } from './connections.ts';
import { readJsonRecords } from './json-records.ts';
import { parseFrame } from './packet.ts';
import type { RecordedFlow, SkipReason } from './recorded-flow.ts';
import { parseRecord, type RecordFormat } from './records.ts';

export type FlowFormat = 'auto' | 'pcap' | RecordFormat;
export const FLOW_FORMATS: readonly FlowFormat[] = ['auto', 'tortie', 'calico', 'hubble', 'pcap'];

export interface FlowSink {
  flow(flow: RecordedFlow): void;
  skip(reason: SkipReason, count?: number): void;
  /** Something that cannot be read; `place` is `line 7` or `packet 7`. */
  bad(place: string, why: string): void;
}

export interface FeedSummary {
  /** Records or packets read, bad ones included. */
  readonly records: number;
  /** Connections whose first packet seen was an answer, so their direction was turned. */
  readonly turned: number;
  /** Connections forgotten for want of room; what came of them later was counted again. */
  readonly forgotten: number;
}

export interface FeedOptions {
  readonly format: FlowFormat;
  /** UTF-8 bytes to text; called with every piece, in order. */
  readonly decode: (piece: Uint8Array) => string;
}

/** Reads to the end. Rejects only when the pieces do. */
export async function feedFlows(
  pieces: AsyncIterable<Uint8Array>,
  { format, decode }: FeedOptions,
  sink: FlowSink,
): Promise<FeedSummary> {
  const { isCapture, all } = await sniff(pieces);
  if (format === 'pcap' || (format === 'auto' && isCapture)) return feedCapture(all, sink);
  return feedRecords(decoded(all, decode), format === 'auto' ? undefined : format, sink);
}

async function feedCapture(pieces: AsyncIterable<Uint8Array>, sink: FlowSink): Promise<FeedSummary> {
  const reader = new CaptureReader();
  const connections = new Connections();
  let packets = 0;
  try {
    for await (const piece of pieces) {
      for (const frame of reader.push(piece)) {
        packets += 1;
        const packet = parseFrame(frame);
        if ('skipped' in packet) {
          sink.skip(packet.skipped);
          continue;
        }
        const flow = connections.add(packet);
        if (flow !== undefined) sink.flow(flow);
      }
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    sink.bad(`packet ${packets + 1}`, error.message);
  }
  const { folded, turned, forgotten } = connections;
  if (folded > 0) sink.skip('knownConnection', folded);
  return { records: packets, turned, forgotten };
}

async function feedRecords(
  pieces: AsyncIterable<string>,
  format: RecordFormat | undefined,
  sink: FlowSink,
): Promise<FeedSummary> {
  const seen = new FirstOfConnection();
  let records = 0;
  for await (const item of readJsonRecords(pieces)) {
    records += 1;
    if (item.kind === 'bad') {
      sink.bad(`line ${item.line}`, item.why);
      continue;
    }
    try {
      const flow = parseRecord(item.record, format);
      if ('skipped' in flow) sink.skip(flow.skipped);
      else if (!flow.isOfOnePacket || seen.accepts(flow)) sink.flow(flow);
      else sink.skip('knownConnection');
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      sink.bad(`line ${item.line}`, error.message);
    }
  }
  return { records, turned: 0, forgotten: seen.forgotten };
}

async function* decoded(
  pieces: AsyncIterable<Uint8Array>,
  decode: (piece: Uint8Array) => string,
): AsyncGenerator<string> {
  for await (const piece of pieces) yield decode(piece);
}

/** Looks at the first bytes, and gives back the pieces as if nobody had. */
async function sniff(pieces: AsyncIterable<Uint8Array>) {
  const rest = pieces[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let start = new Uint8Array(0);
  while (start.length < 4) {
    const next = await rest.next();
    if (next.done === true) break;
    first.push(next.value);
    start = Uint8Array.from([...start, ...next.value.subarray(0, 4)]);
  }
  const all = (async function* () {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => rest };
  })();
  return { isCapture: isCaptureFile(start), all };
}
