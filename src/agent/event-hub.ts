// Hands events with names to whoever listens at the moment; nobody listening costs nothing but the read.
import type { Logger } from '../base/log.ts';
import { decodeEvents } from '../events/decode.ts';
import type { NameLookup } from '../model/name-lookup.ts';
import { describeEvent, type FlowRecord } from '../observe/flow-record.ts';

export type FlowListener = (record: FlowRecord) => void;
/** Called with what the programs sent, as it is: [u32 length][record]... */
export type ChunkListener = (chunk: Uint8Array) => void;

export class EventHub {
  readonly #names: NameLookup;
  readonly #log: Logger;
  readonly #listeners = new Set<FlowListener>();
  readonly #chunkListeners = new Set<ChunkListener>();

  constructor(names: NameLookup, log: Logger) {
    this.#names = names;
    this.#log = log;
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

  /** A listener that fails keeps the chunk from nobody else, and the agent alive: it is called straight from the ring buffer. */
  publish(chunk: Uint8Array): void {
    for (const listener of this.#chunkListeners) this.#tell(listener, chunk);
    if (this.#listeners.size === 0) return;
    const now = new Date();
    for (const event of decodeEvents(chunk)) {
      const record = describeEvent(event, this.#names, now);
      for (const listener of this.#listeners) this.#tell(listener, record);
    }
  }

  close(): void {
    this.#listeners.clear();
    this.#chunkListeners.clear();
  }

  #tell<T>(listener: (what: T) => void, what: T): void {
    try {
      listener(what);
    } catch (error) {
      this.#log.error('events not taken', { error: String(error) });
    }
  }
}
