// What could not be put in force: said once, and for as long as it stands not tried again where that cannot help. Part of Agent.
import { DataplaneError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { isSameWiring, type Wiring } from '../kernel/wiring.ts';

interface Attempt {
  readonly desired: DesiredState;
  readonly wiring: Wiring;
}

export class Refusal {
  readonly #log: Logger;
  readonly #onRefused: () => void;
  #error: DataplaneError | undefined;
  /** Not tried again until one of the two changes. */
  #attempt: Attempt | undefined;

  constructor(log: Logger, onRefused: () => void) {
    this.#log = log;
    this.#onRefused = onRefused;
  }

  /** Of the last try; undefined = it is in force. */
  get error(): DataplaneError | undefined {
    return this.#error;
  }

  /** Throws what is no DataplaneError. `attempt` = what was refused, where it is known. */
  note(error: unknown, attempt?: Attempt): void {
    if (!(error instanceof DataplaneError)) throw error;
    if (this.#error?.message !== error.message) {
      this.#log.error('policy not changed, the last good one stays in force', { error: error.toJSON() });
    }
    this.#error = error;
    this.#onRefused();
    if (error.code === 'TABLE_FULL' || error.code === 'LIMIT_EXCEEDED') this.#attempt = attempt;
  }

  /** It would be refused again. */
  standsFor(desired: DesiredState, wiring: Wiring): boolean {
    return desired === this.#attempt?.desired && isSameWiring(wiring, this.#attempt.wiring);
  }

  clear(): void {
    this.#error = undefined;
  }
}
