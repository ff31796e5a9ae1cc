// Hands events with names to whoever listens at the moment; nobody listening costs nothing but the read.
import { decodeEvents } from '../events/decode.ts';
import type { NameLookup } from '../model/name-lookup.ts';
import { describeEvent, type FlowRecord } from '../observe/flow-record.ts';

export type FlowListener = (record: FlowRecord) => void;
/** Called with what the programs sent, as it is: [u32 length][record]... */
export type ChunkListener = (chunk: Uint8Array) => void;

export class EventHub {
  readonly #names: NameLookup;
  readonly #listeners = new Set<FlowListener>();
  readonly #chunkListeners = new Set<ChunkListener>();

  constructor(names: NameLookup) {
    this.#names = names;
  }

  /** The returned function stops it. */
  listen(listener: FlowListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For those who look at few records. The returned function stops it. */
  listenToChunks(listener: ChunkListener): () => void {
    this.#chunkListeners.add(listener);
    return () => this.#chunkListeners.delete(listener);
  }

  /** What events are described with. */
  get names(): NameLookup {
    return this.#names;
  }

  publish(chunk: Uint8Array): void {
    for (const listener of this.#chunkListeners) listener(chunk);
    if (this.#listeners.size === 0) return;
    const now = new Date();
    for (const event of decodeEvents(chunk)) {
      const record = describeEvent(event, this.#names, now);
      for (const listener of this.#listeners) listener(record);
    }
  }

  close(): void {
    this.#listeners.clear();
    this.#chunkListeners.clear();
  }
}
