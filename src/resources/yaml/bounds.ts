// What no manifest needs and hostile text has: characters that no editor shows, endless nesting, keys without end.
// Both parsers ask here, so that they refuse the same.
import { parseEvents, YAMLException } from 'js-yaml';

/** Collections inside collections. */
export const MAX_DEPTH = 100;
/** Characters of a key; YAML itself allows no more before the colon of an ordinary key. */
export const MAX_KEY_LENGTH = 1024;

export interface SyntaxProblem {
  readonly message: string;
  /** 1-based, within the text. */
  readonly line: number;
}

/** All but tab and line ends (YAML 1.2, 5.1). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/;

export function hasControlCharacter(text: string): boolean {
  return CONTROL_CHARACTER.test(text);
}

/** What is wrong with the text as a whole, whatever it says. */
export function findBoundsProblem(text: string): SyntaxProblem | undefined {
  const control = CONTROL_CHARACTER.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return { message: `has a control character, U+${code}`, line: lineAtOffset(text, control.index) };
  }
  try {
    parseEvents(text, { maxDepth: MAX_DEPTH });
    return undefined;
  } catch (error) {
    if (!(error instanceof YAMLException) || !error.reason.startsWith('nesting exceeded')) return undefined;
    return { message: `is nested more than ${MAX_DEPTH} levels deep`, line: (error.mark?.line ?? 0) + 1 };
  }
}

/** 1-based line of an offset in the text. */
export function lineAtOffset(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
