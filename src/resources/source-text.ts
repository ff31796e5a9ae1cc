// The text a document was parsed from, kept to answer one question: which line is a field on?
import type { FieldPath } from './field-path.ts';
import { readEventLines } from './yaml/event-yaml.ts';
import { parseFullYaml } from './yaml/full-yaml.ts';
import { type LineTree, lineTreeAt } from './yaml/line-tree.ts';

export class SourceText {
  readonly #text: string;
  readonly #firstLine: number;
  readonly #index: number;
  /** Weak: the lines of one document are asked for in bursts, and a cluster has many documents. */
  #tree: WeakRef<LineTree> | undefined;

  /** The `index`-th document of a text that starts on line `firstLine` of its file. */
  constructor(text: string, firstLine: number, index: number) {
    this.#text = text;
    this.#firstLine = firstLine;
    this.#index = index;
  }

  /** 1-based line in the file of the value at the path, or of its nearest ancestor. */
  lineOf(path: FieldPath): number {
    return this.#firstLine - 1 + lineTreeAt(this.#lines(), path).line;
  }

  #lines(): LineTree {
    const known = this.#tree?.deref();
    if (known !== undefined) return known;
    const tree = readEventLines(this.#text) ?? this.#fullLines();
    this.#tree = new WeakRef(tree);
    return tree;
  }

  #fullLines(): LineTree {
    return parseFullYaml(this.#text)[this.#index]?.lines() ?? { line: 1 };
  }
}
