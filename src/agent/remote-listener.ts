// The listener for other machines over the agent's life: opened when it can be, opened again with new certificates. That it cannot
// be opened must take the agent away from nobody: the agent starts before the machine has addresses.
import type { Logger } from '../base/log.ts';
import type { TlsListenerOptions } from './api/options.ts';
import type { AgentApi } from './api.ts';

const TRY_EVERY_MS = 5000;

export class RemoteListener {
  readonly #api: Pick<AgentApi, 'listenRemote' | 'renewCertificates'>;
  readonly #options: TlsListenerOptions;
  readonly #log: Logger;
  readonly #tryEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isClosed = false;
  /** Tries come one after the other. */
  #tried: Promise<void> = Promise.resolve();
  /** Why not, as it was logged last. */
  #told = '';

  constructor(
    api: Pick<AgentApi, 'listenRemote' | 'renewCertificates'>,
    options: TlsListenerOptions,
    log: Logger,
    tryEveryMs = TRY_EVERY_MS,
  ) {
    this.#api = api;
    this.#options = options;
    this.#log = log;
    this.#tryEveryMs = tryEveryMs;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves after the first try; more follow until one succeeds. */
  open(): Promise<void> {
    clearTimeout(this.#timer);
    this.#tried = this.#tried.then(() => this.#try());
    return this.#tried;
  }

  /** Takes new certificates, or tries again at once where it is not open. */
  async renew(): Promise<void> {
    if (!this.#isOpen) return this.open();
    try {
      this.#api.renewCertificates();
    } catch (error) {
      this.#log.error('certificates of the API not renewed, those in use stay', { error: describe(error) });
    }
  }

  /** Ends the tries; an open listener is closed by the API that it belongs to. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#tried;
  }

  async #try(): Promise<void> {
    if (this.#isOpen || this.#isClosed) return;
    const { address, port } = this.#options;
    try {
      await this.#api.listenRemote(this.#options);
      this.#isOpen = true;
      this.#log.info('listening to other machines', { address, port });
    } catch (error) {
      this.#tell(describe(error));
      if (!this.#isClosed) this.#timer = setTimeout(() => void this.open(), this.#tryEveryMs);
    }
  }

  #tell(why: string): void {
    if (why !== this.#told) this.#log.error('not listening to other machines, trying again', { error: why });
    this.#told = why;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
