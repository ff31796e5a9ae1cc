// The characters of one YAML document: lines, indentation, quoted strings, literal blocks. Shared by the block and the flow parser.
// Anything outside the plain subset throws NotPlain, and the full parser takes the document.

/** Unwinds the plain parser; never leaves plain-yaml.ts. */
export class NotPlain extends Error {}

const notPlain = new NotPlain('not plain YAML');
const SPACE = 32;
const NEWLINE = 10;
const HASH = 35;
const DASH = 45;
const DOUBLE_QUOTE = 34;

export class PlainReader {
  readonly text: string;
  position = 0;
  /** 1-based line of position. */
  line = 1;
  /** Column of the first character of the current content line; -1 at the end of the document. */
  indent = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** One shared object: its stack says nothing that anybody reads, and filling it in costs more than the parse. */
  refuse(): never {
    throw notPlain;
  }

  get code(): number {
    return this.text.charCodeAt(this.position);
  }

  /** From the start of a line to the next line with content. */
  toContent(): void {
    const { text } = this;
    for (;;) {
      const start = this.position;
      let at = start;
      while (text.charCodeAt(at) === SPACE) at++;
      const code = text.charCodeAt(at);
      if (Number.isNaN(code)) {
        this.position = text.length;
        this.indent = -1;
        return;
      }
      if (code !== NEWLINE && code !== HASH) {
        this.position = at;
        this.indent = at - start;
        return;
      }
      const end = text.indexOf('\n', at);
      this.position = end === -1 ? text.length : end + 1;
      this.line++;
    }
  }

  skipSpaces(): void {
    while (this.code === SPACE) this.position++;
  }

  /** Whether nothing but blanks and a comment follows on this line. Position is behind the blanks. */
  isLineDone(): boolean {
    const before = this.position;
    this.skipSpaces();
    const { code } = this;
    if (Number.isNaN(code) || code === NEWLINE) return true;
    return code === HASH && (this.position > before || this.text.charCodeAt(before - 1) === SPACE);
  }

  /** Ends a line on which nothing more is allowed, and goes to the next content. */
  finishLine(): void {
    if (!this.isLineDone()) this.refuse();
    const end = this.text.indexOf('\n', this.position);
    this.position = end === -1 ? this.text.length : end + 1;
    this.line++;
    this.toContent();
  }

  /** A quoted string on one line; position is at the opening quote. */
  quoted(): string {
    return this.code === DOUBLE_QUOTE ? this.#doubleQuoted() : this.#singleQuoted();
  }

  /** A literal block, `|` or `|-`, with the indentation of its first line, inside a collection in column `indent`. */
  literal(indent: number): string {
    const { text } = this;
    this.position++;
    const isStripped = this.code === DASH;
    if (isStripped) this.position++;
    if (this.code !== NEWLINE) this.refuse();
    const lines: string[] = [];
    let column = -1;
    let at = this.position + 1;
    for (; at < text.length; this.line++) {
      const newline = text.indexOf('\n', at);
      const end = newline === -1 ? text.length : newline;
      let content = at;
      while (content < end && text.charCodeAt(content) === SPACE) content++;
      if (column === -1) {
        if (content === end) this.refuse();
        column = content - at;
        if (column <= indent) this.refuse();
      }
      if (content < end && content - at < column) break;
      lines.push(text.slice(Math.min(at + column, end), end));
      at = newline === -1 ? text.length : newline + 1;
    }
    this.line++;
    this.position = at;
    this.toContent();
    return joinLiteral(lines, isStripped) ?? this.refuse();
  }

  #doubleQuoted(): string {
    const { text } = this;
    const start = this.position;
    let end = start + 1;
    let hasEscape = false;
    for (; ; end++) {
      const code = text.charCodeAt(end);
      if (Number.isNaN(code) || code === NEWLINE) this.refuse();
      if (code === DOUBLE_QUOTE) break;
      if (code === 92) {
        hasEscape = true;
        end++;
      }
    }
    this.position = end + 1;
    return hasEscape ? this.#unescape(text.slice(start, end + 1)) : text.slice(start + 1, end);
  }

  /** The escapes that JSON and YAML share. */
  #unescape(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      return this.refuse();
    }
  }

  #singleQuoted(): string {
    const { text } = this;
    const start = this.position + 1;
    let end = start;
    for (;;) {
      end = text.indexOf("'", end);
      if (end === -1) this.refuse();
      if (text[end + 1] !== "'") break;
      end += 2;
    }
    const inner = text.slice(start, end);
    if (inner.includes('\n')) this.refuse();
    this.position = end + 1;
    return inner.includes("''") ? inner.replaceAll("''", "'") : inner;
  }
}

/** undefined when trailing blank lines make the number of final newlines doubtful. */
function joinLiteral(lines: readonly string[], isStripped: boolean): string | undefined {
  let last = lines.length;
  while (last > 0 && (lines[last - 1] as string) === '') last--;
  if (last === 0) return undefined;
  if (lines.slice(last).some((line) => line !== '')) return undefined;
  if ((lines[last - 1] as string).trim() === '') return undefined;
  const text = lines.slice(0, last).join('\n');
  return isStripped ? text : `${text}\n`;
}
