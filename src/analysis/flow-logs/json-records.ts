// Text -> JSON records, one at a time: a value a line, server-sent events, or one document of many lines that holds a
// list. A line that is no JSON is reported, and the next one is read. Memory is bounded by the longest line.
import { isFields } from './fields.ts';
import type { Fields } from './recorded-flow.ts';

/** Longest line, and longest document of several lines, in characters. */
export const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

export type JsonItem =
  | { readonly kind: 'record'; readonly line: number; readonly record: Fields }
  | { readonly kind: 'bad'; readonly line: number; readonly why: string };

interface Line {
  /** 1-based. */
  readonly number: number;
  /** undefined = longer than MAX_TEXT_LENGTH. */
  readonly text: string | undefined;
}

/** What looks like the beginning of a value that goes on. */
const UNFINISHED = /^[[{](?:.*[[{,])?$/s;

/** Records of the pieces of a text. Lists, and the envelopes `items`, `flows`, `flow` and `result`, are taken apart. */
export async function* readJsonRecords(
  pieces: AsyncIterable<string>,
  maxLength = MAX_TEXT_LENGTH,
): AsyncGenerator<JsonItem> {
  let document: string[] | undefined;
  let documentLength = 0;
  let isFirst = true;
  for await (const { number, text } of splitLines(pieces, maxLength)) {
    if (text === undefined) {
      yield { kind: 'bad', line: number, why: `is longer than ${maxLength} characters` };
      continue;
    }
    if (document !== undefined) {
      documentLength += text.length;
      if (documentLength <= maxLength) document.push(text);
      continue;
    }
    const content = contentOf(text);
    if (content === '') continue;
    const value = parseJson(content);
    if (value === undefined && isFirst && UNFINISHED.test(content)) {
      document = [text];
      documentLength = text.length;
    } else yield* itemsOf(value, number);
    isFirst = false;
  }
  if (document === undefined) return;
  if (documentLength <= maxLength) yield* itemsOf(parseJson(document.join('\n')), 1);
  else
    yield { kind: 'bad', line: 1, why: `the document is longer than ${maxLength} characters; write a record a line` };
}

/** Without the field name of a server-sent event; comments and other fields of such events are nothing. */
function contentOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed.startsWith('data:')) return trimmed.slice('data:'.length).trim();
  return /^(?:event|id|retry)?:/.test(trimmed) ? '' : trimmed;
}

function* itemsOf(value: unknown, line: number): Generator<JsonItem> {
  if (value === undefined) {
    yield { kind: 'bad', line, why: 'is not JSON' };
    return;
  }
  // Envelopes stand in lists and lists in envelopes, but never deeply.
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const inner = next.depth < 6 ? contentsOf(next.value) : undefined;
    if (inner !== undefined) {
      for (const item of inner.toReversed()) waiting.push({ value: item, depth: next.depth + 1 });
    } else if (isFields(next.value)) yield { kind: 'record', line, record: next.value };
    else yield { kind: 'bad', line, why: 'is not an object' };
  }
}

/** What is inside a list or an envelope; undefined = the value is a record itself. */
function contentsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isFields(value)) return undefined;
  for (const name of ['items', 'flows', 'flow', 'result']) {
    const inner = value[name];
    if (Array.isArray(inner)) return inner;
    if (isFields(inner)) return [inner];
  }
  return undefined;
}

async function* splitLines(pieces: AsyncIterable<string>, maxLength: number): AsyncGenerator<Line> {
  let rest: string[] = [];
  let restLength = 0;
  let number = 0;
  const take = (tail: string): Line => {
    const isTooLong = restLength + tail.length > maxLength;
    const text = isTooLong ? undefined : rest.join('') + tail;
    rest = [];
    restLength = 0;
    number += 1;
    return { number, text };
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      yield take(piece.slice(from, end));
      from = end + 1;
    }
    const tail = piece.slice(from);
    restLength += tail.length;
    if (restLength <= maxLength) rest.push(tail);
    else rest = [];
  }
  if (restLength > 0) yield take('');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
