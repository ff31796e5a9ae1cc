// The full YAML parser, for documents that event-yaml.ts does not answer, and the judge of what is well-formed.
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { LineTree } from './line-tree.ts';

/** Aliases may expand a document to at most this many times its nodes. */
const MAX_ALIAS_COUNT = 100;

export interface SyntaxProblem {
  readonly message: string;
  /** 1-based, within the text. */
  readonly line: number;
}

export interface FullDocument {
  readonly value: unknown;
  /** Line of the first content. */
  readonly line: number;
  readonly problem?: SyntaxProblem;
  readonly lines: () => LineTree;
}

/** Every document of the text; a malformed one has a problem and no value. Aliases are resolved, merge keys merged. */
export function parseFullYaml(text: string): FullDocument[] {
  const lineCounter = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, lineCounter.linePos(offset).line);
  try {
    const documents = parseAllDocuments(text, { lineCounter, merge: true, prettyErrors: false });
    return 'empty' in documents ? [] : documents.map((document) => readDocument(document, lineAt));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const problem = { message: 'is nested too deeply', line: 1 };
    return [{ value: undefined, line: 1, problem, lines: () => ({ line: 1 }) }];
  }
}

function readDocument(document: Document.Parsed, lineAt: (offset: number) => number): FullDocument {
  const root = document.contents as Node | null;
  const line = lineAt(root?.range?.[0] ?? document.range[0]);
  const lines = (): LineTree => buildLineTree(root, line, lineAt);
  const [error] = document.errors;
  if (error !== undefined) {
    return { value: undefined, line, problem: { message: error.message, line: lineAt(error.pos[0]) }, lines };
  }
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }), line, lines };
  } catch (failure) {
    const message = failure instanceof RangeError ? 'is nested too deeply' : (failure as Error).message;
    return { value: undefined, line, problem: { message, line }, lines };
  }
}

function buildLineTree(node: unknown, line: number, lineAt: (offset: number) => number): LineTree {
  if (isSeq(node)) {
    const entries = node.items.map((item) => buildLineTree(item, lineOfNode(item, line, lineAt), lineAt));
    return { line, entries };
  }
  if (!isMap(node)) return { line };
  const entries = new Map<string, LineTree>();
  for (const pair of node.items) {
    const keyLine = lineOfNode(pair.key, line, lineAt);
    const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    entries.set(key, buildLineTree(pair.value, keyLine, lineAt));
  }
  return { line, entries };
}

function lineOfNode(node: unknown, fallback: number, lineAt: (offset: number) => number): number {
  const offset = (node as Node | null)?.range?.[0];
  return offset === undefined ? fallback : lineAt(offset);
}
