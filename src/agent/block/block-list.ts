// Who blocks what: single entries, and feeds of many prefixes. A prefix is blocked for as long as anybody wants it, so each change
// says which prefixes come into force and which go. Plain data and sets: no kernel, no disk, no clock.
import { type Cidr, cidrOf, formatCidr, type IpAddress, parseCidr } from '../../model/address.ts';
import { NO_PREFIXES, type PrefixSets, prefixSetsOf } from '../../tables/prefix-set.ts';
import type { Who } from '../store/actor.ts';

/** Where an entry or a feed comes from, and how long it counts. */
export interface Origin {
  readonly who: Who;
  /** ISO 8601. */
  readonly added: string;
  /** null = until it is removed. */
  readonly until: string | null;
  readonly reason: string | null;
}

export interface BlockEntry extends Origin {
  /** As formatCidr writes it. */
  readonly cidr: string;
}

export interface FeedInfo extends Origin {
  readonly name: string;
  /** Each prefix once. */
  readonly prefixes: number;
  /** Lines of the file that were refused. */
  readonly badLines: number;
}

export interface Feed extends FeedInfo {
  readonly sets: PrefixSets;
}

/** Prefixes that come into force, and that go. None is in both. */
export interface BlockChange {
  readonly added: PrefixSets;
  readonly removed: PrefixSets;
}

/** Entries and feeds that are put in the place of those of the same name, and names of those that go. */
export interface BlockEdit {
  readonly entries?: readonly BlockEntry[];
  readonly feeds?: readonly Feed[];
  readonly removedEntries?: readonly string[];
  readonly removedFeeds?: readonly string[];
}

export type BlockedBy =
  | { readonly kind: 'entry'; readonly cidr: string; readonly entry: BlockEntry }
  | { readonly kind: 'feed'; readonly cidr: string; readonly feed: FeedInfo };

export class BlockList {
  readonly #entries = new Map<string, BlockEntry>();
  readonly #feeds = new Map<string, Feed>();

  get entries(): ReadonlyMap<string, BlockEntry> {
    return this.#entries;
  }

  get feeds(): ReadonlyMap<string, Feed> {
    return this.#feeds;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#feeds.size === 0;
  }

  /** What the edit changes for packets; nothing is changed yet. */
  changeOf({ entries = [], feeds = [], removedEntries = [], removedFeeds = [] }: BlockEdit): BlockChange {
    const goneFeeds = new Set([...removedFeeds, ...feeds.map(({ name }) => name)]);
    const kept = [...this.#feeds.values()].filter(({ name }) => !goneFeeds.has(name));
    const leaving = [...goneFeeds].flatMap((name) => this.#feeds.get(name) ?? []);
    if (leaving.length === 0 && feeds.length === 0) return this.#changeOfEntries(entries, removedEntries);
    const names = new Set([...this.#entries.keys(), ...entries.map(({ cidr }) => cidr)]);
    for (const cidr of removedEntries) names.delete(cidr);
    const single = { sets: prefixSetsOf([...names].map(cidrOfName)) };
    const before = { sets: prefixSetsOf([...this.#entries.keys()].map(cidrOfName)) };
    return {
      added: without(unionOf([...feeds, single]), [...kept, ...leaving, before]),
      removed: without(unionOf([...leaving, before]), [...kept, ...feeds, single]),
    };
  }

  apply({ entries = [], feeds = [], removedEntries = [], removedFeeds = [] }: BlockEdit): void {
    for (const cidr of removedEntries) this.#entries.delete(cidr);
    for (const name of removedFeeds) this.#feeds.delete(name);
    for (const entry of entries) this.#entries.set(entry.cidr, entry);
    for (const feed of feeds) this.#feeds.set(feed.name, feed);
  }

  /** The edit that takes another one back; to be asked for before that is applied. */
  inverseOf({ entries = [], feeds = [], removedEntries = [], removedFeeds = [] }: BlockEdit): BlockEdit {
    const cidrs = [...entries.map(({ cidr }) => cidr), ...removedEntries];
    const names = [...feeds.map(({ name }) => name), ...removedFeeds];
    return {
      entries: cidrs.flatMap((cidr) => this.#entries.get(cidr) ?? []),
      feeds: names.flatMap((name) => this.#feeds.get(name) ?? []),
      removedEntries: cidrs.filter((cidr) => !this.#entries.has(cidr)),
      removedFeeds: names.filter((name) => !this.#feeds.has(name)),
    };
  }

  /** What has come to its end. */
  expiredAt(nowMs: number): Required<Pick<BlockEdit, 'removedEntries' | 'removedFeeds'>> {
    const isOver = ({ until }: Origin): boolean => until !== null && Date.parse(until) <= nowMs;
    return {
      removedEntries: [...this.#entries.values()].filter(isOver).map(({ cidr }) => cidr),
      removedFeeds: [...this.#feeds.values()].filter(isOver).map(({ name }) => name),
    };
  }

  /** When the next one comes to its end; undefined = none does. */
  get nextEndMs(): number | undefined {
    let next: number | undefined;
    for (const { until } of [...this.#entries.values(), ...this.#feeds.values()]) {
      if (until === null) continue;
      const ms = Date.parse(until);
      if (next === undefined || ms < next) next = ms;
    }
    return next;
  }

  /** Everybody who blocks an address, the longest prefix first. */
  blockersOf(address: IpAddress): BlockedBy[] {
    const found: { readonly length: number; readonly by: BlockedBy }[] = [];
    for (const feed of this.#feeds.values()) {
      for (const cidr of feed.sets[address.family].around(address)) {
        found.push({ length: cidr.length, by: { kind: 'feed', cidr: formatCidr(cidr), feed: infoOf(feed) } });
      }
    }
    for (const cidr of prefixesAround(address)) {
      const entry = this.#entries.get(formatCidr(cidr));
      if (entry !== undefined) found.push({ length: cidr.length, by: { kind: 'entry', cidr: entry.cidr, entry } });
    }
    return found.sort((a, b) => b.length - a.length).map(({ by }) => by);
  }

  /** Few prefixes among millions: nobody's sets are gone through. */
  #changeOfEntries(entries: readonly BlockEntry[], removedEntries: readonly string[]): BlockChange {
    const coming = new Set(entries.map(({ cidr }) => cidr));
    const isNew = (name: string): boolean => !this.#entries.has(name) && !this.#isInFeed(cidrOfName(name));
    const isLost = (name: string): boolean =>
      this.#entries.has(name) && !coming.has(name) && !this.#isInFeed(cidrOfName(name));
    return {
      added: prefixSetsOf([...coming].filter(isNew).map(cidrOfName)),
      removed: prefixSetsOf(removedEntries.filter(isLost).map(cidrOfName)),
    };
  }

  #isInFeed(cidr: Cidr): boolean {
    for (const { sets } of this.#feeds.values()) if (sets[cidr.family].has(cidr)) return true;
    return false;
  }
}

/** Without its prefixes. */
export function infoOf({ sets: _sets, ...info }: Feed): FeedInfo {
  return info;
}

interface Owner {
  readonly sets: PrefixSets;
}

function unionOf(owners: readonly Owner[]): PrefixSets {
  return owners.reduce<PrefixSets>(
    (all, { sets }) => ({ 4: all[4].union(sets[4]), 6: all[6].union(sets[6]) }),
    NO_PREFIXES,
  );
}

function without(prefixes: PrefixSets, owners: readonly Owner[]): PrefixSets {
  return owners.reduce<PrefixSets>(
    (left, { sets }) => ({ 4: left[4].without(sets[4]), 6: left[6].without(sets[6]) }),
    prefixes,
  );
}

/** Names are what formatCidr has written. */
function cidrOfName(name: string): Cidr {
  return parseCidr(name) as Cidr;
}

function prefixesAround(address: IpAddress): Cidr[] {
  return Array.from({ length: 32 * address.words.length + 1 }, (_, length) => cidrOf(address, length));
}
