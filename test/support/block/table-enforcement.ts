// The block list's table without a kernel: what a GuardTable would hold, in an array of this process.
import { GuardClass, GuardDims } from '../../../src/abi/guard.gen.ts';
import { HeapDims } from '../../../src/abi/heap.gen.ts';
import type { BlockChange } from '../../../src/agent/block/block-list.ts';
import type { Enforcement } from '../../../src/agent/block/enforcement.ts';
import type { SynStatus } from '../../../src/agent/block/syn-status.ts';
import { DataplaneError } from '../../../src/base/errors.ts';
import type { Steps } from '../../../src/base/steps.ts';
import { type Family, type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { type ChangedEntries, LivePrefixes } from '../../../src/tables/prefix-live.ts';
import { walkPrefixTable } from '../../../src/tables/prefix-table-lookup.ts';

/** Nothing is done about new TCP connections. */
export const NO_SYNS: SynStatus = {
  protection: 'off',
  sourceRate: 500,
  listenerRate: 1000,
  interfaces: [],
  lack: null,
  limited: { packets: 0, bytes: 0 },
  answered: { packets: 0, bytes: 0 },
};

const BLOCK = HeapDims.HEAP_BLOCK_WORDS;
const ROOTS: Readonly<Record<Family, number>> = { 4: BLOCK, 6: BLOCK + GuardDims.ROOT_WORDS };
const FIRST_NODE = BLOCK + 2 * GuardDims.ROOT_WORDS;

export class TableEnforcement implements Enforcement {
  readonly interfaces = [];
  readonly drops = { source: { packets: 0, bytes: 0 }, hole: { packets: 0, bytes: 0 } };
  readonly bytes = 0;
  readonly syn = NO_SYNS;
  lack: string | undefined;
  words = new Uint32Array(FIRST_NODE + BLOCK);
  /** Blocks that it may grow to. */
  room = 1 << 16;
  isAttached = false;
  /** Called when all that is known of an edit is in force. */
  onSettle = (): void => undefined;
  readonly #prefixes = new LivePrefixes(this, FIRST_NODE);

  grow(words: number): void {
    if (words > this.room * BLOCK)
      throw new DataplaneError('TABLE_FULL', 'no room', { operation: 'grow', target: 'test' });
    const grown = new Uint32Array(Math.min(2 * this.words.length, this.room * BLOCK));
    grown.set(this.words);
    this.words = grown;
  }

  changing({ added, removed }: BlockChange): Steps<ChangedEntries> {
    return this.#prefixes.changing(added, removed);
  }

  async publish(changed: ChangedEntries): Promise<void> {
    for (const family of [4, 6] as const) {
      for (const [index, entry] of changed[family]) this.words[ROOTS[family] + index] = entry;
    }
    this.#prefixes.reuse(this.#prefixes.takeRetired());
  }

  settle(isEmpty: boolean): void {
    this.isAttached = !isEmpty;
    this.onSettle();
  }

  configure(): void {}

  policyChanged(): void {}

  isDropped(address: IpAddress): boolean {
    const table = { base: 0, words: this.words, roots: ROOTS };
    return walkPrefixTable(table, address).class === GuardClass.DROP;
  }

  /** Those of the addresses whose packets are dropped. */
  dropped(...addresses: readonly string[]): string[] {
    return addresses.filter((text) => this.isDropped(parseAddress(text) as IpAddress));
  }

  close(): void {}
}
