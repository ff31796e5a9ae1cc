// Text of a JSONPath template, as kubectl takes it -> its parts. What they find in an object is known in evaluate.ts.
import { DataplaneError } from '../../base/errors.ts';

/** One step of a path: from values to values. */
export type Step =
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'every' }
  /** All values below, the one itself included. */
  | { readonly kind: 'descend' }
  | { readonly kind: 'index'; readonly at: readonly number[] }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly by: number }
  | {
      readonly kind: 'filter';
      readonly left: Operand;
      readonly test?: { readonly operator: Operator; right: Operand };
    };

export type Operator = '==' | '!=' | '<=' | '>=' | '<' | '>';

/** A path from the item, or a value that is written out. */
export type Operand =
  | { readonly kind: 'path'; readonly steps: readonly Step[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean };

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly Step[] }
  | { readonly kind: 'range'; readonly steps: readonly Step[]; readonly body: readonly Part[] };

const OPERATORS: readonly Operator[] = ['==', '!=', '<=', '>=', '<', '>'];
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** Throws USAGE with the place where the template is not understood. */
export function parseTemplate(text: string): readonly Part[] {
  return new Parser(text).template();
}

/** A path alone: `.a.b`, `a.b` or `{.a.b}`, as kubectl takes it where no text is around it. Throws USAGE. */
export function parsePath(text: string): readonly Step[] {
  const bare = text.trim().replace(/^\{([^{}]*)\}$/, '$1');
  const parts = parseTemplate(`{${/^[.$@[]/.test(bare) ? '' : '.'}${bare}}`);
  const [part] = parts;
  if (part?.kind === 'path' && parts.length === 1) return part.steps;
  throw new DataplaneError('USAGE', 'is no path', {
    operation: 'read jsonpath',
    target: text,
    expected: 'one such as .metadata.name',
  });
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  template(): readonly Part[] {
    if (!this.#text.includes('{')) throw this.#refuse('has no expression', 'one in braces, such as {.metadata.name}');
    const open: { steps: readonly Step[]; body: Part[] }[] = [{ steps: [], body: [] }];
    while (this.#at < this.#text.length) {
      const inner = open.at(-1) as (typeof open)[number];
      const text = this.#take(/[^{]+/y);
      if (text !== '') inner.body.push({ kind: 'text', text });
      if (this.#take(/\{\s*/y) === '') continue;
      if (this.#take(/end\b\s*/y) !== '') {
        const { steps, body } = open.pop() as (typeof open)[number];
        const outer = open.at(-1);
        if (outer === undefined) throw this.#refuse('{end} ends nothing', '{range ...} before it');
        outer.body.push({ kind: 'range', steps, body });
      } else if (this.#take(/range\b\s*/y) !== '') open.push({ steps: this.#path(), body: [] });
      else inner.body.push(this.#expression());
      if (this.#take(/\s*\}/y) === '') throw this.#refuse('is not understood', 'the expression to end with }');
    }
    if (open.length > 1) throw this.#refuse('{range} is not ended', '{end}');
    return (open[0] as (typeof open)[number]).body;
  }

  #expression(): Part {
    const text = this.#quoted();
    return text === undefined ? { kind: 'path', steps: this.#path() } : { kind: 'text', text };
  }

  /** `$` and `@` alone are what the path begins with. */
  #path(): readonly Step[] {
    const start = this.#at;
    const head = this.#take(/[$@]/y);
    const steps: Step[] = [];
    for (let step = this.#step(); step !== undefined; step = this.#step()) steps.push(...step);
    if (head === '' && this.#at === start) throw this.#refuse('is not understood', 'a path such as .metadata.name');
    return steps;
  }

  /** undefined = the path ends here. */
  #step(): readonly Step[] | undefined {
    if (this.#take(/\.\./y) !== '') {
      if (this.#peek('[')) return [{ kind: 'descend' }];
      return [{ kind: 'descend' }, this.#afterDot()];
    }
    if (this.#take(/\./y) !== '') return this.#peek('[') ? [] : [this.#afterDot()];
    if (this.#take(/\[\s*/y) === '') return undefined;
    const step = this.#take(/\?\(\s*/y) === '' ? this.#bracket() : this.#filter();
    if (this.#take(/\s*\]/y) === '') throw this.#refuse('is not understood', ']');
    return [step];
  }

  #afterDot(): Step {
    if (this.#take(/\*/y) !== '') return { kind: 'every' };
    const name = this.#take(/(?:\\.|[^\s.[\]{}()'"=!<>|&,\\])+/y).replaceAll(/\\(.)/g, '$1');
    if (name === '') throw this.#refuse('is not understood', 'a name of a field or *');
    return { kind: 'field', names: [name] };
  }

  #bracket(): Step {
    if (this.#take(/\*/y) !== '') return { kind: 'every' };
    const name = this.#quoted("'");
    if (name !== undefined) {
      const names = [name];
      while (this.#take(/\s*,\s*/y) !== '') names.push(this.#quoted("'") ?? '');
      return { kind: 'field', names };
    }
    const inside = this.#take(/[-\d:,\s]+/y).trim();
    const slice = /^(-?\d+)?:(-?\d+)?(?::([1-9]\d*))?$/.exec(inside);
    if (slice !== null) {
      const [from, to, by] = slice.slice(1).map((digits) => (digits === undefined ? undefined : Number(digits)));
      return {
        kind: 'slice',
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        by: by ?? 1,
      };
    }
    if (/^-?\d+(\s*,\s*-?\d+)*$/.test(inside)) return { kind: 'index', at: inside.split(',').map(Number) };
    throw this.#refuse('is not understood', "one of [N], [FROM:TO], [*], ['NAME'], [?(@.FIELD == VALUE)]");
  }

  #filter(): Step {
    const left = this.#operand();
    const operator = OPERATORS.find((one) => this.#peek(one));
    if (operator === undefined) {
      this.#closeFilter();
      return { kind: 'filter', left };
    }
    this.#at += operator.length;
    this.#take(/\s+/y);
    const right = this.#operand();
    this.#closeFilter();
    return { kind: 'filter', left, test: { operator, right } };
  }

  #closeFilter(): void {
    if (this.#take(/\)/y) === '') throw this.#refuse('is not understood', 'one comparison and ) after it');
  }

  #operand(): Operand {
    const text = this.#quoted();
    const word = text ?? this.#take(/-?\d+(?:\.\d+)?|true\b|false\b/y);
    const operand: Operand =
      text === undefined && word === ''
        ? { kind: 'path', steps: this.#path() }
        : { kind: 'literal', value: text ?? (JSON.parse(word) as number | boolean) };
    this.#take(/\s+/y);
    return operand;
  }

  /** undefined = no text in quotes begins here. */
  #quoted(quotes = `'"`): string | undefined {
    const quote = this.#text[this.#at] ?? '';
    if (quote === '' || !quotes.includes(quote)) return undefined;
    const text = this.#take(quote === "'" ? /'(?:\\.|[^'\\])*'/y : /"(?:\\.|[^"\\])*"/y);
    if (text === '') throw this.#refuse('is not understood', `${quote} to end the text`);
    return text.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
  }

  #peek(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  /** The match at this place, which is passed; empty = there is none. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [match = ''] = pattern.exec(this.#text) ?? [];
    this.#at += match.length;
    return match;
  }

  #refuse(what: string, expected: string): DataplaneError {
    const rest = this.#text.slice(this.#at);
    return new DataplaneError('USAGE', what, {
      operation: 'read jsonpath',
      target: this.#text,
      field: `character ${this.#at + 1}`,
      found: rest === '' ? 'the end' : JSON.stringify(rest.slice(0, 20)),
      expected,
    });
  }
}
