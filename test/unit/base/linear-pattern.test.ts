import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../src/base/linear-pattern.ts';

function matches(pattern: string, text: string): boolean {
  const result = compilePattern(pattern);
  if (!('matches' in result)) throw new Error(result.problem);
  return result.matches(text);
}

describe('a linear pattern', () => {
  it.each([
    ['eth0|eth1', 'eth1', true],
    ['eth0|eth1', 'veth1x', true],
    ['^(eth|ens)[0-9]+$', 'ens192', true],
    ['^(eth|ens)[0-9]+$', 'ens192.5', false],
    ['^bond[0-9]{1,2}(\\.[0-9]+)?$', 'bond12.100', true],
    ['^bond[0-9]{1,2}(\\.[0-9]+)?$', 'bond123', false],
    ['[]-]', 'a-b', true],
    ['a{,2}', 'a{,2}', true],
    ['(?i)ETH', 'eth0', true],
    ['^[[:alpha:]]+$', 'docker', true],
    ['', 'anything', true],
    ['^$', 'x', false],
  ])('%s of %s: %s', (written, text, expected) => {
    expect(matches(written, text)).toBe(expected);
  });

  it.each([
    ['(a', 'missing closing )'],
    ['[b-a]', 'invalid character class range'],
    ['a**', 'invalid nested repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['((((a{10}){10}){10}){10})', 'invalid repeat count'],
    ['('.repeat(2000) + ')'.repeat(2000), 'nests too deeply'],
  ])('is refused: %s', (written, problem) => {
    expect(compilePattern(written)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it('answers at once where a backtracking one would not', () => {
    const written = `^${'(a*)*'.repeat(20)}b$`;
    expect(matches(written, 'a'.repeat(200))).toBe(false);
    expect(matches(written, `${'a'.repeat(200)}b`)).toBe(true);
  });
});
