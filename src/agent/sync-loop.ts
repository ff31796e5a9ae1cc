// Runs one piece of work at a time and once more if it was asked for meanwhile: many requests, few runs.
import type { Logger } from '../base/log.ts';

export class SyncLoop {
  readonly #work: () => Promise<void>;
  readonly #log: Logger;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #hasFailed = false;
  #isStopped = false;

  constructor(work: () => Promise<void>, log: Logger) {
    this.#work = work;
    this.#log = log;
  }

  /** Nothing is running and nothing was asked for. */
  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** The last run ended early: what it was to do is not done. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Resolves when a run that began after this call has ended. */
  request(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#isWanted = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Resolves when the last run has ended; no other begins. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      try {
        await this.#work();
        this.#hasFailed = false;
      } catch (error) {
        this.#hasFailed = true;
        this.#log.error('synchronisation ended early', { error: String(error), stack: (error as Error).stack });
      }
    }
    this.#running = undefined;
  }
}
