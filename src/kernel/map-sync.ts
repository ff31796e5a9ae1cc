// One hash or trie map kept equal to a desired set of rows: only differences are written.
import type { BpfMap } from './native.ts';

type Rows = ReadonlyMap<string, Uint8Array>;

/** Rows are keyed by the key's bytes in hex. */
export class MapSync {
  readonly #map: BpfMap;
  /** What the map holds, as far as this process wrote it. */
  readonly #actual: Map<string, Uint8Array>;

  /** Reads what the map holds now. */
  constructor(map: BpfMap) {
    this.#map = map;
    this.#actual = readRows(map);
  }

  /** Reads the map again and undoes what others wrote to it. Returns how many rows that were. */
  restore(): number {
    const found = readRows(this.#map);
    let restored = 0;
    for (const key of found.keys()) {
      if (this.#actual.has(key)) continue;
      this.#map.delete(Buffer.from(key, 'hex'));
      restored += 1;
    }
    for (const [key, value] of this.#actual) {
      const other = found.get(key);
      if (other !== undefined && Buffer.compare(other, value) === 0) continue;
      this.#map.update(Buffer.from(key, 'hex'), value, 0);
      restored += 1;
    }
    return restored;
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

function readRows(map: BpfMap): Map<string, Uint8Array> {
  const { keySize, valueSize } = map.info;
  const { keys, values, count } = map.entries();
  const rows = new Map<string, Uint8Array>();
  for (let row = 0; row < count; row += 1) {
    const key = Buffer.from(keys.buffer, keys.byteOffset + row * keySize, keySize).toString('hex');
    rows.set(key, values.slice(row * valueSize, (row + 1) * valueSize));
  }
  return rows;
}
