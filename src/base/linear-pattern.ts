// Regular expressions from manifests: in the syntax of RE2, which is Go's, and in time that grows as the text does.
import { RE2JS, RE2JSException } from 're2js';

/** Whether the text has a part that the pattern describes; `^` and `$` stand for its ends. */
export type LinearPattern = (text: string) => boolean;

/** The pattern, or what is wrong with it. */
export function compilePattern(text: string): { readonly matches: LinearPattern } | { readonly problem: string } {
  try {
    const pattern = RE2JS.compile(text);
    return { matches: (subject) => pattern.matcher(subject).find() };
  } catch (error) {
    if (error instanceof RE2JSException) return { problem: error.message };
    throw error;
  }
}
