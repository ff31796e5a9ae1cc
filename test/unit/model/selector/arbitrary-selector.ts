// Generated selectors over few labels and values, so that they match now and then.
import fc from 'fast-check';
import type { Selector } from '../../../../src/model/selector/ast.ts';
import { isIn, isNotIn, negate } from '../../../../src/model/selector/construct.ts';

const label = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('', 'x', 'y', 'xy', 'q"q');

export const anyLabels = fc.dictionary(label, value, { maxKeys: 3, noNullPrototype: true });

export const anySelector: fc.Arbitrary<Selector> = fc.letrec<{ node: Selector }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ kind: fc.constant('has' as const), label }),
    fc.constant<Selector>({ kind: 'all' }),
    fc.record({
      kind: fc.constantFrom(
        'equals' as const,
        'notEquals' as const,
        'contains' as const,
        'startsWith' as const,
        'endsWith' as const,
      ),
      label,
      value,
    }),
    fc
      .tuple(fc.boolean(), label, fc.array(value, { maxLength: 3 }))
      .map(([isNot, name, values]) => (isNot ? isNotIn : isIn)(name, values)),
    tie('node').map(negate),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('node'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).node;
