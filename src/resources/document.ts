// Text of a manifest file -> resources and errors. One bad document never stops the others.
import { DataplaneError } from '../base/errors.ts';
import { type ObjectSink, parseObject } from './object-parser.ts';
import { originOf } from './origin.ts';
import type { Resource } from './resource.ts';
import { SourceText } from './source-text.ts';
import { parseEventYaml } from './yaml/event-yaml.ts';
import { parseFullYaml } from './yaml/full-yaml.ts';
import { parseSimpleYaml } from './yaml/simple-yaml.ts';
import { type DocumentText, splitDocuments } from './yaml/split.ts';

/** Largest manifest file that is read. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

export interface ParsedDocuments {
  readonly resources: readonly Resource[];
  readonly errors: readonly DataplaneError[];
  /** Ids of objects that the text defines but that are refused for an error. */
  readonly refused: readonly string[];
  /** Some document could not be read or identified: what else the text was meant to define is not known. */
  readonly isIncomplete: boolean;
}

/** A text that was parsed without an error, and what it defines. */
export interface ParsedText {
  readonly text: string;
  readonly resources: readonly Resource[];
}

/**
 * Resources of YAML (several documents) or JSON text. `file` is only for errors and locations. Documents that stand in
 * `before` on the same lines keep their resources. Throws nothing.
 */
export function parseDocuments(text: string, file: string, before?: ParsedText): ParsedDocuments {
  const sink: ObjectSink = { file, resources: [], errors: [], refused: [], hasUnidentified: false };
  if (text.length > MAX_FILE_BYTES) {
    refuseSyntax(
      sink,
      'FILE_TOO_LARGE',
      'is too large',
      1,
      `${text.length} characters, expected at most ${MAX_FILE_BYTES}`,
    );
  } else {
    const { stream, start } = withoutMark(text);
    const documents = splitDocuments(stream);
    if (documents === undefined) parseFully({ text: stream, start: 0, firstLine: 1 }, start, sink);
    else parseEach(documents, start, sink, before);
  }
  const { resources, errors, refused } = sink;
  return { resources, errors, refused, isIncomplete: sink.hasUnidentified };
}

/** The text behind its byte order mark, if it has one. */
function withoutMark(text: string): { readonly stream: string; readonly start: number } {
  return text.startsWith('\ufeff') ? { stream: text.slice(1), start: 1 } : { stream: text, start: 0 };
}

function parseEach(documents: readonly DocumentText[], start: number, sink: ObjectSink, before?: ParsedText): void {
  const known = before === undefined || documents.length < 2 ? undefined : new KnownDocuments(before);
  for (const document of documents) {
    const resources = known?.find(document);
    if (resources === undefined) parseText(document, start, sink);
    else sink.resources.push(...resources);
  }
}

/** What each document of a text without errors defines. */
class KnownDocuments {
  readonly #byLine = new Map<number, DocumentText>();
  readonly #resources = new Map<number, Resource[]>();

  constructor({ text, resources }: ParsedText) {
    for (const document of splitDocuments(withoutMark(text).stream) ?? []) {
      this.#byLine.set(document.firstLine, document);
    }
    for (const resource of resources) {
      const firstLine = originOf(resource)?.source.place.firstLine;
      if (firstLine === undefined) continue;
      const others = this.#resources.get(firstLine);
      if (others === undefined) this.#resources.set(firstLine, [resource]);
      else others.push(resource);
    }
  }

  find({ text, firstLine }: DocumentText): readonly Resource[] | undefined {
    return this.#byLine.get(firstLine)?.text === text ? (this.#resources.get(firstLine) ?? []) : undefined;
  }
}

/** `offset` is where the stream begins in its file. */
function parseText(place: DocumentText, offset: number, sink: ObjectSink): void {
  const { text, firstLine } = place;
  const document = parseSimpleYaml(text) ?? parseEventYaml(text);
  if (document === undefined) {
    parseFully(place, offset, sink);
    return;
  }
  if (document.value === null) return;
  const source = new SourceText(text, { start: offset + place.start, firstLine, index: 0 });
  parseObject(document.value, { source, path: [], line: firstLine - 1 + document.line }, sink);
}

function parseFully({ text, start, firstLine }: DocumentText, offset: number, sink: ObjectSink): void {
  for (const [index, document] of parseFullYaml(text).entries()) {
    const { value, problem } = document;
    if (problem !== undefined) {
      const what = problem.message.replace(/\s*\n[\s\S]*$/, '').replace(/\.$/, '');
      refuseSyntax(sink, 'YAML_SYNTAX', what.charAt(0).toLowerCase() + what.slice(1), firstLine - 1 + problem.line);
    } else if (value !== null && value !== undefined) {
      const source = new SourceText(text, { start: offset + start, firstLine, index });
      parseObject(value, { source, path: [], line: firstLine - 1 + document.line }, sink);
    }
  }
}

function refuseSyntax(
  sink: ObjectSink,
  code: 'YAML_SYNTAX' | 'FILE_TOO_LARGE',
  what: string,
  line: number,
  found?: string,
): void {
  sink.hasUnidentified = true;
  sink.errors.push(
    new DataplaneError(code, what, { operation: 'parse', target: 'document', file: sink.file, line, found }),
  );
}
