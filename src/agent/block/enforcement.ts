// The kernel's side of the block list and of what else is done before the stack: the table, and the interfaces that judge by it. The
// table is made when something is asked for; the program is attached when the table is complete.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GuardReason } from '../../abi/guard.gen.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Steps } from '../../base/steps.ts';
import type { CaredInterface } from '../../kernel/guard-care.ts';
import type { GuardDrops } from '../../kernel/guard-object.ts';
import { GuardTable, type GuardTableOptions } from '../../kernel/guard-table.ts';
import { makeDirectory } from '../../kernel/make-directory.ts';
import { Pins } from '../../kernel/pins.ts';
import type { Repair } from '../../kernel/repair.ts';
import type { IpAddress } from '../../model/address.ts';
import type { ChangedEntries } from '../../tables/prefix-live.ts';
import type { LiveOptions } from '../options.ts';
import type { BlockChange } from './block-list.ts';
import { AUTO } from './guard-choice.ts';
import { type GuardedStatus, GuardKeeper, type KeeperOptions } from './guard-keeper.ts';
import { HostLists } from './host-lists.ts';
import { parseSynProtection, SYN_OFF } from './syn-settings.ts';
import { cookieLack, type SynStatus } from './syn-status.ts';

export interface DropCounts {
  /** Packets from blocked sources. */
  readonly source: GuardDrops;
  /** Packets that the table led nowhere: a bug. */
  readonly hole: GuardDrops;
}

/** Settings that may change. */
export type GuardSettings = Pick<
  LiveOptions,
  'guardInterfaces' | 'interfacePrefix' | 'synProtection' | 'synSourceRate' | 'synListenerRate'
>;

/** What is asked of the kernel; a test without one has its own. */
export interface Enforcement {
  /** As of the last look. */
  readonly interfaces: readonly GuardedStatus[];
  /** Why blocked sources are not dropped, or not everywhere; undefined = they are, or there are none. */
  readonly lack: string | undefined;
  /** Bytes of the table in the kernel. */
  readonly bytes: number;
  readonly drops: DropCounts;
  readonly syn: SynStatus;
  /** Nothing is in force before `publish`. Throws TABLE_FULL and KERNEL: nothing has changed then. */
  changing(change: BlockChange): Steps<ChangedEntries>;
  publish(changed: ChangedEntries): Promise<void>;
  /** Attaches the program, or takes it off where nothing is blocked and nobody has named interfaces. */
  settle(isEmpty: boolean): void;
  /** `isEmpty` undefined = nobody knows yet: what is attached stays as it is until `settle`. */
  configure(settings: GuardSettings, isEmpty: boolean | undefined): void;
  /** Untracked lists of the host's policy may have come, changed their interfaces or gone. */
  policyChanged(isEmpty: boolean): void;
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
const LISTS_NOT_ASKED = 'untracked policy is not asked before the stack';

export class KernelEnforcement implements Enforcement {
  readonly #directory: string;
  readonly #keeperOptions: KeeperOptions;
  readonly #lists: HostLists;
  #settings: GuardSettings;
  #table: GuardTable | undefined;
  #keeper: GuardKeeper | undefined;
  #dropsSources = false;
  /** Of what is asked since the keeper looked last. */
  #isNews = false;
  /** What the table was told last. */
  #care = '';
  #caredFor: readonly CaredInterface[] = [];
  /** Interfaces that untracked lists can be asked on; undefined = nobody has looked yet. */
  #askable: readonly number[] | undefined;

  constructor({ pinRoot, isWorkload, onRepair, log }: KernelEnforcementOptions, settings: GuardSettings) {
    this.#directory = join(pinRoot, PLACE);
    this.#lists = new HostLists(new Pins(pinRoot));
    this.#settings = settings;
    this.#keeperOptions = {
      setting: () => this.#settings.guardInterfaces,
      isWorkload: (name) => isWorkload(name) || hasPrefix(name, this.#settings.interfacePrefix),
      asked: () => ({
        dropsSources: this.#dropsSources,
        countsSyns: this.#countsSyns,
        hasUntracked: (ifindex) => this.#lists.hasUntracked(ifindex),
      }),
      onCare: (interfaces) => this.#takeCare(interfaces),
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
    const of = (reason: GuardReason): GuardDrops => this.#table?.drops(reason) ?? { packets: 0, bytes: 0 };
    return { source: of(GuardReason.DROP_SOURCE), hole: of(GuardReason.DROP_HOLE) };
  }

  get syn(): SynStatus {
    const { synProtection, synSourceRate, synListenerRate } = this.#settings;
    const of = (reason: GuardReason): GuardDrops => this.#table?.drops(reason) ?? { packets: 0, bytes: 0 };
    return {
      protection: synProtection,
      sourceRate: synSourceRate,
      listenerRate: synListenerRate,
      interfaces: this.#caredFor.filter(({ countsSyns }) => countsSyns).map(({ name }) => name),
      lack: this.#countsSyns ? cookieLack(this.#table?.hasCookies ?? true) : null,
      limited: of(GuardReason.DROP_SYN_SOURCE),
      answered: of(GuardReason.SYN_COOKIE),
    };
  }

  changing({ added, removed }: BlockChange): Steps<ChangedEntries> {
    return this.#open().changing(added, removed);
  }

  async publish(changed: ChangedEntries): Promise<void> {
    await this.#open().publish(changed, (program) => this.#keeper?.replaceProgram(program));
  }

  settle(isEmpty: boolean): void {
    if (this.#askable === undefined) this.#lookAtLists();
    if (this.#dropsSources === isEmpty) this.#isNews = true;
    this.#dropsSources = !isEmpty;
    if (this.#isWanted()) {
      this.#openKeeper().begin(this.#open().program, this.#isNews);
    } else {
      if (existsSync(this.#directory)) this.#openKeeper().end();
      this.#table?.close();
      this.#table = undefined;
      this.#caredFor = [];
    }
    this.#isNews = false;
  }

  configure(settings: GuardSettings, isEmpty: boolean | undefined): void {
    const names: readonly (keyof GuardSettings)[] = [
      'guardInterfaces',
      'synProtection',
      'synSourceRate',
      'synListenerRate',
    ];
    const isSame = names.every((name) => settings[name] === this.#settings[name]);
    this.#settings = settings;
    if (isSame) return;
    this.#isNews = true;
    if (isEmpty !== undefined) this.settle(isEmpty);
  }

  policyChanged(isEmpty: boolean): void {
    if (this.#lookAtLists()) this.settle(isEmpty);
  }

  isDropped(address: IpAddress): boolean {
    return this.#table?.isDropped(address) ?? false;
  }

  close(): void {
    this.#keeper?.close();
    this.#table?.close();
    this.#lists.close();
  }

  get #countsSyns(): boolean {
    return this.#settings.synProtection !== SYN_OFF;
  }

  #isWanted(): boolean {
    const { guardInterfaces } = this.#settings;
    if (this.#dropsSources) return true;
    if (guardInterfaces === '') return false;
    return guardInterfaces !== AUTO || this.#countsSyns || (this.#askable ?? []).length > 0;
  }

  /** Whether the lists that can be asked are others than at the last look. */
  #lookAtLists(): boolean {
    if (this.#lists.look()) this.#judgeByLists();
    const before = this.#askable;
    this.#askable = this.#lists.askable();
    if (before?.join() === this.#askable.join()) return false;
    this.#isNews = true;
    return true;
  }

  #takeCare(interfaces: readonly CaredInterface[]): void {
    const { synProtection, synSourceRate: sourceRate, synListenerRate: listenerRate } = this.#settings;
    const care = JSON.stringify([interfaces, synProtection, sourceRate, listenerRate]);
    if (care === this.#care) return;
    const isProtectedPort = parseSynProtection(synProtection) ?? (() => false);
    this.#table?.take({ interfaces, sourceRate, listenerRate, isProtectedPort });
    this.#care = care;
    this.#caredFor = interfaces;
  }

  #openKeeper(): GuardKeeper {
    this.#keeper ??= new GuardKeeper(join(this.#directory, 'links'), this.#keeperOptions);
    return this.#keeper;
  }

  #open(): GuardTable {
    if (this.#table === undefined) {
      makeDirectory(this.#directory);
      this.#table = this.#openTable();
      this.#care = '';
    }
    return this.#table;
  }

  /** Whatever keeps lists from being asked here must not keep sources from being blocked: the stack asks them too. */
  #openTable(): GuardTable {
    const dropsPin = join(this.#directory, 'drops');
    const policy = this.#lists.guardMaps;
    try {
      return openTable({ dropsPin, policy });
    } catch (error) {
      if (policy === undefined) throw error;
      this.#keeperOptions.log.error(LISTS_NOT_ASKED, { error: (error as Error).message });
      return openTable({ dropsPin });
    }
  }

  #judgeByLists(): void {
    try {
      this.#table?.judgeBy(this.#lists.guardMaps, (program) => this.#keeper?.replaceProgram(program));
    } catch (error) {
      this.#keeperOptions.log.error(LISTS_NOT_ASKED, { error: (error as Error).message });
    }
  }
}

function hasPrefix(name: string, prefixes: string): boolean {
  return prefixes !== '' && prefixes.split(',').some((prefix) => name.startsWith(prefix));
}

/** Counters of another layout are not worth more than the table: they begin anew. */
function openTable(options: GuardTableOptions & { readonly dropsPin: string }): GuardTable {
  try {
    return new GuardTable(options);
  } catch (error) {
    if (!(error instanceof DataplaneError) || error.code !== 'ABI_MISMATCH') throw error;
    rmSync(options.dropsPin, { force: true });
    return new GuardTable(options);
  }
}
