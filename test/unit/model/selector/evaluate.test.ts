import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { negate } from '../../../../src/model/selector/construct.ts';
import { matches } from '../../../../src/model/selector/evaluate.ts';
import { parseSelector } from '../../../../src/model/selector/parser.ts';
import { labelRestrictions } from '../../../../src/model/selector/restrictions.ts';
import { anyLabels, anySelector } from './arbitrary-selector.ts';

const present = new Map([
  ['a', 'value'],
  ['empty', ''],
]);

describe('matches', () => {
  it.each([
    ['all()', true],
    ['global()', true],
    ['has(a)', true],
    ['has(empty)', true],
    ['has(missing)', false],
    ['a == "value"', true],
    ['a == "Value"', false],
    ['missing == ""', false],
    ['a != "value"', false],
    ['a != "x"', true],
    ['missing != "x"', true],
    ['a in {"value", "x"}', true],
    ['a in {}', false],
    ['missing in {"x"}', false],
    ['a not in {"value"}', false],
    ['a not in {}', true],
    ['missing not in {"x"}', true],
    ['a contains "alu"', true],
    ['a contains ""', true],
    ['missing contains ""', false],
    ['a starts with "val"', true],
    ['a starts with "alue"', false],
    ['missing starts with ""', false],
    ['a ends with "lue"', true],
    ['missing ends with ""', false],
    ['!has(a)', false],
    ['has(a) && has(empty)', true],
    ['has(a) && has(missing)', false],
    ['has(missing) || has(a)', true],
    ['!has(missing) && !(a == "x" || missing == "y")', true],
  ])('%s is %s', (text, expected) => {
    expect(matches(parseSelector(text), present)).toBe(expected);
    expect(matches(parseSelector(text), (label) => present.get(label))).toBe(expected);
  });

  it('is turned around by negation', () => {
    fc.assert(
      fc.property(anySelector, anyLabels, (selector, labels) => {
        const map = new Map(Object.entries(labels));
        expect(matches(negate(selector), map)).toBe(!matches(selector, map));
      }),
    );
  });
});

describe('labelRestrictions', () => {
  it('restricts equality and sets to their values', () => {
    expect(labelRestrictions(parseSelector('a == "x" && b in {"y", "z"}'))).toEqual(
      new Map([
        ['a', { mustBePresent: true, mustBeAbsent: false, mustHaveOneOfValues: new Set(['x']) }],
        ['b', { mustBePresent: true, mustBeAbsent: false, mustHaveOneOfValues: new Set(['y', 'z']) }],
      ]),
    );
  });

  it('leaves no value when two equalities contradict each other', () => {
    expect(labelRestrictions(parseSelector('a == "x" && a == "y"')).get('a')?.mustHaveOneOfValues).toEqual(new Set());
  });

  it('keeps of alternatives only the labels that all of them restrict', () => {
    const restrictions = labelRestrictions(parseSelector('(a == "x" && has(b)) || a == "y"'));
    expect([...restrictions.keys()]).toEqual(['a']);
    expect(restrictions.get('a')?.mustHaveOneOfValues).toEqual(new Set(['x', 'y']));
  });

  it('never excludes labels that match', () => {
    fc.assert(
      fc.property(anySelector, anyLabels, (selector, labels) => {
        const map = new Map(Object.entries(labels));
        if (!matches(selector, map)) return;
        for (const [label, restriction] of labelRestrictions(selector)) {
          const value = map.get(label);
          if (restriction.mustBePresent) expect(value).toBeDefined();
          if (restriction.mustBeAbsent) expect(value).toBeUndefined();
          if (restriction.mustHaveOneOfValues !== undefined) expect(restriction.mustHaveOneOfValues).toContain(value);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
