import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackOff } from '../../../../src/agent/export/back-off.ts';
import { Exporter } from '../../../../src/agent/export/exporter.ts';
import { type EncodedBatch, type Sink, SinkError } from '../../../../src/agent/export/sink.ts';
import { Spool } from '../../../../src/agent/export/spool.ts';
import { Logger } from '../../../../src/base/log.ts';

/** Takes numbers, unless told otherwise. */
class TestSink implements Sink<number> {
  readonly taken: number[] = [];
  behave: (numbers: number[]) => Promise<number> = async () => 0;

  encode(items: readonly number[]): EncodedBatch {
    const sayable = items.filter((item) => item >= 0);
    return { bytes: Buffer.from(JSON.stringify(sayable)), records: sayable.length };
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    const numbers = JSON.parse(Buffer.from(bytes).toString()) as number[];
    const refused = await this.behave(numbers);
    this.taken.push(...numbers);
    return refused;
  }

  close(): void {
    this.end();
  }

  end: () => void = () => {};
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
const dead = () => Promise.reject(new Error('nobody is there'));

let folder: string;
let lines: string[];
let sink: TestSink;
let open: Exporter<number>[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-exporter-'));
  lines = [];
  sink = new TestSink();
  open = [];
});
afterEach(async () => {
  for (const exporter of open) await exporter.close();
  rmSync(folder, { recursive: true });
});

function start({ spool, queueBytes = 1_000_000 }: { spool?: number; queueBytes?: number } = {}): Exporter<number> {
  const exporter = new Exporter<number>({
    target: { name: 'test', kind: 'file', batchRecords: 10, flushMs: 20, queueBytes },
    sink,
    sizeOf: () => 100,
    spool: spool === undefined ? undefined : new Spool(folder, spool),
    log: new Logger({ level: 'debug', write: (line) => lines.push(line) }),
    backOff: new BackOff(() => 0),
  });
  open.push(exporter);
  return exporter;
}

/** Of all that was given, each is one of the three. */
function sumUp(exporter: Exporter<number>): void {
  const { emitted, delivered, dropped, waiting } = exporter.counters();
  expect(delivered + dropped + waiting).toBe(emitted);
}

describe('Exporter', () => {
  it('delivers in batches and in order, the last one when it is due', async () => {
    const exporter = start();
    const sizes: number[] = [];
    sink.behave = async (all) => {
      sizes.push(all.length);
      return 0;
    };
    exporter.accept(numbers(25));
    await vi.waitFor(() => expect(sink.taken).toEqual(numbers(25)));
    expect(sizes).toEqual([10, 10, 5]);
    expect(exporter.counters()).toMatchObject({ emitted: 25, delivered: 25, dropped: 0, waiting: 0, failures: 0 });
  });

  it('never waits, and drops what it has no room for, counted', () => {
    sink.behave = () => new Promise(() => {});
    sink.end = () => {};
    const exporter = start({ queueBytes: 5000 });
    exporter.accept(numbers(1000));
    const counters = exporter.counters();
    expect(counters.droppedBy['queue-full']).toBeGreaterThanOrEqual(940);
    expect(counters.waitingBytes).toBeLessThanOrEqual(5000);
    sumUp(exporter);
    sink.behave = dead;
    open = [];
  });

  it('tries again until it is delivered, says so once, and says that it goes again', async () => {
    let failures = 2;
    sink.behave = async () => (failures-- > 0 ? dead() : 0);
    const exporter = start();
    exporter.accept(numbers(3));
    await vi.waitFor(() => expect(sink.taken).toEqual([0, 1, 2]), { timeout: 3000 });
    expect(exporter.counters()).toMatchObject({ delivered: 3, failures: 2, dropped: 0 });
    expect(exporter.counters().error).toBeUndefined();
    expect(lines.map((line) => JSON.parse(line).message)).toEqual([
      'exporter does not deliver',
      'exporter delivers again',
    ]);
  });

  it('does not try again what will never be taken', async () => {
    sink.behave = async (all) => {
      if (all[0] === 0) throw new SinkError('HTTP 400', { isPermanent: true });
      return 0;
    };
    const exporter = start();
    exporter.accept(numbers(20));
    await vi.waitFor(() => expect(sink.taken).toEqual(numbers(10, 10)));
    expect(exporter.counters()).toMatchObject({ delivered: 10, dropped: 10 });
    expect(exporter.counters().droppedBy.refused).toBe(10);
  });

  it('counts what a receiver refuses of a batch, and what cannot be said', async () => {
    sink.behave = async () => 2;
    const exporter = start();
    exporter.accept([1, 2, 3, -1]);
    await vi.waitFor(() => expect(exporter.counters().waiting).toBe(0));
    expect(exporter.counters()).toMatchObject({ delivered: 1, dropped: 3 });
    expect(exporter.counters().droppedBy).toMatchObject({ refused: 2, 'not-expressible': 1 });
  });

  it('leaves a receiver alone for as long as it asks', async () => {
    let calls = 0;
    sink.behave = async () => {
      calls += 1;
      throw new SinkError('HTTP 429', { retryAfterMs: 60_000 });
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const exporter = start();
      exporter.accept([1]);
      await vi.advanceTimersByTimeAsync(59_000);
      expect(calls).toBe(1);
      expect(exporter.counters().waiting).toBe(1);
      await vi.advanceTimersByTimeAsync(2000);
      expect(calls).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps on disk what a dead receiver does not take, and delivers all of it in order', async () => {
    sink.behave = dead;
    const exporter = start({ spool: 1_000_000, queueBytes: 40_000 });
    for (let from = 0; from < 1000; from += 20) {
      exporter.accept(numbers(20, from));
      await vi.waitFor(() => expect(exporter.counters().waitingBytes).toBeLessThan(36_000), { interval: 1 });
    }
    await vi.waitFor(() => expect(exporter.counters().waitingBytes).toBeLessThan(40_000));
    expect(exporter.counters()).toMatchObject({ dropped: 0, delivered: 0, waiting: 1000 });
    sink.behave = async () => 0;
    await vi.waitFor(() => expect(exporter.counters().delivered).toBe(1000), { timeout: 10_000 });
    expect(sink.taken).toEqual(numbers(1000));
    expect(exporter.counters()).toMatchObject({ spooledBytes: 0, waiting: 0 });
  });

  it('spills to disk what comes at once and is more than its memory, and delivers all of it in order', async () => {
    const exporter = start({ spool: 1_000_000, queueBytes: 5000 });
    exporter.accept(numbers(1000));
    sumUp(exporter);
    expect(exporter.counters()).toMatchObject({ dropped: 0, emitted: 1000 });
    await vi.waitFor(() => expect(exporter.counters().waiting).toBe(0), { timeout: 10_000 });
    expect(exporter.counters()).toMatchObject({ delivered: 1000, dropped: 0, spooledBytes: 0 });
    expect(sink.taken).toEqual(numbers(1000));
  });

  it('spills while it sends from disk, and counts each of them once', async () => {
    const exporter = start({ spool: 600, queueBytes: 1000 });
    sink.behave = () => new Promise((resolve) => setImmediate(() => resolve(0)));
    for (let from = 0; from < 2000; from += 100) {
      exporter.accept(numbers(100, from));
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      sumUp(exporter);
    }
    await vi.waitFor(() => expect(exporter.counters().waiting).toBe(0), { timeout: 10_000 });
    const { delivered, dropped, spooledBytes, droppedBy } = exporter.counters();
    expect([delivered + dropped, spooledBytes]).toEqual([2000, 0]);
    expect(droppedBy['spool-full']).toBeGreaterThan(0);
    expect(delivered).toBe(sink.taken.length);
    expect(new Set(sink.taken).size).toBe(delivered);
  });

  it('bounds what is on disk, and counts what went', async () => {
    sink.behave = dead;
    const exporter = start({ spool: 400, queueBytes: 2000 });
    for (let from = 0; from < 600; from += 10) {
      exporter.accept(numbers(10, from));
      await vi.waitFor(() => expect(exporter.counters().waitingBytes).toBeLessThan(1000), { interval: 1 });
    }
    await vi.waitFor(() => expect(exporter.counters().droppedBy['spool-full']).toBeGreaterThan(300));
    expect(exporter.counters().spooledBytes).toBeLessThanOrEqual(400);
    sumUp(exporter);
  });

  it('leaves what was not delivered to the next agent', async () => {
    sink.behave = dead;
    const exporter = start({ spool: 1_000_000 });
    exporter.accept(numbers(35));
    await vi.waitFor(() => expect(exporter.counters().failures).toBeGreaterThan(0));
    await exporter.close();
    expect(exporter.counters()).toMatchObject({ dropped: 0, waiting: 35 });
    sink = new TestSink();
    const next = start({ spool: 1_000_000 });
    await vi.waitFor(() => expect(sink.taken).toEqual(numbers(35)));
    expect(next.counters()).toMatchObject({ emitted: 35, delivered: 35 });
  });

  it('sends what waits before it closes, and closes although a receiver hangs', async () => {
    const first = start();
    first.accept(numbers(3));
    await first.close();
    expect(sink.taken).toEqual([0, 1, 2]);
    sink = new TestSink();
    let give: (error: Error) => void = () => {};
    sink.behave = () => new Promise((_, reject) => (give = reject));
    sink.end = () => give(new Error('closed'));
    const second = start();
    second.accept(numbers(15));
    await second.close();
    expect(second.counters()).toMatchObject({ delivered: 0, dropped: 15 });
    expect(second.counters().droppedBy.stopped).toBe(15);
  });
});

describe('BackOff', () => {
  it('waits longer each time, to a minute at most, and by chance between half and all of it', () => {
    const least = new BackOff(() => 0);
    const most = new BackOff(() => 1);
    const waits = Array.from({ length: 12 }, () => [least.failed(), most.failed()]);
    expect(waits.slice(0, 3)).toEqual([
      [125, 250],
      [250, 500],
      [500, 1000],
    ]);
    expect(waits.at(-1)).toEqual([30_000, 60_000]);
    most.succeeded();
    expect(most.failed()).toBe(250);
  });
});
