// The command line of `npm run bench`.
import { parseArgs } from 'node:util';

export const MIN_ROUNDS = 5;
const ROUNDS = 21;
const QUICK_ROUNDS = 7;

export interface MainOptions {
  readonly sections: readonly string[];
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Results to compare with. */
  readonly baseline: string | undefined;
  /** Results to compare instead of measuring. */
  readonly results: string | undefined;
  /** Makes the measured instruction counts the ones that `npm run check` holds the programs to. */
  readonly isBaselineWritten: boolean;
  readonly isHelp: boolean;
}

export function usage(known: readonly string[]): string {
  return `usage: npm run bench -- [SECTION...] [options]

Measures the sections named, or all: ${known.join(', ')}.
Writes bench/results/latest.json, latest.md and one SVG for each section; what did not run keeps its results.

  --quick           smaller sizes and ${QUICK_ROUNDS} rounds, for a look; written to quick.* in place of latest.*
  --rounds N        rounds of what takes seconds, at least ${MIN_ROUNDS}; ${ROUNDS} by default
  --baseline FILE   compares with an earlier latest.json; exit code 1 if a row is slower than bench/tolerance.json allows
  --results FILE    with --baseline: compares these results, and measures nothing
  --write           with the section instructions: its counts become bench/instructions.json
`;
}

/** Throws Error with one sentence that says what is wrong. */
export function parseOptions(argv: readonly string[], known: readonly string[]): MainOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      baseline: { type: 'string' },
      results: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no section ${unknown.join(', ')}: there are ${known.join(', ')}`);
  const rounds = Number(values.rounds ?? (values.quick ? QUICK_ROUNDS : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < MIN_ROUNDS) {
    throw new Error(`--rounds ${values.rounds}: expected a whole number, at least ${MIN_ROUNDS}`);
  }
  if (values.results !== undefined && values.baseline === undefined) {
    throw new Error('--results FILE needs --baseline FILE to compare with');
  }
  const sections = known.filter((name) => positionals.length === 0 || positionals.includes(name));
  if (values.write && !sections.includes('instructions')) throw new Error('--write needs the section instructions');
  return {
    sections,
    rounds,
    isQuick: values.quick,
    baseline: values.baseline,
    results: values.results,
    isBaselineWritten: values.write,
    isHelp: values.help,
  };
}
