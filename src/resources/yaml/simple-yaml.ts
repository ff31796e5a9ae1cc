// One YAML document in the plain style that manifests are written in, read from its characters straight to its value,
// several times as fast as by events. Whatever is not plain it leaves to event-yaml.ts: no judgement of what is well-formed.
import { lineAtOffset } from './bounds.ts';
import type { EventDocument } from './event-yaml.ts';
import { NOT_SIMPLE } from './simple-signs.ts';
import { SimpleText } from './simple-text.ts';

/** Nothing but printable ASCII and newlines: what is left out can be blank, break lines or be forbidden. */
const ODD_CHARACTER = /[^\n\x20-\x7e]/;
/** Collections inside collections; less than what is allowed. */
const MAX_SIMPLE_DEPTH = 50;
const NO_LINE = -1;

/** The value of the text's only document; undefined = ask the other parsers. */
export function parseSimpleYaml(text: string): EventDocument | undefined {
  if (ODD_CHARACTER.test(text)) return undefined;
  try {
    return new SimpleReader(text).read();
  } catch (error) {
    if (error === NOT_SIMPLE) return undefined;
    throw error;
  }
}

/** Between methods the text stands at the first character of a line's content, or of an item behind its dash. */
class SimpleReader {
  readonly #source: string;
  readonly #text: SimpleText;
  /** Of that character; NO_LINE = there is no line left. */
  #column = NO_LINE;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#text = new SimpleText(source);
  }

  read(): EventDocument {
    this.#column = this.#text.findContent();
    if (this.#column === NO_LINE) throw NOT_SIMPLE;
    const start = this.#text.at;
    const value = this.#text.isAtFlow() ? this.#inline(NO_LINE) : this.#block(this.#column);
    if (this.#column !== NO_LINE) throw NOT_SIMPLE;
    return { value, line: lineAtOffset(this.#source, start) };
  }

  /** A collection whose entries begin at the column. */
  #block(column: number): unknown {
    this.#depth += 1;
    if (this.#depth > MAX_SIMPLE_DEPTH) throw NOT_SIMPLE;
    const value = this.#text.isAtDash() ? this.#sequence(column) : this.#mapping(column);
    this.#depth -= 1;
    return value;
  }

  #mapping(column: number): unknown {
    const mapping: Record<string, unknown> = {};
    do {
      const key = this.#text.takeKey();
      // A name that every object has is left to others, like one that is there twice.
      if (mapping[key] !== undefined) throw NOT_SIMPLE;
      mapping[key] = this.#text.isAtLineEnd() ? this.#below(column, true) : this.#inline(column);
    } while (this.#column === column);
    if (this.#column > column) throw NOT_SIMPLE;
    return mapping;
  }

  #sequence(column: number): unknown {
    const items: unknown[] = [];
    do {
      items.push(this.#item(column));
    } while (this.#column === column && this.#text.isAtDash());
    if (this.#column > column) throw NOT_SIMPLE;
    return items;
  }

  /** `column` is the dash's. */
  #item(column: number): unknown {
    const text = this.#text;
    text.at += 1;
    if (text.isAtLineEnd()) return this.#below(column, false);
    if (!text.isAtDash() && (text.isAtFlow() || !text.isAtKey())) return this.#inline(column);
    this.#column = text.column;
    return this.#block(this.#column);
  }

  /** What stands below a key or dash that nothing stands behind; lists of a key need not be further in than it. */
  #below(column: number, isKey: boolean): unknown {
    this.#column = this.#text.findContent();
    if (this.#column > column) return this.#block(this.#column);
    return isKey && this.#column === column && this.#text.isAtDash() ? this.#block(column) : null;
  }

  /** What stands on the line at hand. More of it on the next would be further in. */
  #inline(column: number): unknown {
    const value = this.#text.takeValue(column);
    if (!this.#text.isAtLineEnd()) throw NOT_SIMPLE;
    this.#column = this.#text.findContent();
    if (this.#column > column) throw NOT_SIMPLE;
    return value;
  }
}
