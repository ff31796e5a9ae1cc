// The characters that mean something in plain YAML, and what is thrown where it is not plain. No reading here.

export const CHAR = {
  newline: 0x0a,
  space: 0x20,
  double: 0x22,
  comment: 0x23,
  single: 0x27,
  comma: 0x2c,
  dash: 0x2d,
  colon: 0x3a,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  openMap: 0x7b,
  closeMap: 0x7d,
} as const;

/** Not an error: the text is for another parser. Made once, because traces take longer than short documents. */
export const NOT_SIMPLE = Symbol('not simple');

/** Whether the character divides or ends collections in brackets. */
export function isFlowSign(char: number): boolean {
  return (
    char === CHAR.comma ||
    char === CHAR.openList ||
    char === CHAR.closeList ||
    char === CHAR.openMap ||
    char === CHAR.closeMap
  );
}
