// Constructors of selectors for those who combine them: scoping and conversion. No text here.
import type { Selector } from './ast.ts';

export const SELECT_ALL: Selector = Object.freeze({ kind: 'all' });

export function has(label: string): Selector {
  return Object.freeze({ kind: 'has', label });
}

export function equals(label: string, value: string): Selector {
  return Object.freeze({ kind: 'equals', label, value });
}

/** Values are sorted and de-duplicated, as the parser does. */
export function isIn(label: string, values: readonly string[]): Selector {
  return Object.freeze({ kind: 'in', label, values: Object.freeze([...new Set(values)].sort()) });
}

export function isNotIn(label: string, values: readonly string[]): Selector {
  return Object.freeze({ kind: 'notIn', label, values: Object.freeze([...new Set(values)].sort()) });
}

/** Not not x is x. */
export function negate(operand: Selector): Selector {
  return operand.kind === 'not' ? operand.operand : Object.freeze({ kind: 'not', operand });
}

/** True where every one is; what is always true is left out, nested conjunctions are flattened. */
export function conjunction(...selectors: readonly (Selector | undefined)[]): Selector {
  const operands: Selector[] = [];
  for (const selector of selectors) {
    if (selector === undefined || selector.kind === 'all') continue;
    if (selector.kind === 'and') operands.push(...selector.operands);
    else operands.push(selector);
  }
  if (operands.length === 0) return SELECT_ALL;
  return operands.length === 1
    ? (operands[0] as Selector)
    : // A copy has no room to grow, which the array that was pushed to has plenty of.
      Object.freeze({ kind: 'and', operands: Object.freeze(operands.slice()) });
}
