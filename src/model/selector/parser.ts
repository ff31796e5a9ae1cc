// Selector text -> syntax tree, by recursive descent. Same language as Calico's libcalico-go/lib/selector, with its
// lexical corner cases: operators are words only right after a label, strings have no escapes, newlines are errors.
import { DataplaneError } from '../../base/errors.ts';
import type { Selector } from './ast.ts';
import { negate, SELECT_ALL } from './construct.ts';
import { Scanner, type SelectorProblem, SelectorSyntaxError } from './scanner.ts';

/** More than fits into the 1024 characters that a field may have; far less than the stack holds. */
const MAX_DEPTH = 512;

/** The selector of the text; empty or blank text selects all. Throws INVALID_SELECTOR. */
export function parseSelector(text: string): Selector {
  const result = tryParseSelector(text);
  if ('selector' in result) return result.selector;
  const { found, expected } = result.problem;
  const details = { operation: 'parse', target: 'selector', found, expected };
  throw new DataplaneError('INVALID_SELECTOR', describeProblem(result.problem), details);
}

/** The selector, or what is wrong with the text and where. */
export function tryParseSelector(text: string): { selector: Selector } | { problem: SelectorProblem } {
  try {
    return { selector: new SelectorParser(text).parse() };
  } catch (error) {
    if (error instanceof SelectorSyntaxError) return { problem: error.problem };
    throw error;
  }
}

/** `does not parse at column 8 of "a == b"`. */
export function describeProblem(problem: SelectorProblem): string {
  return `does not parse at column ${problem.position + 1} of ${JSON.stringify(problem.text)}`;
}

class SelectorParser {
  readonly #scanner: Scanner;
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
  }

  parse(): Selector {
    this.#scanner.skipBlanks();
    if (this.#scanner.atEnd) return SELECT_ALL;
    const selector = this.#parseOr();
    this.#scanner.skipBlanks();
    if (!this.#scanner.atEnd) throw this.#scanner.problem('&&, || or the end');
    return selector;
  }

  #parseOr(): Selector {
    const operands = this.#parseChain('||', () => this.#parseAnd());
    return operands.length === 1 ? (operands[0] as Selector) : Object.freeze({ kind: 'or', operands });
  }

  #parseAnd(): Selector {
    const operands = this.#parseChain('&&', () => this.#parseUnary());
    return operands.length === 1 ? (operands[0] as Selector) : Object.freeze({ kind: 'and', operands });
  }

  #parseChain(operator: string, parseOperand: () => Selector): readonly Selector[] {
    const operands = [parseOperand()];
    for (;;) {
      this.#scanner.skipBlanks();
      if (!this.#scanner.take(operator)) return Object.freeze(operands);
      operands.push(parseOperand());
    }
  }

  #parseUnary(): Selector {
    let isNegated = false;
    this.#scanner.skipBlanks();
    while (this.#scanner.take('!')) {
      isNegated = !isNegated;
      this.#scanner.skipBlanks();
    }
    const operand = this.#parsePrimary();
    return isNegated ? negate(operand) : operand;
  }

  #parsePrimary(): Selector {
    const scanner = this.#scanner;
    if (scanner.take('(')) return this.#parseGroup();
    if (scanner.take('has(')) return this.#parseHas();
    for (const kind of ['all', 'global'] as const) {
      if (!scanner.take(`${kind}(`)) continue;
      scanner.skipBlanks();
      scanner.expect(')');
      return Object.freeze({ kind });
    }
    const label = scanner.takeLabel();
    if (label === undefined) throw scanner.problem('a label, has(, all(), global(), ! or (');
    return this.#parseComparison(label);
  }

  #parseGroup(): Selector {
    if (++this.#depth > MAX_DEPTH) throw this.#scanner.problem(`at most ${MAX_DEPTH} nested parentheses`);
    const selector = this.#parseOr();
    this.#scanner.skipBlanks();
    this.#scanner.expect(')');
    this.#depth--;
    return selector;
  }

  #parseHas(): Selector {
    this.#scanner.skipBlanks();
    const label = this.#scanner.takeLabel();
    if (label === undefined) throw this.#scanner.problem('a label');
    this.#scanner.skipBlanks();
    this.#scanner.expect(')');
    return Object.freeze({ kind: 'has', label });
  }

  #parseComparison(label: string): Selector {
    const scanner = this.#scanner;
    scanner.skipBlanks();
    if (scanner.take('==')) return Object.freeze({ kind: 'equals', label, value: scanner.expectString() });
    if (scanner.take('!=')) return Object.freeze({ kind: 'notEquals', label, value: scanner.expectString() });
    if (scanner.takeWords('contains')) return Object.freeze({ kind: 'contains', label, value: scanner.expectString() });
    if (scanner.takeWords('starts', 'with')) {
      return Object.freeze({ kind: 'startsWith', label, value: scanner.expectString() });
    }
    if (scanner.takeWords('ends', 'with')) {
      return Object.freeze({ kind: 'endsWith', label, value: scanner.expectString() });
    }
    if (scanner.takeWords('not', 'in')) return Object.freeze({ kind: 'notIn', label, values: this.#parseSet() });
    if (scanner.takeWords('in')) return Object.freeze({ kind: 'in', label, values: this.#parseSet() });
    throw scanner.problem('an operator: ==, !=, in, not in, contains, starts with, ends with');
  }

  /** Sorted, without duplicates: the order of a set says nothing. */
  #parseSet(): readonly string[] {
    const scanner = this.#scanner;
    const values = new Set<string>();
    scanner.skipBlanks();
    if (!scanner.take('{')) throw scanner.problem('a set such as {"a", "b"}');
    for (;;) {
      scanner.skipBlanks();
      if (scanner.take('}')) break;
      values.add(scanner.expectString());
      scanner.skipBlanks();
      if (scanner.take(',')) continue;
      scanner.expect('}');
      break;
    }
    return Object.freeze([...values].sort());
  }
}
