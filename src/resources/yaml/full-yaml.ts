// The full YAML parser, for documents that event-yaml.ts does not answer, and the judge of what is well-formed.
import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import { findBoundsProblem, MAX_KEY_LENGTH, type SyntaxProblem } from './bounds.ts';
import type { LineTree } from './line-tree.ts';

/** Aliases may expand a document to at most this many times its nodes. */
const MAX_ALIAS_COUNT = 100;

export interface FullDocument {
  readonly value: unknown;
  /** Line of the first content. */
  readonly line: number;
  readonly problem?: SyntaxProblem;
  readonly lines: () => LineTree;
}

/** Every document of the text; a malformed one has a problem and no value. Aliases are resolved, merge keys merged. */
export function parseFullYaml(text: string): FullDocument[] {
  const boundsProblem = findBoundsProblem(text);
  if (boundsProblem !== undefined) return [refusedText(boundsProblem)];
  const lineCounter = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, lineCounter.linePos(offset).line);
  try {
    // The library's own search for equal keys takes time in proportion to the square of their number.
    // It would tell the process of what it finds odd; what matters of that is found below.
    const options = { lineCounter, merge: true, prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
    const documents = parseAllDocuments(text, options);
    return 'empty' in documents ? [] : documents.map((document) => readDocument(document, lineAt));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [refusedText({ message: 'is nested too deeply', line: 1 })];
  }
}

function refusedText(problem: SyntaxProblem): FullDocument {
  return { value: undefined, line: problem.line, problem, lines: () => ({ line: problem.line }) };
}

function readDocument(document: Document.Parsed, lineAt: (offset: number) => number): FullDocument {
  const root = document.contents as Node | null;
  const line = lineAt(root?.range?.[0] ?? document.range[0]);
  const lines = (): LineTree => buildLineTree(root, line, lineAt);
  const refuse = (message: string, offset?: number): FullDocument => {
    const place = offset === undefined ? line : lineAt(offset);
    return { value: undefined, line, problem: { message, line: place }, lines };
  };
  const [error] = document.errors;
  if (error !== undefined) return refuse(error.message, error.pos[0]);
  const odd = findOddKey(root);
  if (odd !== undefined) return refuse(odd.message, odd.offset);
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }), line, lines };
  } catch (failure) {
    return refuse(failure instanceof RangeError ? 'is nested too deeply' : (failure as Error).message);
  }
}

interface OddKey {
  readonly message: string;
  readonly offset: number | undefined;
}

/** The first key that is no plain value, too long, or there twice. */
function findOddKey(root: unknown): OddKey | undefined {
  const open: unknown[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isSeq(node)) for (const item of node.items) if (isCollection(item)) open.push(item);
    if (!isMap(node)) continue;
    const odd = findOddKeyOf(node);
    if (odd !== undefined) return odd;
    for (const { value } of node.items) if (isCollection(value)) open.push(value);
  }
  return undefined;
}

function findOddKeyOf(map: YAMLMap): OddKey | undefined {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const offset = (key as Node | null)?.range?.[0];
    if (!isScalar(key)) return { message: 'a key is not a plain value', offset };
    const name = String(key.value);
    if (name.length > MAX_KEY_LENGTH) return { message: `a key is longer than ${MAX_KEY_LENGTH} characters`, offset };
    if (seen.has(name) && name !== '<<') return { message: 'map keys must be unique', offset };
    seen.add(name);
  }
  return undefined;
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
