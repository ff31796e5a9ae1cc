// Structural equality of plain data: objects, arrays and primitives. Not for maps, sets or class instances.

/** Fields that are undefined count as absent. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isEqual(item, b[index]));
  }
  return countFields(a as Fields) === countFields(b as Fields) && hasFieldsOf(b as Fields, a as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

function countFields(value: Fields): number {
  let count = 0;
  for (const key in value) if (value[key] !== undefined) count++;
  return count;
}

function hasFieldsOf(value: Fields, wanted: Fields): boolean {
  for (const key in wanted) {
    if (wanted[key] !== undefined && !(Object.hasOwn(value, key) && isEqual(value[key], wanted[key]))) return false;
  }
  return true;
}
