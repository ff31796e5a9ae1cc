// The wall clock of a guest, set as somebody sets it by hand. Nobody may do that to the machine that tests run on.
import { existsSync } from 'node:fs';
import { runCommand } from '../../../src/bench/command.ts';

/** Of every guest, and of nothing else. */
const GUEST_MARK = '/run/tortie-guest';

export class WallClock {
  /** Of the true time, ahead of the clock that nobody sets. */
  readonly #offsetMs = Date.now() - performance.now();

  constructor() {
    if (!existsSync(GUEST_MARK)) throw new Error(`the clock of this machine is not set: no ${GUEST_MARK}, no guest`);
  }

  /** From where it is now. */
  async move(byMs: number): Promise<void> {
    await this.#set(Date.now() + byMs);
  }

  /** To the true time. */
  async restore(): Promise<void> {
    await this.#set(this.#offsetMs + performance.now());
  }

  async #set(ms: number): Promise<void> {
    await runCommand(['date', '--set', `@${(ms / 1000).toFixed(3)}`]);
  }
}
