// A fast parser for the YAML that manifests are made of: block mappings and sequences, one-line scalars, literal
// blocks, flow collections. Twenty times as fast as the full parser, and never of another opinion: whatever is rare,
// doubtful or wrong it does not answer, and full-yaml.ts decides.
import type { LineTree } from './line-tree.ts';
import { FlowParser, type PlainNode } from './plain-flow.ts';
import { NotPlain, PlainReader } from './plain-reader.ts';
import { canStartPlainScalar, NOT_PLAIN, resolvePlainScalar } from './plain-scalar.ts';

const MAX_DEPTH = 100;
const NEWLINE = 10;
const SPACE = 32;
const DASH = 45;
const COLON = 58;
/** Tabs, other control characters, exotic line breaks, byte order marks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is looked for
const UNUSUAL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]/;
const PLAIN_KEY = /[A-Za-z_][A-Za-z0-9_./-]*:(?=[ \n]|$)/y;

export interface PlainDocument extends PlainNode {
  /** 1-based line of the first content. */
  readonly line: number;
}

/** The document's value, with lines when asked for; undefined = not plain, ask the full parser. */
export function parsePlainYaml(text: string, wantsLines: boolean): PlainDocument | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    return new BlockParser(text, wantsLines).parse();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class BlockParser {
  readonly #reader: PlainReader;
  readonly #flow: FlowParser;
  readonly #wantsLines: boolean;
  #depth = 0;

  constructor(text: string, wantsLines: boolean) {
    this.#reader = new PlainReader(text);
    this.#flow = new FlowParser(this.#reader, wantsLines);
    this.#wantsLines = wantsLines;
  }

  parse(): PlainDocument {
    const reader = this.#reader;
    reader.toContent();
    const { line } = reader;
    if (reader.indent === -1) return { value: null, line, lines: this.#wantsLines ? { line } : undefined };
    const node = this.#parseBlock();
    if (reader.indent !== -1) reader.refuse();
    return { ...node, line };
  }

  /** A collection that starts at the current content line. */
  #parseBlock(): PlainNode {
    const reader = this.#reader;
    if (++this.#depth > MAX_DEPTH) reader.refuse();
    const node = this.#parseCollection();
    this.#depth--;
    return node;
  }

  #parseCollection(): PlainNode {
    const reader = this.#reader;
    if (this.#isDash()) return this.#parseSequence(reader.indent);
    if (reader.code === 91 || reader.code === 123) {
      const node = this.#flow.parse(reader.indent - 1);
      reader.finishLine();
      return node;
    }
    const key = this.#takeKey();
    if (key === undefined) return reader.refuse();
    return this.#parseMapping(reader.indent, key);
  }

  /** Position is behind the colon of the first key, which stands in column `indent`. */
  #parseMapping(indent: number, firstKey: string): PlainNode {
    const reader = this.#reader;
    const { line } = reader;
    const value: Record<string, unknown> = {};
    const entries = new Map<string, LineTree>();
    let key: string | undefined = firstKey;
    for (;;) {
      if (key === undefined || key === '__proto__' || Object.hasOwn(value, key)) return reader.refuse();
      const keyLine = reader.line;
      const node = this.#parseValue(indent, true);
      value[key] = node.value;
      if (node.lines !== undefined) entries.set(key, { ...node.lines, line: keyLine });
      if (reader.indent > indent) reader.refuse();
      if (reader.indent < indent) break;
      if (this.#isDash()) break;
      key = this.#takeKey();
    }
    return { value, lines: this.#wantsLines ? { line, entries } : undefined };
  }

  #parseSequence(indent: number): PlainNode {
    const reader = this.#reader;
    const { line } = reader;
    const values: unknown[] = [];
    const entries: LineTree[] = [];
    while (reader.indent === indent && this.#isDash()) {
      const node = this.#parseItem(indent);
      values.push(node.value);
      if (node.lines !== undefined) entries.push(node.lines);
    }
    if (reader.indent > indent) reader.refuse();
    return { value: values, lines: this.#wantsLines ? { line, entries } : undefined };
  }

  /** Position is at the dash in column `indent`. */
  #parseItem(indent: number): PlainNode {
    const reader = this.#reader;
    const dash = reader.position;
    reader.position++;
    reader.skipSpaces();
    if (this.#isDash()) return reader.refuse();
    const column = indent + reader.position - dash;
    const key = this.#takeKey();
    if (key === undefined) return this.#parseValue(indent, false);
    if (++this.#depth > MAX_DEPTH) reader.refuse();
    const node = this.#parseMapping(column, key);
    this.#depth--;
    if (reader.indent > indent) reader.refuse();
    return node;
  }

  /** What follows a colon or a dash; ends at the next content line. */
  #parseValue(indent: number, isMappingValue: boolean): PlainNode {
    const reader = this.#reader;
    const { line } = reader;
    if (reader.isLineDone()) return this.#parseNested(indent, isMappingValue);
    const node = this.#parseInline(indent, line);
    if (reader.indent > indent) reader.refuse();
    return node;
  }

  #parseInline(indent: number, line: number): PlainNode {
    const reader = this.#reader;
    const { code } = reader;
    if (code === 91 || code === 123) {
      const node = this.#flow.parse(indent);
      reader.finishLine();
      return node;
    }
    const lines = this.#wantsLines ? { line } : undefined;
    if (code === 124) return { value: reader.literal(indent), lines };
    if (code === 34 || code === 39) {
      const value = reader.quoted();
      reader.finishLine();
      return { value, lines };
    }
    return { value: this.#plainScalar(), lines };
  }

  /** The value starts on a later line; a mapping's sequence may stand in the column of its key. */
  #parseNested(indent: number, isMappingValue: boolean): PlainNode {
    const reader = this.#reader;
    const { line } = reader;
    reader.finishLine();
    if (reader.indent > indent) return this.#parseBlock();
    if (isMappingValue && reader.indent === indent && this.#isDash()) return this.#parseBlock();
    return { value: null, lines: this.#wantsLines ? { line } : undefined };
  }

  #plainScalar(): unknown {
    const reader = this.#reader;
    const { text, position: start } = reader;
    const { code } = reader;
    const isDashed = code === DASH && !this.#isDash();
    if (!isDashed && !canStartPlainScalar(code)) reader.refuse();
    const lineEnd = text.indexOf('\n', start);
    const line = text.slice(start, lineEnd === -1 ? text.length : lineEnd);
    const comment = line.indexOf(' #');
    const scalar = (comment === -1 ? line : line.slice(0, comment)).trimEnd();
    if (scalar.includes(': ') || scalar.charCodeAt(scalar.length - 1) === COLON) reader.refuse();
    const value = resolvePlainScalar(scalar);
    if (value === NOT_PLAIN) reader.refuse();
    reader.position = start + scalar.length;
    reader.finishLine();
    return value;
  }

  #takeKey(): string | undefined {
    const reader = this.#reader;
    const { text, position } = reader;
    if (reader.code === 34 || reader.code === 39) {
      const key = reader.quoted();
      const next = text.charCodeAt(reader.position + 1);
      if (text.charCodeAt(reader.position) === COLON && (next === SPACE || next === NEWLINE || Number.isNaN(next))) {
        reader.position++;
        return key === '<<' ? reader.refuse() : key;
      }
      reader.position = position;
      return undefined;
    }
    PLAIN_KEY.lastIndex = position;
    if (!PLAIN_KEY.test(text)) return undefined;
    const key = text.slice(position, PLAIN_KEY.lastIndex - 1);
    if (typeof resolvePlainScalar(key) !== 'string') reader.refuse();
    reader.position = PLAIN_KEY.lastIndex;
    return key;
  }

  #isDash(): boolean {
    const { text, position } = this.#reader;
    if (text.charCodeAt(position) !== DASH) return false;
    const next = text.charCodeAt(position + 1);
    return next === SPACE || next === NEWLINE || Number.isNaN(next);
  }
}
