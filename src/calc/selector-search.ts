// How SelectorIndex narrows its search: a selector that can only match items with a certain label, or one of certain
// values of it, is filed under that label; all others are filed under "anything".
import type { Selector } from '../model/selector/ast.ts';
import { labelRestrictions } from '../model/selector/restrictions.ts';

/** label undefined = any item; value undefined = any item that has the label. */
export interface SearchKey {
  readonly label?: string;
  readonly value?: string;
}

/** Keys one of which every matching item satisfies; none when nothing can match. */
export type SearchKeys = readonly SearchKey[];

/** The ways to narrow the search for what a selector matches; the last resort is to try everything. */
export function searchOptions(selector: Selector): readonly SearchKeys[] {
  const options = narrowingOptions(selector);
  return options.length === 0 ? [[{}]] : options;
}

function narrowingOptions(selector: Selector): SearchKeys[] {
  const plain = plainOptions(selector);
  if (plain !== undefined) return plain;
  const options = disjunctionOptions(selector);
  for (const [label, { mustHaveOneOfValues, mustBePresent }] of labelRestrictions(selector)) {
    if (mustHaveOneOfValues !== undefined) options.push([...mustHaveOneOfValues].map((value) => ({ label, value })));
    else if (mustBePresent) options.push([{ label }]);
  }
  return options;
}

/** Of values that labels must have, as most selectors of a cluster are; undefined = it is more than that. */
function plainOptions(selector: Selector): SearchKeys[] | undefined {
  if (selector.kind === 'equals') return [[{ label: selector.label, value: selector.value }]];
  if (selector.kind !== 'and') return undefined;
  const options: SearchKeys[] = [];
  for (const operand of selector.operands) {
    if (operand.kind !== 'equals' || options.some(([key]) => key?.label === operand.label)) return undefined;
    options.push([{ label: operand.label, value: operand.value }]);
  }
  return options;
}

/** What matches one of several selectors is found by a way to find each of them. */
function disjunctionOptions(selector: Selector): SearchKeys[] {
  if (selector.kind === 'and') return selector.operands.flatMap(disjunctionOptions);
  if (selector.kind !== 'or') return [];
  const ways = selector.operands.map((operand) => narrowingOptions(operand)[0]);
  return ways.every((way) => way !== undefined) ? [ways.flat()] : [];
}

type Labels = Iterable<readonly [string, string]> & { get(label: string): string | undefined };

/** With so few labels spoken of they are asked for one by one: that is cheaper than a walk over those of an item. */
const FEW_LABELS = 4;

/** Selectors filed under (label, value), under a label, or under anything. */
export class MultiIndex<T> {
  readonly #byLabel = new Map<string, Map<string | undefined, Set<T>>>();
  readonly #any = new Set<T>();

  add({ label, value }: SearchKey, entry: T): void {
    if (label === undefined) this.#any.add(entry);
    else file(this.#byLabel, label, value, entry);
  }

  delete({ label, value }: SearchKey, entry: T): void {
    if (label === undefined) this.#any.delete(entry);
    else unfile(this.#byLabel, label, value, entry);
  }

  /** Calls back with everything filed under something that an item with these labels satisfies. */
  forCandidates(labels: Labels, visit: (entry: T) => void): void {
    for (const entry of this.#any) visit(entry);
    if (this.#byLabel.size === 0) return;
    if (this.#byLabel.size <= FEW_LABELS) {
      for (const [label, byValue] of this.#byLabel) this.#visitFiled(byValue, labels.get(label), visit);
      return;
    }
    for (const [label, value] of labels) this.#visitFiled(this.#byLabel.get(label), value, visit);
  }

  #visitFiled(
    byValue: ReadonlyMap<string | undefined, Set<T>> | undefined,
    value: string | undefined,
    visit: (entry: T) => void,
  ): void {
    if (byValue === undefined || value === undefined) return;
    for (const entry of byValue.get(value) ?? NONE) visit(entry as T);
    for (const entry of byValue.get(undefined) ?? NONE) visit(entry as T);
  }

  /** How many are filed under any of the keys; one that is under several counts for each. */
  count(keys: SearchKeys): number {
    let sum = 0;
    for (const { label, value } of keys) {
      sum += label === undefined ? this.#any.size : (this.#byLabel.get(label)?.get(value)?.size ?? 0);
    }
    return sum;
  }
}

/** What ItemIndex needs to know of an item. */
export interface Indexed {
  readonly labels: Labels;
  readonly sequence: number;
}

/** Items by the labels that somebody has asked for: most labels of a cluster no selector speaks of. */
export class ItemIndex<T extends Indexed> {
  readonly #byLabel = new Map<string, Map<string, Set<T>>>();
  readonly #all: () => Iterable<T>;

  /** all = every item that there is, those added and not deleted. */
  constructor(all: () => Iterable<T>) {
    this.#all = all;
  }

  add(item: T): void {
    for (const [label, byValue] of this.#byLabel) {
      const value = item.labels.get(label);
      if (value !== undefined) fileValue(byValue, value, item);
    }
  }

  delete(item: T): void {
    for (const [label, byValue] of this.#byLabel) {
      const value = item.labels.get(label);
      if (value !== undefined) unfileValue(byValue, value, item);
    }
  }

  /** How many items satisfy a key; one that satisfies several counts for each. */
  count(keys: SearchKeys): number {
    let sum = 0;
    for (const { label, value } of keys) {
      if (label === undefined) return Number.POSITIVE_INFINITY;
      const byValue = this.#valuesOf(label);
      if (value !== undefined) sum += byValue.get(value)?.size ?? 0;
      else for (const items of byValue.values()) sum += items.size;
    }
    return sum;
  }

  /** value undefined = any. In the order in which they came. */
  items(label: string, value: string | undefined): Iterable<T> {
    const byValue = this.#valuesOf(label);
    if (value !== undefined) return byValue.get(value) ?? [];
    const items = [...byValue.values()].flatMap((some) => [...some]);
    return items.sort((a, b) => a.sequence - b.sequence);
  }

  #valuesOf(label: string): Map<string, Set<T>> {
    const known = this.#byLabel.get(label);
    if (known !== undefined) return known;
    const byValue = new Map<string, Set<T>>();
    this.#byLabel.set(label, byValue);
    for (const item of this.#all()) {
      const value = item.labels.get(label);
      if (value !== undefined) fileValue(byValue, value, item);
    }
    return byValue;
  }
}

const NONE: ReadonlySet<unknown> = new Set();

type Postings<V, T> = Map<string, Map<V, Set<T>>>;

function file<V, T>(postings: Postings<V, T>, label: string, value: V, entry: T): void {
  let byValue = postings.get(label);
  if (byValue === undefined) {
    byValue = new Map();
    postings.set(label, byValue);
  }
  fileValue(byValue, value, entry);
}

function unfile<V, T>(postings: Postings<V, T>, label: string, value: V, entry: T): void {
  const byValue = postings.get(label);
  if (byValue === undefined) return;
  unfileValue(byValue, value, entry);
  if (byValue.size === 0) postings.delete(label);
}

function fileValue<V, T>(byValue: Map<V, Set<T>>, value: V, entry: T): void {
  const entries = byValue.get(value);
  // Made of a list it takes several times as long, and there are as many as there are values.
  if (entries === undefined) byValue.set(value, new Set<T>().add(entry));
  else entries.add(entry);
}

function unfileValue<V, T>(byValue: Map<V, Set<T>>, value: V, entry: T): void {
  const entries = byValue.get(value);
  if (entries === undefined) return;
  entries.delete(entry);
  if (entries.size === 0) byValue.delete(value);
}
