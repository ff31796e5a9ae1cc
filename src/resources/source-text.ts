// The text a document was parsed from, kept to answer one question: which line is a field on?
import type { FieldPath } from './field-path.ts';
import { parseEventYaml, readEventLines } from './yaml/event-yaml.ts';
import { parseFullYaml } from './yaml/full-yaml.ts';
import { type LineTree, lineTreeAt } from './yaml/line-tree.ts';
import { parseSimpleYaml } from './yaml/simple-yaml.ts';

/** Where a text stands in its file. */
export interface TextPlace {
  /** Offset of its first character, in characters. */
  readonly start: number;
  /** 1-based. */
  readonly firstLine: number;
  /** Which of the text's documents is meant: one that needs the full parser may hold several. */
  readonly index: number;
}

/**
 * The lines of documents that were asked about last, the latest first: they are asked for in bursts, of a document and of
 * the version before it in turn, and a cluster has too many documents to keep the lines of all.
 */
let recent: readonly { readonly of: SourceText; readonly tree: LineTree }[] = [];
const RECENT_DOCUMENTS = 4;

export class SourceText {
  readonly text: string;
  readonly #start: number;
  readonly #firstLine: number;
  readonly #index: number;

  constructor(text: string, { start, firstLine, index }: TextPlace) {
    this.text = text;
    this.#start = start;
    this.#firstLine = firstLine;
    this.#index = index;
  }

  get place(): TextPlace {
    return { start: this.#start, firstLine: this.#firstLine, index: this.#index };
  }

  /** The document's value, parsed anew. */
  readValue(): unknown {
    const { text } = this;
    const document = parseSimpleYaml(text) ?? parseEventYaml(text) ?? parseFullYaml(text)[this.#index];
    return document?.value;
  }

  /** 1-based line in the file of the value at the path, or of its nearest ancestor. */
  lineOf(path: FieldPath): number {
    return this.#firstLine - 1 + lineTreeAt(this.#lines(), path).line;
  }

  #lines(): LineTree {
    const known = recent.find((one) => one.of === this);
    if (known !== undefined) return known.tree;
    const tree = readEventLines(this.text) ?? this.#fullLines();
    recent = [{ of: this, tree }, ...recent.slice(0, RECENT_DOCUMENTS - 1)];
    return tree;
  }

  #fullLines(): LineTree {
    return parseFullYaml(this.text)[this.#index]?.lines() ?? { line: 1 };
  }
}
