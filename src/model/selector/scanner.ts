// Characters of a selector: blanks, punctuation, labels, words and strings at the current position.
// What may follow what is the parser's business.

const MAX_LABEL_LENGTH = 512;

/** Why a selector does not parse. */
export interface SelectorProblem {
  readonly text: string;
  /** 0-based index in the text. */
  readonly position: number;
  readonly found: string;
  readonly expected: string;
}

/** Unwinds the parser; never leaves parser.ts. */
export class SelectorSyntaxError extends Error {
  readonly problem: SelectorProblem;

  constructor(problem: SelectorProblem) {
    super(problem.expected);
    this.problem = problem;
  }
}

export class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#position === this.#text.length;
  }

  /** Space and tab only: a newline is not a blank in this language. */
  skipBlanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#position))) this.#position++;
  }

  take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#position)) return false;
    this.#position += token.length;
    return true;
  }

  /** The words with any number of blanks between them, ending where an identifier would end. */
  takeWords(...words: readonly string[]): boolean {
    const start = this.#position;
    for (const word of words) {
      this.skipBlanks();
      if (!this.take(word)) {
        this.#position = start;
        return false;
      }
    }
    if (!isLabelCode(this.#text.charCodeAt(this.#position))) return true;
    this.#position = start;
    return false;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.problem(token);
  }

  takeLabel(): string | undefined {
    let end = this.#position;
    while (isLabelCode(this.#text.charCodeAt(end))) end++;
    if (end === this.#position) return undefined;
    const length = end - this.#position;
    if (length > MAX_LABEL_LENGTH) {
      throw this.problem(`a label of at most ${MAX_LABEL_LENGTH} characters`, `${length} characters`);
    }
    const label = this.#text.slice(this.#position, end);
    this.#position = end;
    return label;
  }

  expectString(): string {
    this.skipBlanks();
    const quote = this.#text[this.#position];
    if (quote !== '"' && quote !== "'") throw this.problem('a quoted string');
    const end = this.#text.indexOf(quote, this.#position + 1);
    if (end === -1) throw this.problem(`a closing ${quote}`, 'an unterminated string');
    const value = this.#text.slice(this.#position + 1, end);
    this.#position = end + 1;
    return value;
  }

  problem(expected: string, found?: string): SelectorSyntaxError {
    const rest = this.#text.slice(this.#position, this.#position + 20);
    const here = rest === '' ? 'the end' : JSON.stringify(rest);
    return new SelectorSyntaxError({ text: this.#text, position: this.#position, found: found ?? here, expected });
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** A-Z a-z 0-9 _ . / - */
function isLabelCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 45 && code <= 57) || code === 95;
}
