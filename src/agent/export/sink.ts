// What an exporter delivers to: encodes batches, and sends what was encoded. The two are apart because what cannot be sent now
// waits, on disk perhaps, for a later connection or a later agent.

export interface EncodedBatch {
  /** Says nothing that holds for one connection only. */
  readonly bytes: Uint8Array;
  /** What was encoded: flow logs, or lines of packets. */
  readonly records: number;
}

export interface Sink<T> {
  /** Those of the items that the format can say. */
  encode(items: readonly T[]): EncodedBatch;
  /** Resolves with the number of records that the receiver has refused. Throws SinkError, or anything for what may pass. */
  send(batch: EncodedBatch): Promise<number>;
  /** Ends connections, and with them what is being sent. */
  close(): Promise<void> | void;
}

/** Why a batch was not delivered. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  /** Sending the same again would end the same. */
  readonly isPermanent: boolean;
  /** The receiver asks to be left alone for so long. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { isPermanent?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.isPermanent = options.isPermanent ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
