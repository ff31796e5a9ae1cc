// Tokens of a filter: words, strings in quotes, marks. A word is whatever a name, a pattern, an address or a range is made of.
import { DataplaneError } from '../../base/errors.ts';
import { quoteValue } from '../../resources/report.ts';

export interface Token {
  readonly kind: 'word' | 'string' | 'mark' | 'end';
  readonly text: string;
  /** 0-based. */
  readonly position: number;
}

const WORD = /[\p{L}\p{N}_.*:/@%+-]+/uy;
const MARKS = ['&&', '||', '==', '!=', '<=', '>=', '=', '!', '<', '>', '(', ')', '{', '}', ','];

export class FilterScanner {
  readonly #text: string;
  #token: Token;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read(0);
  }

  peek(): Token {
    return this.#token;
  }

  next(): Token {
    const token = this.#token;
    this.#token = this.#read(this.#endOf(token));
    return token;
  }

  takeWord(word: string): boolean {
    return this.#take('word', word);
  }

  takeMark(mark: string): boolean {
    return this.#take('mark', mark);
  }

  /** INVALID_FILTER at the token that comes next. */
  problem(expected: string, hint?: string): DataplaneError {
    const { kind, text, position } = this.#token;
    return syntaxError(this.#text, position, kind === 'end' ? 'the end' : quoteValue(text), expected, hint);
  }

  #take(kind: Token['kind'], text: string): boolean {
    const token = this.#token;
    if (token.kind !== kind || (kind === 'word' ? token.text.toLowerCase() : token.text) !== text) return false;
    this.next();
    return true;
  }

  #endOf({ kind, text, position }: Token): number {
    return position + text.length + (kind === 'string' ? 2 : 0);
  }

  #read(from: number): Token {
    let position = from;
    while (/\s/.test(this.#text.charAt(position))) position += 1;
    if (position >= this.#text.length) return { kind: 'end', text: '', position: this.#text.length };
    const first = this.#text.charAt(position);
    if (first === '"' || first === "'") return this.#string(first, position);
    const mark = MARKS.find((one) => this.#text.startsWith(one, position));
    if (mark !== undefined) return { kind: 'mark', text: mark, position };
    WORD.lastIndex = position;
    const [word] = WORD.exec(this.#text) ?? [];
    if (word !== undefined) return { kind: 'word', text: word, position };
    throw syntaxError(
      this.#text,
      position,
      quoteValue(first),
      'a field, an operator or a value',
      'put other text in quotes',
    );
  }

  #string(quote: string, position: number): Token {
    const end = this.#text.indexOf(quote, position + 1);
    if (end >= 0) return { kind: 'string', text: this.#text.slice(position + 1, end), position };
    throw syntaxError(this.#text, position, quoteValue(this.#text.slice(position)), `a closing ${quote}`);
  }
}

function syntaxError(text: string, position: number, found: string, expected: string, hint?: string): DataplaneError {
  const shown = text.length > 120 ? `${text.slice(0, 117)}...` : text;
  return new DataplaneError('INVALID_FILTER', `does not parse at column ${position + 1} of ${JSON.stringify(shown)}`, {
    operation: 'parse',
    target: 'filter',
    found,
    expected,
    hint,
  });
}
