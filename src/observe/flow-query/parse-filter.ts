// The text of a filter -> its tree, by recursive descent: `from = shop/web-* and port in {80, 443} and not verdict = allow`.
import { DataplaneError } from '../../base/errors.ts';
import { nearestName } from '../../resources/nearest.ts';
import { quoteValue } from '../../resources/report.ts';
import { anyOf, countConditions, type FlowFilter, MAX_CONDITIONS, MAX_FILTER_LENGTH, noneOf } from './filter.ts';
import { FILTER_FIELDS, type FilterField } from './filter-fields.ts';
import { FilterScanner, type Token } from './filter-scanner.ts';

const MAX_DEPTH = 64;
const NUMBER_OPERATORS = ['<=', '>=', '<', '>'];
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;

/** The filter of the text. Throws INVALID_FILTER, which says at which column, what was found and what was expected. */
export function parseFilter(text: string): FlowFilter {
  if (text.length > MAX_FILTER_LENGTH) {
    throw new DataplaneError('INVALID_FILTER', 'is too long', {
      operation: 'parse',
      target: 'filter',
      found: `${text.length} characters`,
      expected: `${MAX_FILTER_LENGTH} at most`,
    });
  }
  const filter = new FilterParser(text).parse();
  const conditions = countConditions(filter);
  if (conditions <= MAX_CONDITIONS) return filter;
  throw new DataplaneError('INVALID_FILTER', 'asks for too much', {
    operation: 'parse',
    target: 'filter',
    found: `${conditions} conditions`,
    expected: `${MAX_CONDITIONS} at most`,
  });
}

class FilterParser {
  readonly #scanner: FilterScanner;
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new FilterScanner(text);
  }

  parse(): FlowFilter {
    const filter = this.#or();
    if (this.#scanner.peek().kind !== 'end') throw this.#scanner.problem('and, or, or the end');
    return filter;
  }

  #or(): FlowFilter {
    const operands = [this.#and()];
    while (this.#scanner.takeWord('or') || this.#scanner.takeMark('||')) operands.push(this.#and());
    return operands.length === 1 ? (operands[0] as FlowFilter) : { kind: 'or', operands };
  }

  #and(): FlowFilter {
    const operands = [this.#unary()];
    while (this.#scanner.takeWord('and') || this.#scanner.takeMark('&&')) operands.push(this.#unary());
    return operands.length === 1 ? (operands[0] as FlowFilter) : { kind: 'and', operands };
  }

  #unary(): FlowFilter {
    let isNegated = false;
    while (this.#scanner.takeWord('not') || this.#scanner.takeMark('!')) isNegated = !isNegated;
    const operand = this.#primary();
    return isNegated ? noneOf(operand) : operand;
  }

  #primary(): FlowFilter {
    if (!this.#scanner.takeMark('(')) return this.#comparison();
    if (++this.#depth > MAX_DEPTH) throw this.#scanner.problem(`at most ${MAX_DEPTH} nested parentheses`);
    const filter = this.#or();
    if (!this.#scanner.takeMark(')')) throw this.#scanner.problem(')');
    this.#depth -= 1;
    return filter;
  }

  #comparison(): FlowFilter {
    const scanner = this.#scanner;
    const token = scanner.peek();
    const field = token.kind === 'word' ? FILTER_FIELDS.get(token.text) : undefined;
    if (field === undefined) throw scanner.problem('a field, not or (', hintFor(token));
    scanner.next();
    if (scanner.takeMark('==') || scanner.takeMark('=')) return this.#value(field);
    if (scanner.takeMark('!=')) return noneOf(this.#value(field));
    if (scanner.takeWord('in')) return this.#set(field);
    if (scanner.takeWord('not')) {
      if (!scanner.takeWord('in')) throw scanner.problem('in');
      return noneOf(this.#set(field));
    }
    const operator = field.isNumber === true ? NUMBER_OPERATORS.find((mark) => scanner.takeMark(mark)) : undefined;
    if (operator !== undefined) return this.#bound(field, operator);
    throw scanner.problem(`an operator: =, !=, in, not in${field.isNumber === true ? ', <, <=, >, >=' : ''}`);
  }

  #value(field: FilterField): FlowFilter {
    const token = this.#scanner.peek();
    if (token.kind !== 'word' && token.kind !== 'string') throw this.#scanner.problem(field.expected);
    const made = field.make(token.text);
    if (made === undefined) throw this.#scanner.problem(field.expected);
    this.#scanner.next();
    return made;
  }

  #set(field: FilterField): FlowFilter {
    const scanner = this.#scanner;
    if (!scanner.takeMark('{')) throw scanner.problem('a set such as {a, b}');
    const operands = [this.#value(field)];
    while (scanner.takeMark(',')) operands.push(this.#value(field));
    if (!scanner.takeMark('}')) throw scanner.problem(', or }');
    return anyOf(operands);
  }

  #bound(field: FilterField, operator: string): FlowFilter {
    const filter = this.#value(field);
    if (filter.kind !== 'number') return filter;
    const { low, high } = filter;
    switch (operator) {
      case '<=':
        return { ...filter, low: 0, high };
      case '>=':
        return { ...filter, low, high: MAX_NUMBER };
      case '<':
        return { ...filter, low: 0, high: low - 1 };
      default:
        return { ...filter, low: high + 1, high: MAX_NUMBER };
    }
  }
}

function hintFor(token: Token): string {
  const nearest = token.kind === 'word' ? nearestName(token.text, FILTER_FIELDS.keys()) : undefined;
  return nearest === undefined ? `fields are ${[...FILTER_FIELDS.keys()].join(', ')}` : `did you mean ${nearest}?`;
}

/** What an option or a parameter was given, as a filter. Throws INVALID_FILTER. */
export function makeCondition(name: string, fieldName: string, value: string): FlowFilter {
  const field = FILTER_FIELDS.get(fieldName) as FilterField;
  const made = value.length > MAX_FILTER_LENGTH ? undefined : field.make(value);
  if (made !== undefined) return made;
  throw new DataplaneError('INVALID_FILTER', 'invalid value', {
    operation: 'parse',
    target: 'filter',
    field: name,
    found: quoteValue(value),
    expected: field.expected,
  });
}
