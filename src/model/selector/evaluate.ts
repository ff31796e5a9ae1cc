// Whether labels satisfy a selector. A missing label satisfies !=, not in and nothing else.
import type { Selector } from './ast.ts';

/** The label's value; undefined = the label is absent. */
export type LabelLookup = (label: string) => string | undefined;

/** Labels as a map, or as a function for those that inherit. */
export function matches(selector: Selector, labels: { get: LabelLookup } | LabelLookup): boolean {
  return evaluate(selector, typeof labels === 'function' ? labels : (label) => labels.get(label));
}

function evaluate(selector: Selector, lookup: LabelLookup): boolean {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return true;
    case 'has':
      return lookup(selector.label) !== undefined;
    case 'equals':
      return lookup(selector.label) === selector.value;
    case 'notEquals':
      return lookup(selector.label) !== selector.value;
    case 'contains':
      return lookup(selector.label)?.includes(selector.value) ?? false;
    case 'startsWith':
      return lookup(selector.label)?.startsWith(selector.value) ?? false;
    case 'endsWith':
      return lookup(selector.label)?.endsWith(selector.value) ?? false;
    case 'in':
      return isMember(lookup(selector.label), selector.values);
    case 'notIn':
      return !isMember(lookup(selector.label), selector.values);
    case 'not':
      return !evaluate(selector.operand, lookup);
    case 'and':
      return selector.operands.every((operand) => evaluate(operand, lookup));
    case 'or':
      return selector.operands.some((operand) => evaluate(operand, lookup));
  }
}

function isMember(value: string | undefined, values: readonly string[]): boolean {
  return value !== undefined && values.includes(value);
}
