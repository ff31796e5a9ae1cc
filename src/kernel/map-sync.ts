// One hash or trie map kept equal to a desired set of rows: only differences are written.
import type { BpfMap } from './native.ts';

type Rows = ReadonlyMap<string, Uint8Array>;

/** Rows are keyed by the key's bytes in hex. */
export class MapSync {
  readonly #map: BpfMap;
  readonly #actual = new Map<string, Uint8Array>();

  /** Reads what the map holds now. */
  constructor(map: BpfMap) {
    this.#map = map;
    const { keySize, valueSize } = map.info;
    const { keys, values, count } = map.entries();
    for (let row = 0; row < count; row += 1) {
      const key = Buffer.from(keys.buffer, keys.byteOffset + row * keySize, keySize).toString('hex');
      this.#actual.set(key, values.slice(row * valueSize, (row + 1) * valueSize));
    }
  }

  /** Deletes rows that are not desired. */
  removeAllBut(desired: Rows): void {
    for (const key of [...this.#actual.keys()]) {
      if (desired.has(key)) continue;
      this.#map.delete(Buffer.from(key, 'hex'));
      this.#actual.delete(key);
    }
  }

  /** Writes rows that are absent or differ. */
  writeAll(desired: Rows): void {
    for (const [key, value] of desired) {
      const before = this.#actual.get(key);
      if (before !== undefined && Buffer.compare(before, value) === 0) continue;
      this.#map.update(Buffer.from(key, 'hex'), value, 0);
      this.#actual.set(key, value);
    }
  }
}
