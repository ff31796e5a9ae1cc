// A map from keys to mostly one value, sometimes several: a list for each key would cost more than all else.

export class FewMap<K, V extends object> {
  readonly #values = new Map<K, V | V[]>();

  /** Values of the key, in no order. */
  get(key: K): readonly V[] {
    const found = this.#values.get(key);
    if (found === undefined) return [];
    return Array.isArray(found) ? found : [found];
  }

  add(key: K, value: V): void {
    const found = this.#values.get(key);
    if (found === undefined) this.#values.set(key, value);
    else if (Array.isArray(found)) found.push(value);
    else this.#values.set(key, [found, value]);
  }

  /** The exact mirror of add. */
  remove(key: K, value: V): void {
    const found = this.#values.get(key);
    if (found === value) this.#values.delete(key);
    if (!Array.isArray(found)) return;
    const at = found.indexOf(value);
    const last = found.pop() as V;
    if (last !== value) found[at] = last;
    if (found.length === 0) this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }
}
