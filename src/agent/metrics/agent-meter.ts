// What the agent tells its metrics as it goes: changes and how long they take, the store, the kernel. Part of Agent.
import { Instruments } from '../../observe/metrics/instruments.ts';
import type { EventHub } from '../event-hub.ts';
import type { AgentOptions } from '../options.ts';
import { ChangeClock } from './change-clock.ts';

export class AgentMeter {
  /** `*` = of all nodes. */
  readonly node: string;
  readonly instruments: Instruments;
  readonly #changes = new ChangeClock();
  readonly #startMs = performance.now();
  #hasBeenInForce = false;

  constructor({ node, metricsHits }: Pick<AgentOptions, 'node' | 'metricsHits'>) {
    this.node = node;
    this.instruments = new Instruments(metricsHits, () => this.#changes.pendingSeconds);
  }

  /** Objects of files have changed, and are known as of now. `noticedMs` = when the files had; undefined = none has. */
  filesChanged(noticedMs: number | undefined): void {
    if (noticedMs === undefined) return;
    this.instruments.datastore.observe({ operation: 'watch' }, secondsSince(noticedMs));
    this.#changes.note(noticedMs);
  }

  /** A change was written to the store, begun then. */
  stored(sinceMs: number): void {
    this.instruments.datastore.observe({ operation: 'write' }, secondsSince(sinceMs));
  }

  /** A change over the API; one that is refused is none. */
  async asked<T>(change: Promise<T>): Promise<T> {
    const sinceMs = performance.now();
    const result = await change;
    this.instruments.change.observe({ source: 'api' }, secondsSince(sinceMs));
    return result;
  }

  /** What is known of changed files now is about to be brought into the kernel: the returned function says that it is there. */
  takeChanges(): () => void {
    const taken = this.#changes.take();
    return () => {
      for (const seconds of taken.inForce()) this.instruments.change.observe({ source: 'file' }, seconds);
      if (this.#hasBeenInForce) return;
      this.#hasBeenInForce = true;
      this.instruments.felix.initialResync.set(secondsSince(this.#startMs));
    };
  }

  /** Brings a state of policy into the kernel; what changes nothing there is not measured. */
  async applying<T extends { readonly isChanged: boolean }>(work: () => Promise<T>): Promise<T> {
    const { apply, felix } = this.instruments;
    const sinceMs = performance.now();
    const result = await work();
    if (result.isChanged) {
      apply.observe(secondsSince(sinceMs));
      felix.apply.observe(secondsSince(sinceMs));
    }
    return result;
  }

  /** The chunk, once its records are counted. */
  counted(chunk: Uint8Array, records: number): Uint8Array {
    this.instruments.events.inc(records);
    return chunk;
  }

  /** Nobody listens unless hits are asked for: a record of each event costs. */
  countHits(events: Pick<EventHub, 'listen'>): void {
    const { hits } = this.instruments;
    if (hits.detail !== 'off') events.listen((record) => hits.note(record));
  }

  /** What was to be in force cannot be, or not yet. */
  failed(): void {
    this.instruments.applyFailures.inc();
    this.instruments.felix.failures.inc();
  }
}

function secondsSince(sinceMs: number): number {
  return Math.max(0, performance.now() - sinceMs) / 1000;
}
