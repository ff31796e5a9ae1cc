// Text of a manifest file -> resources and errors. One bad document never stops the others.
import { DataplaneError } from '../base/errors.ts';
import { type ObjectSink, parseObject } from './object-parser.ts';
import type { Resource } from './resource.ts';
import { SourceText } from './source-text.ts';
import { parseEventYaml } from './yaml/event-yaml.ts';
import { parseFullYaml } from './yaml/full-yaml.ts';
import { splitDocuments } from './yaml/split.ts';

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

/** Resources of YAML (several documents) or JSON text. `file` is only for errors and locations. Throws nothing. */
export function parseDocuments(text: string, file: string): ParsedDocuments {
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
    const stream = text.startsWith('\ufeff') ? text.slice(1) : text;
    const documents = splitDocuments(stream);
    if (documents === undefined) parseFully(stream, 1, sink);
    else for (const document of documents) parseText(document.text, document.firstLine, sink);
  }
  const { resources, errors, refused } = sink;
  return { resources, errors, refused, isIncomplete: sink.hasUnidentified };
}

function parseText(text: string, firstLine: number, sink: ObjectSink): void {
  const document = parseEventYaml(text);
  if (document === undefined) {
    parseFully(text, firstLine, sink);
    return;
  }
  if (document.value === null) return;
  const source = new SourceText(text, firstLine, 0);
  parseObject(document.value, { source, path: [], line: firstLine - 1 + document.line }, sink);
}

function parseFully(text: string, firstLine: number, sink: ObjectSink): void {
  for (const [index, document] of parseFullYaml(text).entries()) {
    const { value, problem } = document;
    if (problem !== undefined) {
      const what = problem.message.replace(/\s*\n[\s\S]*$/, '').replace(/\.$/, '');
      refuseSyntax(sink, 'YAML_SYNTAX', what.charAt(0).toLowerCase() + what.slice(1), firstLine - 1 + problem.line);
    } else if (value !== null && value !== undefined) {
      const source = new SourceText(text, firstLine, index);
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
