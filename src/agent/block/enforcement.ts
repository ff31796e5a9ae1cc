// The kernel's side of the block list: its table, and the interfaces that judge by it. The table is made when something is blocked;
// the program is attached when the table is complete.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GuardReason } from '../../abi/guard.gen.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Steps } from '../../base/steps.ts';
import type { GuardDrops } from '../../kernel/guard-object.ts';
import { GuardTable } from '../../kernel/guard-table.ts';
import type { Repair } from '../../kernel/repair.ts';
import type { IpAddress } from '../../model/address.ts';
import type { ChangedEntries } from '../../tables/prefix-live.ts';
import type { LiveOptions } from '../options.ts';
import type { BlockChange } from './block-list.ts';
import { AUTO } from './guard-choice.ts';
import { type GuardedStatus, GuardKeeper, type KeeperOptions } from './guard-keeper.ts';

export interface DropCounts {
  /** Packets from blocked sources. */
  readonly source: GuardDrops;
  /** Packets that the table led nowhere: a bug. */
  readonly hole: GuardDrops;
}

/** Settings that may change. */
export type GuardSettings = Pick<LiveOptions, 'guardInterfaces' | 'interfacePrefix'>;

/** What is asked of the kernel; a test without one has its own. */
export interface Enforcement {
  /** As of the last look. */
  readonly interfaces: readonly GuardedStatus[];
  /** Why blocked sources are not dropped, or not everywhere; undefined = they are, or there are none. */
  readonly lack: string | undefined;
  /** Bytes of the table in the kernel. */
  readonly bytes: number;
  readonly drops: DropCounts;
  /** Nothing is in force before `publish`. Throws TABLE_FULL and KERNEL: nothing has changed then. */
  changing(change: BlockChange): Steps<ChangedEntries>;
  publish(changed: ChangedEntries): Promise<void>;
  /** Attaches the program, or takes it off where nothing is blocked and nobody has named interfaces. */
  settle(isEmpty: boolean): void;
  configure(settings: GuardSettings, isEmpty: boolean): void;
  isDropped(address: IpAddress): boolean;
  /** What is attached stays in force. */
  close(): void;
}

export interface KernelEnforcementOptions {
  /** The directory of all pins. */
  readonly pinRoot: string;
  /** Whether an interface is known to be a workload's, whatever it is called. */
  readonly isWorkload: (name: string) => boolean;
  readonly onRepair: (repairs: readonly Repair[]) => void;
  readonly log: Logger;
}

/** Below the directory of all pins. Not below that of a layout: an agent of another layout takes over what is there. */
const PLACE = 'guard';

export class KernelEnforcement implements Enforcement {
  readonly #directory: string;
  readonly #keeperOptions: KeeperOptions;
  #settings: GuardSettings;
  #table: GuardTable | undefined;
  #keeper: GuardKeeper | undefined;

  constructor({ pinRoot, isWorkload, onRepair, log }: KernelEnforcementOptions, settings: GuardSettings) {
    this.#directory = join(pinRoot, PLACE);
    this.#settings = settings;
    this.#keeperOptions = {
      setting: () => this.#settings.guardInterfaces,
      isWorkload: (name) => isWorkload(name) || hasPrefix(name, this.#settings.interfacePrefix),
      onRepair,
      log,
    };
  }

  get interfaces(): readonly GuardedStatus[] {
    return this.#keeper?.statuses ?? [];
  }

  get lack(): string | undefined {
    return this.#keeper?.lack;
  }

  get bytes(): number {
    return this.#table?.bytes ?? 0;
  }

  /** Since the counters were pinned: an agent that comes later counts on. */
  get drops(): DropCounts {
    const none = { packets: 0, bytes: 0 };
    return {
      source: this.#table?.drops(GuardReason.DROP_SOURCE) ?? none,
      hole: this.#table?.drops(GuardReason.DROP_HOLE) ?? none,
    };
  }

  changing({ added, removed }: BlockChange): Steps<ChangedEntries> {
    return this.#open().changing(added, removed);
  }

  async publish(changed: ChangedEntries): Promise<void> {
    await this.#open().publish(changed, (program) => this.#keeper?.replaceProgram(program));
  }

  settle(isEmpty: boolean): void {
    const { guardInterfaces } = this.#settings;
    if (!isEmpty || (guardInterfaces !== AUTO && guardInterfaces !== '')) {
      this.#openKeeper().begin(this.#open().program);
      return;
    }
    if (existsSync(this.#directory)) this.#openKeeper().end();
    this.#table?.close();
    this.#table = undefined;
  }

  configure(settings: GuardSettings, isEmpty: boolean): void {
    const isSame = settings.guardInterfaces === this.#settings.guardInterfaces;
    this.#settings = settings;
    if (isSame) return;
    this.settle(isEmpty);
    this.#keeper?.lookAgain();
  }

  isDropped(address: IpAddress): boolean {
    return this.#table?.isDropped(address) ?? false;
  }

  close(): void {
    this.#keeper?.close();
    this.#table?.close();
  }

  #openKeeper(): GuardKeeper {
    this.#keeper ??= new GuardKeeper(join(this.#directory, 'links'), this.#keeperOptions);
    return this.#keeper;
  }

  #open(): GuardTable {
    if (this.#table === undefined) {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      this.#table = openTable(join(this.#directory, 'drops'));
    }
    return this.#table;
  }
}

function hasPrefix(name: string, prefixes: string): boolean {
  return prefixes !== '' && prefixes.split(',').some((prefix) => name.startsWith(prefix));
}

/** Counters of another layout are not worth more than the table: they begin anew. */
function openTable(dropsPin: string): GuardTable {
  try {
    return new GuardTable({ dropsPin });
  } catch (error) {
    if (!(error instanceof DataplaneError) || error.code !== 'ABI_MISMATCH') throw error;
    rmSync(dropsPin, { force: true });
    return new GuardTable({ dropsPin });
  }
}
