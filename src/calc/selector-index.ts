// Which items each selector in use matches, kept current as either side changes. An item is only tried against
// selectors that its labels could satisfy, a selector only against items that it could match.
//
//   LabelIndex --setItem(item, labels)-->  SelectorIndex  --onMatch / onMismatch-->  AddressSets, PolicyResolver

import type { Selector } from '../model/selector/ast.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import { matches } from '../model/selector/evaluate.ts';
import type { Labels } from './label-index.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS, LimitedCount } from './limits.ts';
import type { LabelledItem } from './resolved.ts';
import { MultiIndex, type SearchKeys, searchOptions } from './selector-search.ts';

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
  readonly matched: Set<string>;
}

interface KnownItem {
  readonly item: LabelledItem;
  readonly labels: Labels;
  readonly matchedBy: Set<Entry>;
}

export class SelectorIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #items = new Map<string, KnownItem>();
  readonly #entriesByKey = new MultiIndex<Entry>();
  readonly #itemsByLabel = new MultiIndex<string>();
  /** Conditions of every selector, once for each item that it is tried on. */
  readonly #tried: LimitedCount;

  constructor(limits: CalcLimits = DEFAULT_CALC_LIMITS) {
    this.#tried = new LimitedCount('selectorConditions', limits);
  }

  /** Calls onMatch for every item that matches now, and then for every change until unregister. Throws LIMIT_EXCEEDED. */
  register(selector: Selector, listener: MatchListener): void {
    const text = formatSelector(selector);
    const entry = this.#entries.get(text) ?? this.#addEntry(selector, text);
    entry.listeners.add(listener);
    for (const key of [...entry.matched]) {
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
    for (const key of entry.matched) this.#items.get(key)?.matchedBy.delete(entry);
    this.#entries.delete(entry.text);
  }

  /** labels undefined = the item is gone. Throws LIMIT_EXCEEDED. */
  setItem(item: LabelledItem, labels: Labels | undefined): void {
    const before = this.#items.get(item.key);
    if (before !== undefined) this.#unindexItem(before);
    const matchedBefore = before?.matchedBy ?? new Set<Entry>();
    const matchedNow = labels === undefined ? new Set<Entry>() : this.#matchingEntries(labels);
    const isReplaced = before !== undefined && before.item !== item;
    for (const entry of [...matchedBefore]) {
      if (matchedNow.has(entry) && !isReplaced) continue;
      entry.matched.delete(item.key);
      notify(entry, (listener) => listener.onMismatch((before as KnownItem).item));
    }
    if (labels === undefined) {
      this.#items.delete(item.key);
      return;
    }
    this.#items.set(item.key, { item, labels, matchedBy: matchedNow });
    for (const [label, value] of labels) this.#itemsByLabel.addItem(label, value, item.key);
    for (const entry of [...matchedNow]) {
      if (matchedBefore.has(entry) && !isReplaced) continue;
      entry.matched.add(item.key);
      notify(entry, (listener) => listener.onMatch(item));
    }
  }

  #addEntry(selector: Selector, text: string): Entry {
    const keys = this.#rarestKeys(searchOptions(selector));
    const conditions = countConditions(selector);
    const entry: Entry = { selector, text, conditions, keys, listeners: new Set(), matched: new Set() };
    this.#entries.set(text, entry);
    for (const key of entry.keys) this.#entriesByKey.add(key, entry);
    for (const [key, known] of this.#candidateItems(entry.keys)) {
      this.#tried.add(conditions);
      if (!matches(selector, (label) => known.labels.get(label))) continue;
      entry.matched.add(key);
      known.matchedBy.add(entry);
    }
    return entry;
  }

  /** What few items satisfy: a namespace rather than an app name that every namespace has. */
  #rarestKeys(options: readonly SearchKeys[]): SearchKeys {
    const rated = options.map((keys) => {
      return { keys, items: this.#itemsByLabel.count(keys), entries: this.#entriesByKey.count(keys) };
    });
    // Selectors may come before items: then those that are known already show which keys are common.
    return rated.reduce((best, one) =>
      one.items < best.items || (one.items === best.items && one.entries < best.entries) ? one : best,
    ).keys;
  }

  #matchingEntries(labels: Labels): Set<Entry> {
    const found = new Set<Entry>();
    const lookup = (label: string): string | undefined => labels.get(label);
    for (const entry of this.#entriesByKey.candidates(labels)) {
      this.#tried.add(entry.conditions);
      if (matches(entry.selector, lookup)) found.add(entry);
    }
    return found;
  }

  *#candidateItems(keys: SearchKeys): Iterable<[string, KnownItem]> {
    for (const key of keys) {
      if (key.label === undefined) {
        yield* this.#items;
        return;
      }
      for (const itemKey of this.#itemsByLabel.items(key.label, key.value)) {
        const known = this.#items.get(itemKey);
        if (known !== undefined) yield [itemKey, known];
      }
    }
  }

  #unindexItem({ item, labels }: KnownItem): void {
    for (const entry of this.#entriesByKey.candidates(labels)) this.#tried.subtract(entry.conditions);
    for (const [label, value] of labels) this.#itemsByLabel.deleteItem(label, value, item.key);
  }
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
