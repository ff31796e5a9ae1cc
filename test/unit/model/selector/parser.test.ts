import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { parseSelector, tryParseSelector } from '../../../../src/model/selector/parser.ts';
import { anySelector } from './arbitrary-selector.ts';

const accepted: readonly (readonly [string, string])[] = [
  ['', 'all()'],
  [' \t ', 'all()'],
  ['all()', 'all()'],
  ['all( )', 'all()'],
  ['global()', 'global()'],
  ['has(a)', 'has(a)'],
  ['has( b )', 'has(b)'],
  ['!has(a)', '!has(a)'],
  ['!!has(a)', 'has(a)'],
  ['! ! !has(a)', '!has(a)'],
  ['!(!has(a))', 'has(a)'],
  ['a=="b"', 'a == "b"'],
  ["a == 'b'", 'a == "b"'],
  ["a == 'b\"c'", "a == 'b\"c'"],
  ['a != ""', 'a != ""'],
  ['a in{"x"}', 'a in {"x"}'],
  ['a in {}', 'a in {}'],
  ['a in { "b" , "a", }', 'a in {"a", "b"}'],
  ['a in {"x","x"}', 'a in {"x"}'],
  ['a not in {"x"}', 'a not in {"x"}'],
  ['a notin{"x"}', 'a not in {"x"}'],
  ['a contains"x"', 'a contains "x"'],
  ['a starts with "x"', 'a starts with "x"'],
  ['a startswith "x"', 'a starts with "x"'],
  ['a ends \t with "x"', 'a ends with "x"'],
  ['a endswith "x"', 'a ends with "x"'],
  ['in in {"in"}', 'in in {"in"}'],
  ['has == "x"', 'has == "x"'],
  ['all == "x"', 'all == "x"'],
  ['contains contains "contains"', 'contains contains "contains"'],
  ['not not in {"x"}', 'not not in {"x"}'],
  ['- == "x"', '- == "x"'],
  ['. == "x"', '. == "x"'],
  ['/ == "x"', '/ == "x"'],
  ['a-b_c.d/e == "x"', 'a-b_c.d/e == "x"'],
  ['((a == "b"))', 'a == "b"'],
  ['a == "b" && c == "d"', '(a == "b" && c == "d")'],
  ['a == "b"&&c == "d"||has(e)', '((a == "b" && c == "d") || has(e))'],
  ['!a == "b"', '!a == "b"'],
  ['!(a == "b" && !c != "d")', '!(a == "b" && !c != "d")'],
  ['!(has(b) || !has(a))', '!(has(b) || !has(a))'],
  ["a == 'global('", 'a == "global("'],
];

const refused: readonly (readonly [string, number, string])[] = [
  ['a', 1, 'an operator'],
  ['a == b', 5, 'a quoted string'],
  ['"a" == b', 0, 'a label'],
  ['a == "b', 5, 'a closing "'],
  ['a = "b"', 2, 'an operator'],
  ['a & b', 2, 'an operator'],
  ['has(a) & has(b)', 7, '&&, || or the end'],
  ['has(a) has(b)', 7, '&&, || or the end'],
  ['has (b)', 4, 'an operator'],
  ['has()', 4, 'a label'],
  ['has(a', 5, ')'],
  ['all(', 4, ')'],
  ['(has(a)', 7, ')'],
  ['has(a))', 6, '&&, || or the end'],
  ['()', 1, 'a label'],
  ['has(a) &&', 9, 'a label'],
  ['has(a) ||', 9, 'a label'],
  ['|| has(a)', 0, 'a label'],
  ['a !in {"x"}', 2, 'an operator'],
  ['a in ""', 5, 'a set'],
  ['a in {"x"', 9, '}'],
  ['a in {x}', 6, 'a quoted string'],
  ['a in {,}', 6, 'a quoted string'],
  ['a containsx "y"', 2, 'an operator'],
  ['a %', 2, 'an operator'],
  ['has(a)\n', 6, '&&, || or the end'],
  ['a ==\n"b"', 4, 'a quoted string'],
  [`${'l'.repeat(513)} == "x"`, 0, 'at most 512'],
  [`${'('.repeat(513)}has(a)${')'.repeat(513)}`, 513, 'at most 512'],
];

describe('parseSelector', () => {
  it.each(accepted)('reads %j as %s', (text, canonical) => {
    expect(formatSelector(parseSelector(text))).toBe(canonical);
  });

  it.each(refused)('refuses %j at %i', (text, position, expected) => {
    const result = tryParseSelector(text);
    expect(result).toMatchObject({ problem: { position, expected: expect.stringContaining(expected) } });
  });

  it.each([
    ['parentheses', '('.repeat(100_000), 513, 'at most 512'],
    ['bangs', '!'.repeat(100_000), 100_000, 'a label'],
    ['bangs and parentheses', '!('.repeat(50_000), 1026, 'at most 512'],
  ])('refuses 100000 %s without running out of stack', (_name, text, position, expected) => {
    const result = tryParseSelector(text);
    expect(result).toMatchObject({ problem: { position, expected: expect.stringContaining(expected) } });
  });

  it('throws INVALID_SELECTOR with column, found and expected', () => {
    expect(() => parseSelector('a == b')).toThrow(
      'parse selector: does not parse at column 6 of "a == b": found "b", expected a quoted string',
    );
  });

  it('accepts as many nested parentheses as a field can hold, any number of bangs, a label of 512 characters', () => {
    expect(formatSelector(parseSelector(`${'('.repeat(512)}has(a)${')'.repeat(512)}`))).toBe('has(a)');
    expect(formatSelector(parseSelector(`${'!'.repeat(100_001)}has(a)`))).toBe('!has(a)');
    expect(tryParseSelector(`has(${'l'.repeat(512)})`)).toHaveProperty('selector');
  });

  it('reads canonical text back as the same selector', () => {
    fc.assert(
      fc.property(anySelector, (selector) => {
        const text = formatSelector(selector);
        const again = parseSelector(text);
        expect(formatSelector(again)).toBe(text);
        expect(again).toEqual(selector);
      }),
    );
  });

  it('answers any text, within the language or not', () => {
    const words = [
      'has(',
      'all()',
      '(',
      ')',
      '!',
      '&&',
      '||',
      '==',
      '!=',
      'in',
      'not in',
      '{',
      '}',
      ',',
      '"x"',
      'a',
      ' ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (tokens) => {
        const result = tryParseSelector(tokens.join(''));
        if ('selector' in result) expect(parseSelector(formatSelector(result.selector))).toEqual(result.selector);
        else expect(result.problem.position).toBeLessThanOrEqual(tokens.join('').length);
      }),
    );
  });
});
