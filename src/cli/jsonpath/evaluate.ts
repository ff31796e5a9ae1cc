// What a JSONPath template finds in an object, as text: kubectl's rules. Pure.
import { DataplaneError } from '../../base/errors.ts';
import type { Operand, Operator, Part, Step } from './template.ts';

/**
 * The template with its expressions replaced by what they find: several values with a space between them, maps and lists
 * as JSON. A field that is not there is empty. Throws NOT_FOUND for an index outside a list, as kubectl does.
 */
export function evaluateTemplate(parts: readonly Part[], root: unknown): string {
  return render(parts, root);
}

/** The values that a path finds; none where it leads outside a list. */
export function findValues(path: readonly Step[], root: unknown): readonly unknown[] {
  try {
    return follow(path, [root]);
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}

function render(parts: readonly Part[], root: unknown): string {
  return parts.map((part) => renderPart(part, root)).join('');
}

function renderPart(part: Part, root: unknown): string {
  if (part.kind === 'text') return part.text;
  const found = follow(part.steps, [root]);
  if (part.kind === 'path') return found.map(show).join(' ');
  return found.map((item) => render(part.body, item)).join('');
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function follow(steps: readonly Step[], values: readonly unknown[]): readonly unknown[] {
  return steps.reduce((found, step) => takeStep(step, found), values);
}

/** Several names or indexes are followed one after the other, each from all values. */
function takeStep(step: Step, values: readonly unknown[]): readonly unknown[] {
  const lists = values.filter((value): value is unknown[] => Array.isArray(value));
  switch (step.kind) {
    case 'field':
      return step.names.flatMap((name) => values.flatMap((value) => fieldOf(value, name)));
    case 'every':
      return values.flatMap(childrenOf);
    case 'descend':
      return values.flatMap(withDescendants);
    case 'index':
      return step.at.flatMap((index) => lists.map((list) => itemAt(list, index)));
    case 'slice':
      return lists.flatMap((list) => list.slice(step.from, step.to).filter((_, at) => at % step.by === 0));
    case 'filter':
      return lists.flatMap((list) => list.filter((item) => passes(step, item)));
  }
}

function fieldOf(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
  return [(value as Record<string, unknown>)[name]];
}

function childrenOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function withDescendants(value: unknown): readonly unknown[] {
  return [value, ...childrenOf(value).flatMap(withDescendants)];
}

function itemAt(list: readonly unknown[], index: number): unknown {
  const item = list.at(index);
  if (item !== undefined) return item;
  throw new DataplaneError('NOT_FOUND', 'has no such item', {
    operation: 'evaluate jsonpath',
    target: 'list',
    found: `index ${index}`,
    expected: `one of ${list.length} items`,
  });
}

function passes({ left, test }: Extract<Step, { kind: 'filter' }>, item: unknown): boolean {
  const [first] = valuesOf(left, item);
  if (test === undefined) return first !== undefined;
  const [second] = valuesOf(test.right, item);
  return first !== undefined && second !== undefined && compare(first, second, test.operator);
}

function valuesOf(operand: Operand, item: unknown): readonly unknown[] {
  return operand.kind === 'literal' ? [operand.value] : follow(operand.steps, [item]);
}

/** Only values of one type have an order. */
function compare(left: unknown, right: unknown, operator: Operator): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (
    !(typeof left === 'number' && typeof right === 'number') &&
    !(typeof left === 'string' && typeof right === 'string')
  )
    return false;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}
