// Which line every value of a document is written on. Built only when somebody asks.
import type { FieldPath } from '../field-path.ts';

/** Lines are 1-based within the text that was parsed. */
export interface LineTree {
  readonly line: number;
  readonly entries?: ReadonlyMap<string, LineTree> | readonly LineTree[];
}

/** The subtree at the path, or its nearest ancestor that exists. */
export function lineTreeAt(tree: LineTree, path: FieldPath): LineTree {
  let node = tree;
  for (const step of path) {
    const next = childOf(node, step);
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

function childOf(node: LineTree, step: string | number): LineTree | undefined {
  const { entries } = node;
  if (entries === undefined) return undefined;
  if (Array.isArray(entries)) return typeof step === 'number' ? (entries as readonly LineTree[])[step] : undefined;
  return (entries as ReadonlyMap<string, LineTree>).get(String(step));
}
