// Hands events with names to whoever listens at the moment; nobody listening costs nothing but the read.
import { decodeEvents } from '../events/decode.ts';
import type { NameLookup } from '../model/name-lookup.ts';
import { describeEvent, type FlowRecord } from '../observe/flow-record.ts';

export type FlowListener = (record: FlowRecord) => void;

export class EventHub {
  readonly #names: NameLookup;
  readonly #listeners = new Set<FlowListener>();

  constructor(names: NameLookup) {
    this.#names = names;
  }

  /** The returned function stops it. */
  listen(listener: FlowListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(chunk: Uint8Array): void {
    if (this.#listeners.size === 0) return;
    const now = new Date();
    for (const event of decodeEvents(chunk)) {
      const record = describeEvent(event, this.#names, now);
      for (const listener of this.#listeners) listener(record);
    }
  }

  close(): void {
    this.#listeners.clear();
  }
}
