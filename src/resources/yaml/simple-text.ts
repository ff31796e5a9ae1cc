// What stands on the lines of plain YAML: keys, scalars and collections in brackets, taken one after the other. Indentation
// is read here and judged by simple-yaml.ts.
import { isPlainStart, requireKey, resolvePlain } from './plain-scalar.ts';
import { CHAR, isFlowSign, NOT_SIMPLE } from './simple-signs.ts';

/** Collections in brackets inside each other; with those around them less than what is allowed. */
const MAX_FLOW_DEPTH = 30;

export class SimpleText {
  readonly #text: string;
  readonly #end: number;
  #lineStart = 0;
  #flowDepth = 0;
  /** Offset of the next character. */
  at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#end = text.length;
  }

  /** Of the next character. */
  get column(): number {
    return this.at - this.#lineStart;
  }

  /** Skips spaces; whether nothing but a comment is left of the line. */
  isAtLineEnd(): boolean {
    const from = this.at;
    const char = this.#skipSpaces();
    if (char === CHAR.newline) return true;
    return char === CHAR.comment && this.at > from;
  }

  /** Goes from the line at hand to the next with content and returns the column where it begins; -1 = there is none. */
  findContent(): number {
    if (this.at > 0) this.#skipLine();
    while (this.at < this.#end) {
      this.#lineStart = this.at;
      const char = this.#skipSpaces();
      if (char !== CHAR.newline && char !== CHAR.comment) return this.column;
      this.#skipLine();
    }
    return -1;
  }

  isAtDash(): boolean {
    return this.#code(this.at) === CHAR.dash && this.#isBlank(this.at + 1);
  }

  isAtFlow(): boolean {
    const char = this.#code(this.at);
    return char === CHAR.openList || char === CHAR.openMap;
  }

  /** Whether the rest of the line begins with a key. */
  isAtKey(): boolean {
    const char = this.#code(this.at);
    if (char !== CHAR.double && char !== CHAR.single) return this.#findColon() !== -1;
    const before = this.at;
    this.#takeQuoted(char);
    const isKey = this.#code(this.at) === CHAR.colon;
    this.at = before;
    return isKey;
  }

  /** The key and its colon. */
  takeKey(): string {
    const char = this.#code(this.at);
    let key: unknown;
    if (char === CHAR.double || char === CHAR.single) {
      key = this.#takeQuoted(char);
      if (this.#code(this.at) !== CHAR.colon || !this.#isBlank(this.at + 1)) throw NOT_SIMPLE;
    } else {
      const colon = this.#findColon();
      if (colon <= this.at || !isPlainStart(char) || this.#code(colon - 1) === CHAR.space) throw NOT_SIMPLE;
      key = resolvePlain(this.#text.slice(this.at, colon));
      this.at = colon;
    }
    this.at += 1;
    return requireKey(key);
  }

  /** A scalar or a collection in brackets, whose further lines must be further in than `column`. */
  takeValue(column: number, isInFlow = false): unknown {
    const char = this.#code(this.at);
    if (char === CHAR.double || char === CHAR.single) return this.#takeQuoted(char);
    if (char === CHAR.openList || char === CHAR.openMap) return this.#takeFlow(char, column);
    if (!isPlainStart(char)) throw NOT_SIMPLE;
    return isInFlow ? this.#takeFlowPlain(false) : this.#takePlain();
  }

  /** To the end of the line or a comment. */
  #takePlain(): unknown {
    const start = this.at;
    let end = start;
    for (; ; this.at += 1) {
      const char = this.#code(this.at);
      if (char === CHAR.space) continue;
      if (char === CHAR.newline) break;
      if (char === CHAR.colon && this.#isBlank(this.at + 1)) throw NOT_SIMPLE;
      if (char === CHAR.comment && this.#code(this.at - 1) === CHAR.space) {
        this.at = end;
        break;
      }
      end = this.at + 1;
    }
    return resolvePlain(this.#text.slice(start, end));
  }

  /** On one line and without escapes. */
  #takeQuoted(quote: number): string {
    const start = this.at + 1;
    for (let at = start; at < this.#end; at += 1) {
      const char = this.#text.charCodeAt(at);
      if (char === CHAR.newline || (char === CHAR.backslash && quote === CHAR.double)) break;
      if (char !== quote) continue;
      if (quote === CHAR.single && this.#code(at + 1) === quote) break;
      this.at = at + 1;
      return this.#text.slice(start, at);
    }
    throw NOT_SIMPLE;
  }

  #takeFlow(open: number, column: number): unknown {
    this.#flowDepth += 1;
    if (this.#flowDepth > MAX_FLOW_DEPTH) throw NOT_SIMPLE;
    this.at += 1;
    const value = open === CHAR.openList ? this.#takeFlowList(column) : this.#takeFlowMap(column);
    this.#flowDepth -= 1;
    return value;
  }

  #takeFlowList(column: number): unknown[] {
    const items: unknown[] = [];
    if (this.#skipFlowBlanks(column) === CHAR.closeList) this.at += 1;
    else {
      do {
        this.#skipFlowBlanks(column);
        items.push(this.takeValue(column, true));
      } while (this.#isMore(CHAR.closeList, column));
    }
    return items;
  }

  #takeFlowMap(column: number): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    if (this.#skipFlowBlanks(column) === CHAR.closeMap) this.at += 1;
    else {
      do {
        this.#skipFlowBlanks(column);
        const key = this.#takeFlowKey();
        if (mapping[key] !== undefined) throw NOT_SIMPLE;
        this.#skipSpaces();
        mapping[key] = this.takeValue(column, true);
      } while (this.#isMore(CHAR.closeMap, column));
    }
    return mapping;
  }

  /** The key and its colon, which stands at once behind a key in quotes, and before a space behind others. */
  #takeFlowKey(): string {
    const char = this.#code(this.at);
    const isQuoted = char === CHAR.double || char === CHAR.single;
    const key = isQuoted ? this.#takeQuoted(char) : this.#takeFlowPlain(true);
    if (this.#code(this.at) !== CHAR.colon) throw NOT_SIMPLE;
    this.at += 1;
    return requireKey(key);
  }

  /** To the sign that ends it: a key's colon, a value's comma or bracket, which may stand on a line to come. */
  #takeFlowPlain(isKey: boolean): unknown {
    const start = this.at;
    if (!isPlainStart(this.#code(start))) throw NOT_SIMPLE;
    let end = start;
    for (; ; this.at += 1) {
      const char = this.#code(this.at);
      if (char === CHAR.space) continue;
      if (char === CHAR.comma || char === CHAR.closeList || char === CHAR.closeMap || char === CHAR.newline) break;
      if (char === CHAR.colon) {
        const next = this.#code(this.at + 1);
        if (isKey && next === CHAR.space && end === this.at) break;
        if (isFlowSign(next) || this.#isBlank(this.at + 1)) throw NOT_SIMPLE;
      } else if (char === CHAR.openList || char === CHAR.openMap) {
        throw NOT_SIMPLE;
      } else if (char === CHAR.comment && this.#code(this.at - 1) === CHAR.space) throw NOT_SIMPLE;
      end = this.at + 1;
    }
    return resolvePlain(this.#text.slice(start, end));
  }

  /** Behind an entry: whether a comma follows; else the closing bracket is taken. */
  #isMore(close: number, column: number): boolean {
    const char = this.#skipFlowBlanks(column);
    if (char !== CHAR.comma && char !== close) throw NOT_SIMPLE;
    this.at += 1;
    return char === CHAR.comma;
  }

  /** Spaces and line ends; what follows on a line of its own must be further in than `column`. */
  #skipFlowBlanks(column: number): number {
    let char = this.#skipSpaces();
    if (char !== CHAR.newline) return char;
    while (char === CHAR.newline) {
      if (this.at === this.#end) throw NOT_SIMPLE;
      this.at += 1;
      this.#lineStart = this.at;
      char = this.#skipSpaces();
    }
    if (this.column <= column) throw NOT_SIMPLE;
    return char;
  }

  #skipSpaces(): number {
    let char = this.#code(this.at);
    while (char === CHAR.space) {
      this.at += 1;
      char = this.#code(this.at);
    }
    return char;
  }

  #skipLine(): void {
    const newline = this.#text.indexOf('\n', this.at);
    this.at = newline === -1 ? this.#end : newline + 1;
  }

  /** Of the colon that ends a key on this line; -1 = there is none. */
  #findColon(): number {
    for (let at = this.at; at < this.#end; at += 1) {
      const char = this.#text.charCodeAt(at);
      if (char === CHAR.newline) return -1;
      if (char === CHAR.colon && this.#isBlank(at + 1)) return at;
      if (char === CHAR.comment && this.#code(at - 1) === CHAR.space) return -1;
    }
    return -1;
  }

  #isBlank(at: number): boolean {
    const char = this.#code(at);
    return char === CHAR.space || char === CHAR.newline;
  }

  /** The text ends like a line. */
  #code(at: number): number {
    return at < this.#end ? this.#text.charCodeAt(at) : CHAR.newline;
  }
}
