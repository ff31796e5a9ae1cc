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

/** Own labels over those of profiles, none of them copied: thousands of items share what a namespace lends them. */
class LayeredLabels implements Labels {
  /** Earlier layers win. */
  readonly #layers: readonly Readonly<Record<string, string>>[];

  constructor(layers: readonly Readonly<Record<string, string>>[]) {
    this.#layers = layers;
  }

  get(label: string): string | undefined {
    for (const layer of this.#layers) if (Object.hasOwn(layer, label)) return layer[label];
    return undefined;
  }

  has(label: string): boolean {
    return this.get(label) !== undefined;
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (const [index, layer] of this.#layers.entries()) {
      for (const label in layer) if (!this.#isHidden(label, index)) yield [label, layer[label] as string];
    }
  }

  #isHidden(label: string, index: number): boolean {
    for (let above = 0; above < index; above += 1) {
      if (Object.hasOwn(this.#layers[above] as object, label)) return true;
    }
    return false;
  }
}

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
    const layers = [item.labels];
    for (const profile of item.profiles) {
      const labels = this.#profileLabels.get(profile);
      if (labels !== undefined) layers.push(labels);
    }
    return new LayeredLabels(layers);
  }

  #forgetProfiles(key: string): void {
    for (const profile of this.#items.get(key)?.profiles ?? []) {
      const users = this.#profileUsers.get(profile);
      users?.delete(key);
      if (users?.size === 0) this.#profileUsers.delete(profile);
    }
  }
}
