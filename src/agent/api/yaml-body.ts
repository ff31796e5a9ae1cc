// YAML of a request -> its values. The fast parsers first, as with manifests; what needs the full one, which takes hundreds of bytes
// of memory and some microseconds for each character, may be little of it.
import { parseEventYaml } from '../../resources/yaml/event-yaml.ts';
import { parseFullYaml } from '../../resources/yaml/full-yaml.ts';
import { parseSimpleYaml } from '../../resources/yaml/simple-yaml.ts';
import { type DocumentText, splitDocuments } from '../../resources/yaml/split.ts';
import { invalidRequest, tooLarge } from './failure.ts';
import { sizeOfValue } from './value-size.ts';

export interface YamlLimits {
  readonly documents: number;
  /** Characters of a document that is not written in the plain style of manifests. */
  readonly oddDocument: number;
  /** Characters of all documents that have anchors, merge keys, errors and the like. */
  readonly fullDocuments: number;
  /** Bytes of what aliases make of one. */
  readonly expanded: number;
}

const MEBIBYTE = 1024 * 1024;
const LIMITS: YamlLimits = {
  documents: 1_000_000,
  oddDocument: 8 * MEBIBYTE,
  fullDocuments: MEBIBYTE,
  expanded: 8 * MEBIBYTE,
};
/** What the parsers themselves allow. */
const MAX_DEPTH = 100;
const TARGET = 'YAML of the request';

/** Every value of the stream that is not null. Throws INVALID_REQUEST and REQUEST_TOO_LARGE. */
export function parseYamlBody(text: string, limits = LIMITS): unknown[] {
  return new YamlBody(limits).read(text.startsWith('\ufeff') ? text.slice(1) : text);
}

interface Part extends DocumentText {
  /** Of several documents that cannot be told apart without the full parser. */
  readonly isStream?: boolean;
}

class YamlBody {
  readonly #limits: YamlLimits;
  #fullyParsed = 0;

  constructor(limits: YamlLimits) {
    this.#limits = limits;
  }

  read(stream: string): unknown[] {
    this.#requireFew(stream);
    const whole: Part = { text: stream, start: 0, firstLine: 1, isStream: true };
    const documents: readonly Part[] = splitDocuments(stream) ?? [whole];
    const values: unknown[] = [];
    for (const document of documents) {
      for (const value of this.#parse(document)) if (value !== null && value !== undefined) values.push(value);
    }
    return values;
  }

  #requireFew(stream: string): void {
    const { documents } = this.#limits;
    const marker = /^---/gm;
    for (let count = 0; marker.exec(stream) !== null; count += 1) {
      if (count === documents) throw tooLarge(TARGET, `${documents} documents`);
    }
  }

  #parse(document: Part): unknown[] {
    const { text, isStream } = document;
    const simple = isStream === true ? undefined : parseSimpleYaml(text);
    if (simple !== undefined) return [simple.value];
    const { oddDocument } = this.#limits;
    if (text.length > oddDocument)
      throw tooLarge(TARGET, `${oddDocument} characters of one document`, `${text.length}`);
    const event = parseEventYaml(text);
    return event === undefined ? this.#parseFully(document) : [event.value];
  }

  #parseFully({ text, firstLine }: DocumentText): unknown[] {
    const { fullDocuments, expanded } = this.#limits;
    this.#fullyParsed += text.length;
    if (this.#fullyParsed > fullDocuments) {
      const hint = 'send it in parts, without anchors, merge keys, directives and end marks, or as JSON';
      throw tooLarge(TARGET, `${fullDocuments} characters that only the full parser understands`, undefined, hint);
    }
    return parseFullYaml(text).map(({ value, problem }) => {
      if (problem !== undefined) {
        const field = `line ${firstLine - 1 + problem.line}`;
        throw invalidRequest('body', 'is not well-formed YAML', { field, found: problem.message.split('\n')[0] });
      }
      if (sizeOfValue(value, expanded, MAX_DEPTH) !== undefined) return value;
      throw tooLarge(TARGET, `${expanded} bytes of a document with its aliases`);
    });
  }
}
