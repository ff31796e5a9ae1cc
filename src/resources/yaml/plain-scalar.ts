// Unquoted YAML scalars, resolved by the core schema (YAML 1.2.2, 10.3.2), for the common forms only.
// What is rare or doubtful is not resolved here: NOT_PLAIN sends the document to the full parser.

export const NOT_PLAIN: unique symbol = Symbol('not plain');

const INTEGER = /^[-+]?[0-9]+$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)$/;
/** Octal, hexadecimal, exponents, infinities. */
const RARE_NUMBER = /^(?:0[ox][0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+|[-+]?\.(?:inf|nan))$/i;
const MAX_INTEGER_DIGITS = 15;

const WORDS: ReadonlyMap<string, null | boolean> = new Map([
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
]);

export type PlainScalar = string | number | boolean | null;

/** The value of an unquoted scalar without blanks around it. */
export function resolvePlainScalar(text: string): PlainScalar | typeof NOT_PLAIN {
  if (text.length <= 5) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  const first = text.charCodeAt(0);
  const canBeNumber = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  if (!canBeNumber) return text;
  if (INTEGER.test(text)) return text.length <= MAX_INTEGER_DIGITS ? Number(text) : NOT_PLAIN;
  if (FLOAT.test(text)) return Number(text);
  return RARE_NUMBER.test(text) ? NOT_PLAIN : text;
}

/** Whether an unquoted scalar may start with the character, whatever follows it. */
export function canStartPlainScalar(code: number): boolean {
  // A-Z a-z 0-9 . / _ $ ( + < ~ and everything beyond ASCII; all others are indicators or need a look at what follows.
  return (
    (code >= 97 && code <= 122) ||
    (code >= 46 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    code === 95 ||
    code === 36 ||
    code === 40 ||
    code === 43 ||
    code === 60 ||
    code === 126 ||
    code >= 160
  );
}
