// How large a value would be written out: what is in it many times by reference counts each time, as whoever copies or writes it
// would meet it.

/** Of a number, true, false, null, and of what holds others. */
const LEAST_BYTES = 4;

export interface ValueSize {
  /** About as many as of its JSON. */
  readonly bytes: number;
  /** Objects and lists inside each other. */
  readonly depth: number;
}

/** Level by level, since whatever calls itself would end on a deep value. undefined = more than that; no more of it is looked at. */
export function sizeOfValue(root: unknown, maxBytes: number, maxDepth: number): ValueSize | undefined {
  let bytes = 0;
  let depth = 0;
  for (let level = [root]; level.length > 0; depth += 1) {
    if (depth > maxDepth) return undefined;
    const next: unknown[] = [];
    for (const value of level) {
      bytes += bytesOf(value);
      for (const item of itemsOf(value)) next.push(item);
      if (bytes + next.length * LEAST_BYTES > maxBytes) return undefined;
    }
    level = next;
  }
  return { bytes, depth };
}

function itemsOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Array.isArray(value) ? value : Object.values(value);
}

/** Without what it holds. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return LEAST_BYTES + value.length;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return LEAST_BYTES;
  let bytes = LEAST_BYTES;
  for (const key of Object.keys(value)) bytes += key.length;
  return bytes;
}
