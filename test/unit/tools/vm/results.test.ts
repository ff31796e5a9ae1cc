import { expect, it } from 'vitest';
import { leftOut } from '../../../../tools/vm/tier/plan.ts';
import { formatProbe, formatResult, formatVerified, parseReport } from '../../../../tools/vm/tier/results.ts';

it('finds results among what tests print, also behind an unfinished line', () => {
  const result = { file: 'a.mjs', title: 'b\nc', outcome: 'passed', ms: 1, problems: [] } as const;
  const verified = { object: 'guard', program: 'tt_guard', instructions: 2, states: 1 };
  const output = `unfinished${formatResult(result)}${formatVerified(verified)}\n${formatProbe({ tcx: true })}\nsaid\n`;
  expect(parseReport(output)).toEqual({
    results: [result],
    verified: [verified],
    probe: { tcx: true },
    rest: 'unfinished\nsaid',
  });
});

it.each([
  ['5.10.0-46-amd64', ['by x']],
  ['6.5.13-amd64', ['by x']],
  ['6.6.0-amd64', []],
  ['6.12.1+deb13-amd64', []],
  ['7.0.4-amd64', []],
])('leaves out on %s what that kernel is too old for', (abi, words) => {
  const feature = { name: '', meaning: '', files: [], needs: [{ words: 'by x', since: [6, 6] }] } as const;
  expect(leftOut(feature, abi)).toEqual(words);
});
