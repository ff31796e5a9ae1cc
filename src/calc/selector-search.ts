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
  const options = disjunctionOptions(selector);
  for (const [label, { mustHaveOneOfValues, mustBePresent }] of labelRestrictions(selector)) {
    if (mustHaveOneOfValues !== undefined) options.push([...mustHaveOneOfValues].map((value) => ({ label, value })));
    else if (mustBePresent) options.push([{ label }]);
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

/** Values filed under (label, value), under a label, or under anything. */
export class MultiIndex<T> {
  readonly #byLabel = new Map<string, Map<string | undefined, Set<T>>>();
  readonly #any = new Set<T>();

  add(key: SearchKey, value: T): void {
    if (key.label === undefined) this.#any.add(value);
    else this.#file(key.label, key.value, value);
  }

  delete(key: SearchKey, value: T): void {
    if (key.label === undefined) this.#any.delete(value);
    else this.#unfile(key.label, key.value, value);
  }

  /** Everything filed under something that an item with these labels satisfies. */
  *candidates(labels: ReadonlyMap<string, string>): Iterable<T> {
    yield* this.#any;
    for (const [label, value] of labels) {
      const byValue = this.#byLabel.get(label);
      if (byValue === undefined) continue;
      yield* byValue.get(value) ?? [];
      yield* byValue.get(undefined) ?? [];
    }
  }

  /** How many values are filed under any of the keys; one that is under several counts for each. */
  count(keys: SearchKeys): number {
    let sum = 0;
    for (const { label, value } of keys) {
      sum += label === undefined ? this.#any.size : (this.#byLabel.get(label)?.get(value)?.size ?? 0);
    }
    return sum;
  }

  /** Files an item under its label's value and under the label's presence. */
  addItem(label: string, value: string, item: T): void {
    this.#file(label, value, item);
    this.#file(label, undefined, item);
  }

  deleteItem(label: string, value: string, item: T): void {
    this.#unfile(label, value, item);
    this.#unfile(label, undefined, item);
  }

  items(label: string, value: string | undefined): Iterable<T> {
    return this.#byLabel.get(label)?.get(value) ?? [];
  }

  #file(label: string, value: string | undefined, item: T): void {
    const byValue = this.#byLabel.get(label) ?? new Map<string | undefined, Set<T>>();
    this.#byLabel.set(label, byValue);
    const items = byValue.get(value) ?? new Set<T>();
    byValue.set(value, items.add(item));
  }

  #unfile(label: string, value: string | undefined, item: T): void {
    const byValue = this.#byLabel.get(label);
    const items = byValue?.get(value);
    if (byValue === undefined || items === undefined) return;
    items.delete(item);
    if (items.size === 0) byValue.delete(value);
    if (byValue.size === 0) this.#byLabel.delete(label);
  }
}
