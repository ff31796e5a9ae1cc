// Where records of flows are handed out: batches, unaggregated, to whoever listens. A store, an exporter or a stream that wants
// fewer of them puts an aggregator of its own behind it.
import type { Logger } from '../../base/log.ts';
import type { FlowLog } from './flow-log.ts';

/** Called with what one reading of the kernel gave. Must not keep the caller: what takes long is done later, from a copy. */
export type FlowLogListener = (logs: readonly FlowLog[]) => void;

/** What no record tells of, since the agent began. All zero: every packet is in some record. */
export interface FlowLoss {
  /** Events that the programs could not send because the ring buffer was full; packets and bytes that may be in no record. */
  readonly eventsLost: number;
  readonly packetsLost: number;
  readonly bytesLost: number;
  /** Denied and dropped packets that the rate limit told nothing of. */
  readonly eventsSuppressed: number;
  readonly bytesSuppressed: number;
  /** Records not made because more came at once than the agent describes: it samples. */
  readonly recordsSampledOut: number;
  /** Of those, the ones of denied packets: there would have been a record of each pair that was denied. */
  readonly deniedSampledOut: number;
  /** What they would have counted. */
  readonly packetsSampledOut: number;
  readonly bytesSampledOut: number;
}

export const NO_LOSS: FlowLoss = Object.freeze({
  eventsLost: 0,
  packetsLost: 0,
  bytesLost: 0,
  eventsSuppressed: 0,
  bytesSuppressed: 0,
  recordsSampledOut: 0,
  deniedSampledOut: 0,
  packetsSampledOut: 0,
  bytesSampledOut: 0,
});

/** Why a flow log did not go to who follows them as they come: it read too slowly, or asked for aggregates and had no room for one more. */
export type StreamLossReason = 'slow-reader' | 'too-many-keys';

export class FlowHub {
  readonly #log: Logger;
  readonly #leftOut: Record<StreamLossReason, number> = { 'slow-reader': 0, 'too-many-keys': 0 };
  readonly #listeners = new Set<FlowLogListener>();
  #readLoss: () => FlowLoss = () => NO_LOSS;
  #published = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Who publishes says what it loses. */
  countLossBy(readLoss: () => FlowLoss): void {
    this.#readLoss = readLoss;
  }

  /** Batches of unaggregated records, from now on. The returned function stops it. */
  listen(listener: FlowLogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What is told to nobody need not be made. */
  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  get lost(): FlowLoss {
    return this.#readLoss();
  }

  /** Flow logs that were handed out. */
  get published(): number {
    return this.#published;
  }

  /** Whoever streams flow logs says what it left out. */
  leaveOut(reason: StreamLossReason, flowLogs: number): void {
    this.#leftOut[reason] += flowLogs;
  }

  /** By all streams, those that have ended included. */
  get leftOut(): Readonly<Record<StreamLossReason, number>> {
    return { ...this.#leftOut };
  }

  /** A listener that throws is said so, and keeps no other from the batch. */
  publish(logs: readonly FlowLog[]): void {
    if (logs.length === 0) return;
    this.#published += logs.length;
    for (const listener of this.#listeners) {
      try {
        listener(logs);
      } catch (error) {
        this.#log.error('a listener did not take flow logs', { flowLogs: logs.length, error: String(error) });
      }
    }
  }

  close(): void {
    this.#listeners.clear();
  }
}
