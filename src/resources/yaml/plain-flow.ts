// Flow collections of plain YAML: [a, b] and {a: b}, on one line or several; JSON is the same language here.
import type { LineTree } from './line-tree.ts';
import type { PlainReader } from './plain-reader.ts';
import { canStartPlainScalar, NOT_PLAIN, resolvePlainScalar } from './plain-scalar.ts';

const MAX_DEPTH = 100;
const NEWLINE = 10;
const COLON = 58;
/** What ends an unquoted scalar: , [ ] { } newline. */
const ENDS = new Set([44, 91, 93, 123, 125, NEWLINE]);

export interface PlainNode {
  readonly value: unknown;
  /** Present when lines were asked for. */
  readonly lines?: LineTree;
}

export class FlowParser {
  readonly #reader: PlainReader;
  readonly #wantsLines: boolean;
  #depth = 0;
  #parentIndent = -1;

  constructor(reader: PlainReader, wantsLines: boolean) {
    this.#reader = reader;
    this.#wantsLines = wantsLines;
  }

  /** Position is at the opening bracket. Every further line must be indented more than parentIndent. */
  parse(parentIndent: number): PlainNode {
    this.#parentIndent = parentIndent;
    return this.#parseCollection();
  }

  #parseCollection(): PlainNode {
    if (++this.#depth > MAX_DEPTH) this.#reader.refuse();
    const node = this.#reader.code === 91 ? this.#parseSequence() : this.#parseMapping();
    this.#depth--;
    return node;
  }

  #parseSequence(): PlainNode {
    const reader = this.#reader;
    const { line } = reader;
    const values: unknown[] = [];
    const entries: LineTree[] = [];
    reader.position++;
    for (;;) {
      this.#skipBlank();
      if (reader.code === 93) break;
      const node = this.#parseValue();
      values.push(node.value);
      if (node.lines !== undefined) entries.push(node.lines);
      this.#skipBlank();
      if (reader.code === COLON) reader.refuse();
      if (!this.#takeComma(93)) break;
    }
    reader.position++;
    return { value: values, lines: this.#wantsLines ? { line, entries } : undefined };
  }

  #parseMapping(): PlainNode {
    const reader = this.#reader;
    const { line } = reader;
    const value: Record<string, unknown> = {};
    const entries = new Map<string, LineTree>();
    reader.position++;
    for (;;) {
      this.#skipBlank();
      if (reader.code === 125) break;
      const keyLine = reader.line;
      const key = this.#parseKey();
      if (key === '__proto__' || Object.hasOwn(value, key)) reader.refuse();
      this.#skipBlank();
      const node = this.#parseValue();
      value[key] = node.value;
      if (node.lines !== undefined) entries.set(key, { ...node.lines, line: keyLine });
      this.#skipBlank();
      if (!this.#takeComma(125)) break;
    }
    reader.position++;
    return { value, lines: this.#wantsLines ? { line, entries } : undefined };
  }

  /** The key and its colon. After an unquoted key the colon must be followed by a blank. */
  #parseKey(): string {
    const reader = this.#reader;
    const isQuoted = reader.code === 34 || reader.code === 39;
    const key = isQuoted ? reader.quoted() : this.#plainText();
    if (!isQuoted && typeof resolvePlainScalar(key) !== 'string') reader.refuse();
    if (key === '<<') reader.refuse();
    if (reader.code !== COLON) reader.refuse();
    reader.position++;
    return key;
  }

  #parseValue(): PlainNode {
    const reader = this.#reader;
    const { code, line } = reader;
    if (code === 91 || code === 123) return this.#parseCollection();
    const lines = this.#wantsLines ? { line } : undefined;
    if (code === 34 || code === 39) return { value: reader.quoted(), lines };
    const value = resolvePlainScalar(this.#plainText());
    if (value === NOT_PLAIN) reader.refuse();
    return { value, lines };
  }

  #plainText(): string {
    const reader = this.#reader;
    const { text, position: start } = reader;
    const isNegative = reader.code === 45 && isDigit(text.charCodeAt(start + 1));
    if (!isNegative && !canStartPlainScalar(reader.code)) reader.refuse();
    let at = start;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (Number.isNaN(code) || ENDS.has(code)) break;
      if (code === 35 && text.charCodeAt(at - 1) === 32) reader.refuse();
      if (code !== COLON) continue;
      const next = text.charCodeAt(at + 1);
      if (Number.isNaN(next) || next === 32 || ENDS.has(next)) break;
    }
    reader.position = at;
    return text.slice(start, at).trimEnd();
  }

  /** True when another entry may follow; false at the closing bracket. */
  #takeComma(closing: number): boolean {
    const reader = this.#reader;
    if (reader.code === closing) return false;
    if (reader.code !== 44) reader.refuse();
    reader.position++;
    return true;
  }

  #skipBlank(): void {
    const reader = this.#reader;
    reader.skipSpaces();
    while (reader.code === NEWLINE) {
      reader.position++;
      reader.line++;
      const start = reader.position;
      reader.skipSpaces();
      if (reader.code !== NEWLINE && reader.position - start <= this.#parentIndent) reader.refuse();
    }
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
