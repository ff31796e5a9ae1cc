// Whether one selector matches everything that another does, and whether one can match anything at all: decided by
// their structure, for any labels there may ever be. "No" may also mean "not by structure".
import type { Selector } from '../../model/selector/ast.ts';
import { formatSelector } from '../../model/selector/canonical.ts';
import { negate } from '../../model/selector/construct.ts';
import { labelRestrictions } from '../../model/selector/restrictions.ts';

/** Whether every set of labels that `narrow` matches is matched by `wide`. */
export function implies(narrow: Selector, wide: Selector): boolean {
  if (wide.kind === 'all' || wide.kind === 'global' || isImpossible(narrow)) return true;
  if (formatSelector(narrow) === formatSelector(wide)) return true;
  if (wide.kind === 'and') return wide.operands.every((operand) => implies(narrow, operand));
  if (narrow.kind === 'or') return narrow.operands.every((operand) => implies(operand, wide));
  if (narrow.kind === 'and' && narrow.operands.some((operand) => implies(operand, wide))) return true;
  if (wide.kind === 'or' && wide.operands.some((operand) => implies(narrow, operand))) return true;
  if (wide.kind === 'not' && narrow.kind === 'not') return implies(wide.operand, narrow.operand);
  if (wide.kind === 'not' && wide.operand.kind === 'not') return implies(narrow, wide.operand.operand);
  return impliesByValues(narrow, wide);
}

/** Whether no labels can satisfy it. */
export function isImpossible(selector: Selector): boolean {
  if (selector.kind === 'not') return isCertain(selector.operand);
  if (selector.kind === 'or') return selector.operands.every(isImpossible);
  if (selector.kind === 'and') {
    const { operands } = selector;
    if (operands.some(isImpossible)) return true;
    const texts = new Set(operands.map(formatSelector));
    if (operands.some((operand) => texts.has(formatSelector(negate(operand))))) return true;
  }
  return [...labelRestrictions(selector).values()].some(({ mustHaveOneOfValues }) => mustHaveOneOfValues?.size === 0);
}

function isCertain(selector: Selector): boolean {
  return selector.kind === 'all' || selector.kind === 'global';
}

/** What the narrow one demands of the wide one's label leaves only values that the wide one takes. */
function impliesByValues(narrow: Selector, wide: Selector): boolean {
  if (!('label' in wide)) return false;
  const restriction = labelRestrictions(narrow).get(wide.label);
  if (restriction === undefined) return false;
  if (wide.kind === 'has') return restriction.mustBePresent;
  if (restriction.mustBeAbsent) return wide.kind === 'notEquals' || wide.kind === 'notIn';
  const values = restriction.mustHaveOneOfValues;
  return values !== undefined && [...values].every((value) => accepts(wide, value));
}

function accepts(selector: Selector, value: string): boolean {
  switch (selector.kind) {
    case 'equals':
      return value === selector.value;
    case 'notEquals':
      return value !== selector.value;
    case 'in':
      return selector.values.includes(value);
    case 'notIn':
      return !selector.values.includes(value);
    case 'contains':
      return value.includes(selector.value);
    case 'startsWith':
      return value.startsWith(selector.value);
    case 'endsWith':
      return value.endsWith(selector.value);
    default:
      return false;
  }
}
