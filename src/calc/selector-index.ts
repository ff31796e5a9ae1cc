// Which items each selector in use matches, kept current as either side changes. An item is only tried against
// selectors that its labels could satisfy, a selector only against items that it could match.
//
//   LabelIndex --setItem(item, labels)-->  SelectorIndex  --onMatch / onMismatch-->  AddressSets, PolicyResolver

import type { Selector } from '../model/selector/ast.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import { matches } from '../model/selector/evaluate.ts';
import type { Labels } from './label-index.ts';
import { DEFAULT_CALC_LIMITS, LimitedCount } from './limits.ts';
import type { LabelledItem } from './resolved.ts';
import { ItemIndex, MultiIndex, type SearchKeys, searchOptions } from './selector-search.ts';

/** Told when an item starts or stops matching. A matching item whose object is replaced stops and starts. */
export interface MatchListener {
  onMatch(item: LabelledItem): void;
  onMismatch(item: LabelledItem): void;
}

interface Entry {
  readonly selector: Selector;
  readonly text: string;
  /** Conditions that a test of the selector may look at. */
  readonly conditions: number;
  /** Where it is filed. */
  readonly keys: SearchKeys;
  readonly listeners: Set<MatchListener>;
  /** Keys of items; undefined = none yet, as for most selectors of a cluster on one node. */
  matched: Set<string> | undefined;
}

interface KnownItem {
  readonly item: LabelledItem;
  readonly labels: Labels;
  matchedBy: Set<Entry>;
  readonly sequence: number;
}

/** Shared by all items that nothing matches; never added to. */
const BY_NOTHING: Set<Entry> = new Set();
const NO_ENTRIES: readonly Entry[] = [];

export class SelectorIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #items = new Map<string, KnownItem>();
  readonly #entriesByKey = new MultiIndex<Entry>();
  readonly #itemsByLabel = new ItemIndex<KnownItem>(() => this.#items.values());
  /** Conditions of every selector, once for each item that it is tried on. */
  readonly #tried: LimitedCount;
  #sequence = 0;

  /** Several indexes may share one count. */
  constructor(tried = new LimitedCount('selectorConditions', DEFAULT_CALC_LIMITS)) {
    this.#tried = tried;
  }

  /** Calls onMatch for every item that matches now, and then for every change until unregister. Throws LIMIT_EXCEEDED. */
  register(selector: Selector, listener: MatchListener): void {
    const text = formatSelector(selector);
    const entry = this.#entries.get(text) ?? this.#addEntry(selector, text);
    entry.listeners.add(listener);
    for (const key of [...(entry.matched ?? [])]) {
      const known = this.#items.get(key);
      if (known !== undefined) listener.onMatch(known.item);
    }
  }

  /** Calls nothing: the listener is expected to forget what it knew. */
  unregister(selector: Selector, listener: MatchListener): void {
    const entry = this.#entries.get(formatSelector(selector));
    if (entry === undefined) return;
    entry.listeners.delete(listener);
    if (entry.listeners.size > 0) return;
    for (const _item of this.#candidateItems(entry.keys)) this.#tried.subtract(entry.conditions);
    for (const key of entry.keys) this.#entriesByKey.delete(key, entry);
    for (const key of entry.matched ?? []) this.#items.get(key)?.matchedBy.delete(entry);
    this.#entries.delete(entry.text);
  }

  /** labels undefined = the item is gone. Throws LIMIT_EXCEEDED. */
  setItem(item: LabelledItem, labels: Labels | undefined): void {
    const before = this.#items.get(item.key);
    if (before !== undefined) this.#unindexItem(before);
    const matchedBefore = before?.matchedBy ?? BY_NOTHING;
    const matchedNow = labels === undefined ? BY_NOTHING : this.#matchingEntries(labels);
    const isReplaced = before !== undefined && before.item !== item;
    for (const entry of matchedBefore === BY_NOTHING ? NO_ENTRIES : [...matchedBefore]) {
      if (matchedNow.has(entry) && !isReplaced) continue;
      entry.matched?.delete(item.key);
      notify(entry, (listener) => listener.onMismatch((before as KnownItem).item));
    }
    if (labels === undefined) {
      this.#items.delete(item.key);
      return;
    }
    const known: KnownItem = { item, labels, matchedBy: matchedNow, sequence: this.#sequence++ };
    this.#items.set(item.key, known);
    this.#itemsByLabel.add(known);
    for (const entry of matchedNow === BY_NOTHING ? NO_ENTRIES : [...matchedNow]) {
      if (matchedBefore.has(entry) && !isReplaced) continue;
      addMatch(entry, item.key);
      notify(entry, (listener) => listener.onMatch(item));
    }
  }

  #addEntry(selector: Selector, text: string): Entry {
    const keys = this.#rarestKeys(searchOptions(selector));
    const conditions = countConditions(selector);
    const entry: Entry = { selector, text, conditions, keys, listeners: new Set(), matched: undefined };
    this.#entries.set(text, entry);
    for (const key of entry.keys) this.#entriesByKey.add(key, entry);
    for (const known of this.#candidateItems(entry.keys)) {
      this.#tried.add(conditions);
      if (!matches(selector, known.labels)) continue;
      addMatch(entry, known.item.key);
      if (known.matchedBy === BY_NOTHING) known.matchedBy = new Set();
      known.matchedBy.add(entry);
    }
    return entry;
  }

  /** What few items satisfy: a namespace rather than an app name that every namespace has. */
  #rarestKeys(options: readonly SearchKeys[]): SearchKeys {
    if (options.length === 1) return options[0] as SearchKeys;
    const rated = options.map((keys) => {
      const items = this.#itemsByLabel.count(keys);
      return { keys, items, entries: this.#entriesByKey.count(keys) };
    });
    // Selectors may come before items: then those that are known already show which keys are common.
    return rated.reduce((best, one) =>
      one.items < best.items || (one.items === best.items && one.entries < best.entries) ? one : best,
    ).keys;
  }

  #matchingEntries(labels: Labels): Set<Entry> {
    if (this.#entries.size === 0) return BY_NOTHING;
    let found = BY_NOTHING;
    this.#entriesByKey.forCandidates(labels, (entry) => {
      this.#tried.add(entry.conditions);
      if (!matches(entry.selector, labels)) return;
      if (found === BY_NOTHING) found = new Set();
      found.add(entry);
    });
    return found;
  }

  *#candidateItems(keys: SearchKeys): Iterable<KnownItem> {
    for (const { label, value } of keys) {
      if (label === undefined) {
        yield* this.#items.values();
        return;
      }
      yield* this.#itemsByLabel.items(label, value);
    }
  }

  #unindexItem(known: KnownItem): void {
    this.#entriesByKey.forCandidates(known.labels, (entry) => this.#tried.subtract(entry.conditions));
    this.#itemsByLabel.delete(known);
  }
}

function addMatch(entry: Entry, key: string): void {
  entry.matched ??= new Set();
  entry.matched.add(key);
}

/** Labels and values that a test may compare. */
function countConditions(selector: Selector): number {
  switch (selector.kind) {
    case 'in':
    case 'notIn':
      return 1 + selector.values.length;
    case 'not':
      return countConditions(selector.operand);
    case 'and':
    case 'or':
      return selector.operands.reduce((sum, operand) => sum + countConditions(operand), 0);
    default:
      return 1;
  }
}

/**
 * Listeners may register and unregister others while they are told: who comes in meanwhile is told by register, who
 * has gone is not told any more.
 */
function notify(entry: Entry, tell: (listener: MatchListener) => void): void {
  for (const listener of [...entry.listeners]) if (entry.listeners.has(listener)) tell(listener);
}
