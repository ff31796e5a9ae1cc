// Structural equality of plain data: objects, arrays and primitives. Not for maps, sets or class instances.

/** Fields that are undefined count as absent. Fields named `without`, wherever they are, are not read. */
export function isEqual(a: unknown, b: unknown, without?: string): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isEqual(item, b[index], without));
  }
  const isSameCount = countFields(a as Fields, without) === countFields(b as Fields, without);
  return isSameCount && hasFieldsOf(b as Fields, a as Fields, without);
}

type Fields = Readonly<Record<string, unknown>>;

function countFields(value: Fields, without: string | undefined): number {
  let count = 0;
  for (const key in value) if (key !== without && value[key] !== undefined) count++;
  return count;
}

function hasFieldsOf(value: Fields, wanted: Fields, without: string | undefined): boolean {
  for (const key in wanted) {
    if (key === without || wanted[key] === undefined) continue;
    if (!(Object.hasOwn(value, key) && isEqual(value[key], wanted[key], without))) return false;
  }
  return true;
}
