// Flows as they come, from the moment that the stream is open: what comes before somebody reads it waits here.
import { Readable } from 'node:stream';
import type { FlowLog } from '../observe/flows/flow-log.ts';
import { type AgentRequest, openAnswer } from './agent-client.ts';

/** What more comes the agent leaves out, and counts. */
const MAX_WAITING = 100_000;
/** A record that the store has as well is told within this time after its end. */
const OVERLAP_MS = 600_000;

export class FlowStream {
  readonly openedAt = Date.now();
  readonly #lines: Readable;
  readonly #close: () => void;
  /** How many of each there are, of those that are shown already and may come again. */
  readonly #shown = new Map<string, number>();

  private constructor(lines: AsyncIterable<string>, close: () => void) {
    this.#lines = Readable.from(lines, { objectMode: true, highWaterMark: MAX_WAITING });
    this.#close = close;
    // Whoever reads gets it; before that it waits.
    this.#lines.on('error', () => undefined);
    this.#lines.read(0);
  }

  /** Nothing that comes from now on is missed. Throws as followAgent does. */
  static async open(socket: string, query: AgentRequest['query']): Promise<FlowStream> {
    const { lines, close } = await openAnswer(socket, { method: 'GET', path: '/flows/stream', query });
    return new FlowStream(lines, close);
  }

  /** These are shown: they are not told a second time. */
  know(logs: readonly FlowLog[]): void {
    for (const log of logs) {
      if (log.endTime < this.openedAt - OVERLAP_MS) continue;
      const key = keyOf(log);
      this.#shown.set(key, (this.#shown.get(key) ?? 0) + 1);
      // Pages come in order of time: the first one is the least likely to come again.
      const [first] = this.#shown.size > MAX_WAITING ? this.#shown.keys() : [];
      if (first !== undefined) this.#shown.delete(first);
    }
  }

  async *flows(): AsyncGenerator<FlowLog, void, void> {
    for await (const line of this.#lines) {
      if (line === '') continue;
      const log = JSON.parse(line as string) as FlowLog;
      if (!this.#isShown(log)) yield log;
    }
  }

  close(): void {
    this.#close();
  }

  #isShown(log: FlowLog): boolean {
    if (this.#shown.size === 0) return false;
    const key = keyOf(log);
    const count = this.#shown.get(key) ?? 0;
    if (count > 1) this.#shown.set(key, count - 1);
    else this.#shown.delete(key);
    return count > 0;
  }
}

function keyOf({ startTime, endTime, phase, node, reporter, action, protocol, ...log }: FlowLog): string {
  const { source, destination, icmpType, packetsIn, packetsOut, bytesIn, bytesOut } = log;
  const ends = [source.address, source.port, destination.address, destination.port, icmpType];
  const counts = [packetsIn, packetsOut, bytesIn, bytesOut];
  return [startTime, endTime, phase, node, reporter, action, protocol, ...ends, ...counts].join(' ');
}
