// Effective labels of everything that owns addresses: its own, then those of its profiles in order.
//
//   endpoints, network sets --setItem-->  LabelIndex  --onItem(item, labels)-->  SelectorIndex
//   profiles ---------------setProfile-->
import type { LabelledItem } from './resolved.ts';

/** Labels as selectors look at them; never change once handed out. */
export interface Labels extends Iterable<[string, string]> {
  get(label: string): string | undefined;
  has(label: string): boolean;
}

/** Told of every item whose object or effective labels changed; labels undefined = the item is gone. */
export type ItemListener = (item: LabelledItem, labels: Labels | undefined) => void;

type LabelMap = Readonly<Record<string, string>>;

/** Own labels over those of profiles, none of them copied: thousands of items share what a namespace lends them. */
class LayeredLabels implements Labels {
  readonly #own: LabelMap;
  /** Earlier ones win. One needs no list, and nearly all items have one. */
  readonly #lent: LabelMap | undefined;
  readonly #others: readonly LabelMap[];

  constructor(own: LabelMap, lent: LabelMap | undefined, others: readonly LabelMap[]) {
    this.#own = own;
    this.#lent = lent;
    this.#others = others;
  }

  get(label: string): string | undefined {
    if (Object.hasOwn(this.#own, label)) return this.#own[label];
    if (this.#lent === undefined) return undefined;
    if (Object.hasOwn(this.#lent, label)) return this.#lent[label];
    for (const labels of this.#others) if (Object.hasOwn(labels, label)) return labels[label];
    return undefined;
  }

  has(label: string): boolean {
    return this.get(label) !== undefined;
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    const above: LabelMap[] = [];
    for (const labels of [this.#own, this.#lent ?? {}, ...this.#others]) {
      for (const label in labels) {
        if (!above.some((layer) => Object.hasOwn(layer, label))) yield [label, labels[label] as string];
      }
      above.push(labels);
    }
  }
}

const NO_LABELS: readonly LabelMap[] = [];

export class LabelIndex {
  readonly #items = new Map<string, LabelledItem>();
  readonly #profileLabels = new Map<string, Readonly<Record<string, string>>>();
  readonly #profileUsers = new Map<string, Set<string>>();
  readonly #onItem: ItemListener;

  constructor(onItem: ItemListener) {
    this.#onItem = onItem;
  }

  setItem(item: LabelledItem): void {
    const { key, profiles } = item;
    this.#forgetProfiles(key);
    this.#items.set(key, item);
    for (const profile of profiles) {
      const users = this.#profileUsers.get(profile);
      if (users === undefined) this.#profileUsers.set(profile, new Set<string>().add(key));
      else users.add(key);
    }
    this.#onItem(item, this.#effectiveLabels(item));
  }

  removeItem(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#forgetProfiles(key);
    this.#items.delete(key);
    this.#onItem(item, undefined);
  }

  /** labels undefined = the profile is gone. Work in proportion to the items that list it. */
  setProfile(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    if (labels === undefined) this.#profileLabels.delete(name);
    else this.#profileLabels.set(name, labels);
    for (const key of this.#profileUsers.get(name) ?? []) {
      const item = this.#items.get(key);
      if (item !== undefined) this.#onItem(item, this.#effectiveLabels(item));
    }
  }

  #effectiveLabels(item: LabelledItem): Labels {
    let lent: LabelMap | undefined;
    let others = NO_LABELS;
    for (const profile of item.profiles) {
      const labels = this.#profileLabels.get(profile);
      if (labels === undefined) continue;
      if (lent === undefined) lent = labels;
      else others = [...others, labels];
    }
    return new LayeredLabels(item.labels, lent, others);
  }

  #forgetProfiles(key: string): void {
    for (const profile of this.#items.get(key)?.profiles ?? []) {
      const users = this.#profileUsers.get(profile);
      users?.delete(key);
      if (users?.size === 0) this.#profileUsers.delete(profile);
    }
  }
}
