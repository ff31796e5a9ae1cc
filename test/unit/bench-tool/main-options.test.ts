import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../bench/main-options.ts';

const KNOWN = ['verdict', 'xdp', 'instructions'];

describe('command line of the benchmark', () => {
  it('runs all sections in their order, however they are named', () => {
    expect(parseOptions([], KNOWN).sections).toEqual(KNOWN);
    expect(parseOptions(['xdp', 'verdict'], KNOWN).sections).toEqual(['verdict', 'xdp']);
  });

  it.each([
    { argv: [], rounds: 21 },
    { argv: ['--quick'], rounds: 7 },
    { argv: ['--quick', '--rounds', '9'], rounds: 9 },
  ])('takes $rounds rounds for $argv', ({ argv, rounds }) => {
    expect(parseOptions(argv, KNOWN).rounds).toBe(rounds);
  });

  it.each([
    { argv: ['nosuch'], message: 'no section nosuch: there are verdict, xdp, instructions' },
    { argv: ['--rounds', '4'], message: '--rounds 4: expected a whole number, at least 5' },
    { argv: ['--rounds', 'many'], message: '--rounds many: expected a whole number, at least 5' },
    { argv: ['--results', 'a.json'], message: '--results FILE needs --baseline FILE to compare with' },
    { argv: ['xdp', '--write'], message: '--write needs the section instructions' },
    { argv: ['--fast'], message: "Unknown option '--fast'" },
  ])('refuses $argv', ({ argv, message }) => {
    expect(() => parseOptions(argv, KNOWN)).toThrowError(message);
  });
});
