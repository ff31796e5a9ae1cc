// Selector -> canonical text, Calico's String(): equal texts are equal selectors, and the text parses to itself.
import type { Selector } from './ast.ts';

const OPERATOR_TEXT = {
  equals: '==',
  notEquals: '!=',
  contains: 'contains',
  startsWith: 'starts with',
  endsWith: 'ends with',
  in: 'in',
  notIn: 'not in',
} as const;

const texts = new WeakMap<Selector, string>();

/** Remembered per node: indexes ask for the same selector's text again and again. */
export function formatSelector(selector: Selector): string {
  const known = texts.get(selector);
  if (known !== undefined) return known;
  const text = format(selector);
  texts.set(selector, text);
  return text;
}

function format(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
      return 'all()';
    case 'global':
      return 'global()';
    case 'has':
      return `has(${selector.label})`;
    case 'equals':
    case 'notEquals':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return `${selector.label} ${OPERATOR_TEXT[selector.kind]} ${quote(selector.value)}`;
    case 'in':
    case 'notIn':
      return `${selector.label} ${OPERATOR_TEXT[selector.kind]} {${selector.values.map(quote).join(', ')}}`;
    case 'not':
      return `!${format(selector.operand)}`;
    case 'and':
      return `(${selector.operands.map(format).join(' && ')})`;
    case 'or':
      return `(${selector.operands.map(format).join(' || ')})`;
  }
}

function quote(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}
