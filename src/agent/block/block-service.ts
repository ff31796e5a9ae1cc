// What people ask of the block list: add, remove, feeds, reports. Checks what they say and says it in terms of edits; carrying them out
// is blocker.ts.
import type { Logger } from '../../base/log.ts';
import type { Repair } from '../../kernel/repair.ts';
import { formatAddress, formatCidr, parseAddress } from '../../model/address.ts';
import type { PrefixSets } from '../../tables/prefix-set.ts';
import type { InterfaceGuard } from '../interface-guard.ts';
import type { AgentOptions } from '../options.ts';
import type { Repairs } from '../repairs.ts';
import type { ReadFile } from '../ssh-connection.ts';
import type { Actor } from '../store/actor.ts';
import { type BlockEdit, type BlockEntry, type BlockedBy, type FeedInfo, infoOf, type Origin } from './block-list.ts';
import { BlockStore } from './block-store.ts';
import { Blocker } from './blocker.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { parseTtl } from './duration.ts';
import { type DropCounts, type Enforcement, type GuardSettings, KernelEnforcement } from './enforcement.ts';
import type { GuardedStatus } from './guard-keeper.ts';
import { findLifelines, parseSshConnection, peersByKernel, refusalOf } from './lifelines.ts';
import { type BadLine, PrefixReader, type ReadPrefixes, type Refusal } from './prefix-reader.ts';
import {
  invalid,
  locksOut,
  MAX_ENTRIES,
  MAX_FILE_BYTES,
  MAX_PREFIXES,
  MAX_REASON,
  noSuchEntry,
  noSuchFeed,
  parseBlocked,
  requireFeedName,
  requireRoom,
  tooManyEntries,
} from './refusals.ts';
import type { SynStatus } from './syn-status.ts';

/** What may be said of an entry or a feed. */
export interface BlockTerms {
  /** As parseTtl takes it. */
  readonly ttl?: string;
  readonly reason?: string;
  /** SSH_CONNECTION of whoever asks; empty = none. */
  readonly session?: string;
  /** Even where somebody is locked out. */
  readonly isForced?: boolean;
  /** When it was asked, by performance.now(); now unless given. */
  readonly askedAtMs?: number;
}

/** What came of it. */
export interface BlockOutcome {
  readonly added: number;
  /** Were there, and have new terms. */
  readonly replaced: number;
  readonly removed: number;
  /** Lines of a file that were refused. */
  readonly bad: readonly BadLine[];
  readonly badCount: number;
  /** Milliseconds from the request to the first packet that is judged by it; null = nothing was put in force. */
  readonly inForceMs: number | null;
  /** Why it is not in force everywhere that it should be. */
  readonly warning: string | null;
}

export interface BlockStatus {
  readonly entries: number;
  readonly feeds: number;
  /** Of all feeds and entries; those that several have are counted for each. */
  readonly prefixes: number;
  readonly interfaces: readonly GuardedStatus[];
  /** Why blocked sources are not dropped, or not everywhere. */
  readonly error: string | null;
  readonly drops: DropCounts;
  readonly tableBytes: number;
  readonly syn: SynStatus;
}

export interface BlockReport extends BlockStatus {
  readonly list: readonly BlockEntry[];
  readonly feedList: readonly FeedInfo[];
}

export interface BlockTest {
  readonly address: string;
  /** By the table that packets are judged by. */
  readonly isBlocked: boolean;
  /** The longest prefix first. */
  readonly by: readonly BlockedBy[];
}

export interface BlockServiceParts {
  readonly stateDirectory: string;
  readonly enforcement: Enforcement;
  readonly log: Logger;
  /** The machine's unless given. */
  readonly clock?: Clock;
  /** Of /proc and /etc; the machine's unless given. */
  readonly read?: ReadFile;
}

const NOTHING: BlockOutcome = {
  added: 0,
  replaced: 0,
  removed: 0,
  bad: [],
  badCount: 0,
  inForceMs: null,
  warning: null,
};

export class BlockService {
  readonly #enforcement: Enforcement;
  readonly #blocker: Blocker;
  readonly #clock: Clock;
  readonly #read: ReadFile | undefined;
  readonly #log: Logger;
  #error: string | undefined;

  constructor({ stateDirectory, enforcement, log, clock = SYSTEM_CLOCK, read }: BlockServiceParts) {
    this.#enforcement = enforcement;
    this.#clock = clock;
    this.#read = read;
    this.#log = log;
    this.#blocker = new Blocker({
      isStored: () => BlockStore.isThere(stateDirectory),
      openStore: () => BlockStore.open(stateDirectory),
      enforcement,
      clock,
      log,
    });
  }

  /** As part of an agent. */
  static of(options: AgentOptions, log: Logger, guard: InterfaceGuard, repairs: Repairs): BlockService {
    const isWorkload = (name: string): boolean => guard.statuses.some((status) => status.interface === name);
    const { stateDirectory, pinRoot } = options;
    const onRepair = (found: readonly Repair[]): void => repairs.note(found);
    const enforcement = new KernelEnforcement({ pinRoot, isWorkload, onRepair, log }, options);
    return new BlockService({ stateDirectory, enforcement, log });
  }

  /** Resolves when what was blocked before is blocked again, or it is known why not: an agent must not end by that. */
  async start(): Promise<void> {
    try {
      await this.#blocker.load();
      this.#error = undefined;
    } catch (error) {
      this.#error = (error as Error).message;
      this.#log.error('the block list is not loaded; what is attached stays in force', { error: this.#error });
    }
  }

  /** Takes changed settings. */
  configure(settings: GuardSettings): Promise<void> {
    return this.#blocker.whenIdle((isEmpty) => this.#enforcement.configure(settings, isEmpty));
  }

  /** Untracked policy of the host may have changed. */
  async policyChanged(): Promise<void> {
    try {
      await this.#blocker.whenIdle((isEmpty) => {
        if (isEmpty !== undefined) this.#enforcement.policyChanged(isEmpty);
      });
    } catch (error) {
      this.#log.error('untracked policy is not asked before the stack', { error: (error as Error).message });
    }
  }

  /** All or none. Throws INVALID_REQUEST, LOCKS_OUT, LIMIT_EXCEEDED, and what Blocker.edit does. */
  async add(texts: readonly string[], asked: BlockTerms, actor: Actor): Promise<BlockOutcome> {
    const terms = { askedAtMs: performance.now(), ...asked };
    const cidrs = texts.map(parseBlocked);
    const refusal = this.#refusal(terms);
    for (const cidr of cidrs) {
      const why = refusal(cidr.family, Uint32Array.from(cidr.words), 0, cidr.length);
      if (why !== undefined) throw locksOut(cidr, why);
    }
    return this.#addEntries([...new Set(cidrs.map(formatCidr))], terms, actor);
  }

  /** What lines cannot say is told in the outcome, the rest counts. Throws LIMIT_EXCEEDED, and what Blocker.edit does. */
  async addFile(chunks: AsyncIterable<Uint8Array>, asked: BlockTerms, actor: Actor): Promise<BlockOutcome> {
    const terms = { askedAtMs: performance.now(), ...asked };
    const { prefixes, bad, badCount } = await this.#readLines(chunks, terms, MAX_ENTRIES);
    const names = [...prefixes[4], ...prefixes[6]].map(formatCidr);
    return { ...(await this.#addEntries(names, terms, actor)), bad, badCount };
  }

  /** Throws INVALID_REQUEST, NOT_FOUND for what is no entry: then none is removed. */
  async remove(texts: readonly string[]): Promise<BlockOutcome> {
    const names = [...new Set(texts.map(parseBlocked).map(formatCidr))];
    const { answer: removed, inForceMs } = await this.#edit(() => {
      const unknown = names.find((name) => !this.#blocker.list.entries.has(name));
      if (unknown !== undefined) throw noSuchEntry(unknown, this.#blocker.list);
      return { edit: { removedEntries: names }, answer: names.length };
    });
    return { ...NOTHING, removed, inForceMs };
  }

  /** Puts a feed in the place of the one of that name, at once. Throws as addFile. */
  async putFeed(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    asked: BlockTerms,
    actor: Actor,
  ): Promise<BlockOutcome> {
    const terms = { askedAtMs: performance.now(), ...asked };
    requireFeedName(name);
    const { prefixes: sets, bad, badCount } = await this.#readLines(chunks, terms, MAX_PREFIXES);
    const prefixes = countOf(sets);
    const { answer: removed, inForceMs } = await this.#edit(() => {
      const before = this.#blocker.list.feeds.get(name);
      this.#requireRoom(prefixes - (before?.prefixes ?? 0));
      const feed = { name, prefixes, badLines: badCount, sets, ...this.#origin(terms, actor) };
      return { edit: { feeds: [feed] }, answer: before?.prefixes ?? 0 };
    }, terms.askedAtMs);
    return this.#outcome({ added: prefixes, removed, bad, badCount, inForceMs });
  }

  /** Throws NOT_FOUND, and what Blocker.edit does. */
  async removeFeed(name: string): Promise<BlockOutcome> {
    const { answer: removed, inForceMs } = await this.#edit(() => {
      const feed = this.#blocker.list.feeds.get(name);
      if (feed === undefined) throw noSuchFeed(name, [...this.#blocker.list.feeds.keys()]);
      return { edit: { removedFeeds: [name] }, answer: feed.prefixes };
    });
    return { ...NOTHING, removed, inForceMs };
  }

  /** Throws INVALID_REQUEST. */
  test(text: string): BlockTest {
    const address = parseAddress(text);
    if (address === undefined) throw invalid('address', 'is no address', text);
    const by = this.#blocker.list.blockersOf(address);
    return { address: formatAddress(address), isBlocked: this.#blocker.isDropped(address), by };
  }

  status(): BlockStatus {
    const { entries, feeds } = this.#blocker.list;
    return {
      entries: entries.size,
      feeds: feeds.size,
      prefixes: this.#count(),
      interfaces: this.#enforcement.interfaces,
      error: this.#error ?? this.#enforcement.lack ?? null,
      drops: this.#enforcement.drops,
      tableBytes: this.#enforcement.bytes,
      syn: this.#enforcement.syn,
    };
  }

  report(): BlockReport {
    const { entries, feeds } = this.#blocker.list;
    return { ...this.status(), list: [...entries.values()], feedList: [...feeds.values()].map(infoOf) };
  }

  /** What is attached stays in force. */
  async close(): Promise<void> {
    await this.#blocker.close();
  }

  async #addEntries(names: readonly string[], terms: BlockTerms, actor: Actor): Promise<BlockOutcome> {
    const { answer: counts, inForceMs } = await this.#edit(() => {
      const { entries } = this.#blocker.list;
      const fresh = names.filter((name) => !entries.has(name)).length;
      if (entries.size + fresh > MAX_ENTRIES) throw tooManyEntries(entries.size + fresh);
      this.#requireRoom(fresh);
      const origin = this.#origin(terms, actor);
      const edit = { entries: names.map((cidr) => ({ cidr, ...origin })) };
      return { edit, answer: { added: fresh, replaced: names.length - fresh } };
    }, terms.askedAtMs);
    return this.#outcome({ ...counts, inForceMs });
  }

  async #edit<T>(
    plan: () => { readonly edit: BlockEdit; readonly answer: T },
    askedAtMs = performance.now(),
  ): Promise<{ readonly answer: T; readonly inForceMs: number }> {
    let inForceMs = 0;
    const answer = await this.#blocker.edit(plan, () => {
      inForceMs = Math.round(1000 * (performance.now() - askedAtMs)) / 1000;
    });
    this.#error = undefined;
    return { answer, inForceMs };
  }

  #outcome(known: Partial<BlockOutcome>): BlockOutcome {
    return { ...NOTHING, ...known, warning: this.#enforcement.lack ?? null };
  }

  #origin({ ttl, reason }: BlockTerms, { who }: Actor): Origin {
    if (reason !== undefined && reason.length > MAX_REASON) {
      throw invalid('reason', 'is too long', `${reason.length} characters`, `at most ${MAX_REASON}`);
    }
    const now = this.#clock.nowMs();
    const until = ttl === undefined ? null : new Date(now + parseTtl(ttl)).toISOString();
    return { who, added: new Date(now).toISOString(), until, reason: reason ?? null };
  }

  #refusal({ isForced, session = '' }: BlockTerms): Refusal {
    if (isForced === true) return () => undefined;
    const connection = parseSshConnection(session);
    if (session !== '' && connection === undefined) throw invalid('session', 'is no SSH_CONNECTION', session);
    return refusalOf(
      this.#read === undefined
        ? findLifelines(connection, undefined, peersByKernel)
        : findLifelines(connection, this.#read),
    );
  }

  async #readLines(chunks: AsyncIterable<Uint8Array>, terms: BlockTerms, prefixes: number): Promise<ReadPrefixes> {
    const reader = new PrefixReader(this.#refusal(terms), { prefixes, bytes: MAX_FILE_BYTES });
    let failure: unknown;
    // Read to its end whatever is in it: who still writes when the answer comes would not read it.
    for await (const chunk of chunks) {
      try {
        if (failure === undefined) reader.add(chunk);
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return reader.finish();
  }

  #count(): number {
    const { entries, feeds } = this.#blocker.list;
    return [...feeds.values()].reduce((sum, { prefixes }) => sum + prefixes, entries.size);
  }

  #requireRoom(more: number): void {
    requireRoom(this.#count() + more);
  }
}

function countOf(sets: PrefixSets): number {
  return sets[4].count + sets[6].count;
}
