// One long-lived connection as its reports tell it: is it alive, how long was it not. Opened and fed by peer.ts.
import { DataplaneError } from '../../src/base/errors.ts';
import { PATIENCE } from './patience.ts';

/** All but the first three end the stream. */
export type StreamState =
  | 'connected'
  | 'alive'
  | 'stalled'
  | 'stopped'
  | 'closed'
  | 'reset'
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'corrupt';

export interface StreamReport {
  readonly state: StreamState;
  /** Counters echoed so far. */
  readonly alive: number;
  /** The longest wait for an echo since the report before. */
  readonly gapMs: number;
  /** Segments so far that were sent again or came after a hole: packets dropped on the way, however busy the machine. */
  readonly lost: number;
  readonly detail?: string;
}

const LIVE: ReadonlySet<StreamState> = new Set(['connected', 'alive', 'stalled']);

interface Waiter {
  readonly accepts: (report: StreamReport) => boolean;
  readonly settle: (report: StreamReport | undefined) => void;
}

export class Stream {
  readonly #reports: StreamReport[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #requestStop: () => void;
  #ended = false;

  constructor(requestStop: () => void) {
    this.#requestStop = requestStop;
  }

  /** Every report so far; progress is reported about ten times a second. */
  get reports(): readonly StreamReport[] {
    return this.#reports;
  }

  get last(): StreamReport | undefined {
    return this.#reports.at(-1);
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** The longest wait for an echo in the stream's whole life. */
  get longestGapMs(): number {
    return Math.max(0, ...this.#reports.map((report) => report.gapMs));
  }

  /** The next report that `accepts` takes, the last one so far included. Throws KERNEL after `timeoutMs` or at the stream's end. */
  waitFor(accepts: (report: StreamReport) => boolean, timeoutMs: number): Promise<StreamReport> {
    const last = this.last;
    if (last !== undefined && accepts(last)) return Promise.resolve(last);
    return new Promise((resolve, reject) => {
      const fail = () =>
        reject(
          new DataplaneError('KERNEL', 'no such report', {
            operation: 'wait for',
            target: 'stream',
            found: this.last?.state,
          }),
        );
      const waiter: Waiter = {
        accepts,
        settle: (report) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          if (report === undefined) fail();
          else resolve(report);
        },
      };
      const timer = setTimeout(() => waiter.settle(undefined), timeoutMs * PATIENCE);
      this.#waiters.add(waiter);
      if (this.#ended) waiter.settle(undefined);
    });
  }

  /** Waits until `count` more counters have come back. Throws KERNEL if they do not within `timeoutMs`. */
  async progress(count: number, timeoutMs: number): Promise<StreamReport> {
    const goal = (this.last?.alive ?? 0) + count;
    return this.waitFor((report) => report.alive >= goal, timeoutMs);
  }

  /** Closes the connection in order. Returns the last report, also of a stream that had ended before. Throws KERNEL. */
  async stop(timeoutMs = 1000): Promise<StreamReport> {
    if (!this.#ended) this.#requestStop();
    return this.waitFor((report) => !LIVE.has(report.state), timeoutMs);
  }

  /** A line from the peer. For peer.ts alone. */
  accept(report: StreamReport): void {
    this.#reports.push(report);
    this.#ended = !LIVE.has(report.state);
    for (const waiter of [...this.#waiters]) {
      if (waiter.accepts(report)) waiter.settle(report);
      else if (this.#ended) waiter.settle(undefined);
    }
  }

  /** The peer is gone and nothing more will be reported. For peer.ts alone. */
  abandon(): void {
    this.#ended = true;
    for (const waiter of [...this.#waiters]) waiter.settle(undefined);
  }
}
