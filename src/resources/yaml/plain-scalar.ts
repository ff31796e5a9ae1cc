// Scalars without quotes -> text, numbers, booleans and null, as YAML's core schema has it, where that is plain to see.
import { MAX_KEY_LENGTH } from './bounds.ts';
import { NOT_SIMPLE } from './simple-signs.ts';

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
/** `/`, `_`, `$`, `(`: no number, keyword or sign of YAML begins with them. */
const OTHER_STARTS = new Set([0x2f, 0x5f, 0x24, 0x28]);
/** Longer ones are text. */
const MAX_KEYWORD = 5;
/** What some reader of YAML takes for another value is decided by a parser. */
const DOUBTFUL = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
const WHOLE_NUMBER = /^(?:0|-?[1-9][0-9]{0,14})$/;
const DECIMAL = /^(?:0|[1-9][0-9]{0,8})\.[0-9]{1,6}$/;
/** No number has such a character, or two points. */
const CERTAINLY_TEXT = /[^0-9a-fA-FxXoO.+-]|\..*\./;

/** Whether a plain scalar may begin with the character, and it means nothing else there. */
export function isPlainStart(char: number): boolean {
  return isLetter(char) || (char >= ZERO && char <= NINE) || char === MINUS || OTHER_STARTS.has(char);
}

/** The value of a scalar that isPlainStart. Throws NOT_SIMPLE. */
export function resolvePlain(text: string): unknown {
  const first = text.charCodeAt(0);
  if (first === MINUS || (first >= ZERO && first <= NINE)) return resolveNumber(text, first);
  return text.length <= MAX_KEYWORD && isLetter(first) ? resolveWord(text) : text;
}

/** The value as a key, which is text, and not too long. Throws NOT_SIMPLE. */
export function requireKey(key: unknown): string {
  if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH) throw NOT_SIMPLE;
  return key;
}

function resolveNumber(text: string, first: number): unknown {
  if (WHOLE_NUMBER.test(text) || DECIMAL.test(text)) return Number(text);
  if (first !== MINUS && CERTAINLY_TEXT.test(text)) return text;
  throw NOT_SIMPLE;
}

function resolveWord(word: string): unknown {
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (word === 'null') return null;
  if (DOUBTFUL.test(word)) throw NOT_SIMPLE;
  return word;
}

function isLetter(char: number): boolean {
  return (char >= 0x41 && char <= 0x5a) || (char >= 0x61 && char <= 0x7a);
}
