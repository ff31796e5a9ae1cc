import { expect, it } from 'vitest';
import { filesOf, resultsOf } from '../../../../tools/vm/tier/feature-tests.ts';
import type { TestResult } from '../../../../tools/vm/tier/results.ts';

const sockets = { name: 'sockets', meaning: '', files: ['a.test.ts'], only: ['> sockets >'] };
const restart = {
  name: 'restart',
  meaning: '',
  files: ['a.test.ts', 'b.test.ts'],
  only: ['> restart >', 'comes back'],
};
const packets = { name: 'packets', meaning: '', files: ['b.test.ts'] };

function failure(file: string, title: string): TestResult {
  return { file, title, outcome: 'failed', ms: 0, problems: [] };
}

it('runs a file that features share once, with the tests of each', () => {
  expect(filesOf([sockets, restart])).toEqual([
    { source: 'a.test.ts', only: ['> sockets >', '> restart >', 'comes back'] },
    { source: 'b.test.ts', only: ['> restart >', 'comes back'] },
  ]);
});

it('runs all tests of a file that one feature needs whole', () => {
  expect(filesOf([restart, packets])[1]).toEqual({ source: 'b.test.ts' });
});

it.each([
  ['a test that one feature names', failure('a.mjs', 'agent > sockets > x'), { sockets: 1, restart: 0, packets: 0 }],
  ['a hook outside of any test', failure('a.mjs', 'agent'), { sockets: 1, restart: 1, packets: 0 }],
  ['a test of a file that one feature has whole', failure('b.mjs', 'y'), { sockets: 0, restart: 0, packets: 1 }],
  ['a test that two features have', failure('b.mjs', 'it comes back'), { sockets: 0, restart: 1, packets: 1 }],
])('counts %s where it belongs', (_, result, expected) => {
  const features = [sockets, restart, packets];
  const compiled = (source: string) => `/build/${source.replace('.test.ts', '.mjs')}`;
  const counts = features.map((feature) => {
    const own = resultsOf(feature, features, [result], compiled);
    return [feature.name, [...own.values()].flat().length] as const;
  });
  expect(Object.fromEntries(counts)).toEqual(expected);
});
