// The block list in force: every edit is checked, put in force, written down, and answered, one after the other. What the parts do
// is theirs: who blocks what (block-list.ts), the disk (block-store.ts), the table and the interfaces (enforcement.ts).
import type { Logger } from '../../base/log.ts';
import type { IpAddress } from '../../model/address.ts';
import { finishInSlices } from '../slices.ts';
import { type BlockChange, type BlockEdit, BlockList } from './block-list.ts';
import type { BlockStore } from './block-store.ts';
import type { Clock } from './clock.ts';
import type { Enforcement } from './enforcement.ts';

export interface BlockerParts {
  /** There is something to load. */
  readonly isStored: () => boolean;
  readonly openStore: () => BlockStore;
  readonly enforcement: Enforcement;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Blocker {
  readonly #parts: BlockerParts;
  readonly list = new BlockList();
  #store: BlockStore | undefined;
  /** Edits come one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #callOff: (() => void) | undefined;
  #isLoaded = false;
  #isClosed = false;

  constructor(parts: BlockerParts) {
    this.#parts = parts;
  }

  /** Puts in force what the store holds, but for what has come to its end. Throws STORE_FAILED, TABLE_FULL and KERNEL. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  /**
   * In force and on disk when it resolves. `plan` is called when its turn has come, and may throw; `onForce` when packets are judged
   * by the edit, which is before it is on disk. Throws TABLE_FULL, STORE_FAILED and KERNEL: nothing has changed then.
   */
  edit<T>(plan: () => { readonly edit: BlockEdit; readonly answer: T }, onForce = (): void => undefined): Promise<T> {
    return this.#inTurn(async () => {
      await this.#load();
      const { edit, answer } = plan();
      await this.#make(edit, onForce);
      return answer;
    });
  }

  /**
   * Has something done once nothing else is under way. `isEmpty` undefined = the list could not be loaded: nobody knows, and what is
   * attached must not be taken for nobody's.
   */
  whenIdle(work: (isEmpty: boolean | undefined) => void): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isClosed) work(this.#isLoaded ? this.list.isEmpty : undefined);
    });
  }

  /** Whether packets from that address are dropped by the table in force, wherever it is attached. */
  isDropped(address: IpAddress): boolean {
    return this.#parts.enforcement.isDropped(address);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#callOff?.();
    await this.#last;
    await this.#store?.close();
    this.#parts.enforcement.close();
  }

  /** Once; what failed is tried again before the next edit: without what is stored already, an edit would take that back. */
  async #load(): Promise<void> {
    if (this.#isLoaded) return;
    const edit = this.#parts.isStored() ? this.#open().read() : {};
    await this.#enforce(edit);
    this.list.apply(edit);
    this.#isLoaded = true;
    await this.#removeExpired();
  }

  #open(): BlockStore {
    this.#store ??= this.#parts.openStore();
    return this.#store;
  }

  async #make(edit: BlockEdit, onForce: () => void): Promise<void> {
    const inverse = this.list.inverseOf(edit);
    await this.#enforce(edit);
    this.list.apply(edit);
    this.#parts.enforcement.settle(this.list.isEmpty);
    onForce();
    try {
      this.#open().put(edit);
    } catch (error) {
      await this.#enforce(inverse);
      this.list.apply(inverse);
      this.#parts.enforcement.settle(this.list.isEmpty);
      throw error;
    }
    this.#watchEnds();
  }

  /** The list itself is as before until the caller has it changed. */
  async #enforce(edit: BlockEdit): Promise<void> {
    const change = this.list.changeOf(edit);
    if (countOf(change) === 0) return;
    const changed = await finishInSlices(this.#parts.enforcement.changing(change), () => true);
    if (changed !== undefined) await this.#parts.enforcement.publish(changed);
  }

  #watchEnds(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const next = this.list.nextEndMs;
    if (next === undefined || this.#isClosed) return;
    this.#callOff = this.#parts.clock.wakeAt(next, () => {
      this.#inTurn(() => this.#removeExpired()).catch((error: unknown) => {
        this.#parts.log.error('what has come to its end is still blocked', { error: String(error) });
      });
    });
  }

  async #removeExpired(): Promise<void> {
    if (this.#isClosed) return;
    const expired = this.list.expiredAt(this.#parts.clock.nowMs());
    const count = expired.removedEntries.length + expired.removedFeeds.length;
    if (count > 0) {
      await this.#make(expired, () => undefined);
      const { removedEntries, removedFeeds } = expired;
      this.#parts.log.info('no longer blocked', { entries: removedEntries.length, feeds: removedFeeds });
    } else {
      this.#parts.enforcement.settle(this.list.isEmpty);
      this.#watchEnds();
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function countOf({ added, removed }: BlockChange): number {
  return added[4].count + added[6].count + removed[4].count + removed[6].count;
}
