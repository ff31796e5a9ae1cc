// Effective labels of everything that owns addresses: its own, then those of its profiles in order.
//
//   endpoints, network sets --setItem-->  LabelIndex  --onItem(item, labels)-->  SelectorIndex
//   profiles ---------------setProfile-->
import type { LabelledItem } from './resolved.ts';

export type Labels = ReadonlyMap<string, string>;

/** Told of every item whose object or effective labels changed; labels undefined = the item is gone. */
export type ItemListener = (item: LabelledItem, labels: Labels | undefined) => void;

export class LabelIndex {
  readonly #items = new Map<string, LabelledItem>();
  readonly #profileLabels = new Map<string, Readonly<Record<string, string>>>();
  readonly #profileUsers = new Map<string, Set<string>>();
  readonly #onItem: ItemListener;

  constructor(onItem: ItemListener) {
    this.#onItem = onItem;
  }

  setItem(item: LabelledItem): void {
    this.#forgetProfiles(item.key);
    this.#items.set(item.key, item);
    for (const profile of item.profiles) {
      const users = this.#profileUsers.get(profile) ?? new Set();
      this.#profileUsers.set(profile, users.add(item.key));
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
    const labels = new Map(Object.entries(item.labels));
    for (const profile of item.profiles) {
      for (const [name, value] of Object.entries(this.#profileLabels.get(profile) ?? {})) {
        if (!labels.has(name)) labels.set(name, value);
      }
    }
    return labels;
  }

  #forgetProfiles(key: string): void {
    for (const profile of this.#items.get(key)?.profiles ?? []) {
      const users = this.#profileUsers.get(profile);
      users?.delete(key);
      if (users?.size === 0) this.#profileUsers.delete(profile);
    }
  }
}
