// npm run bench [-- SECTION...] [--rounds N]: measures, writes bench/results/latest.json, prints a table.
import { parseArgs } from 'node:util';
import { type BenchResult, writeReport } from './results.ts';
import type { BenchRun } from './run.ts';
import { SECTIONS } from './sections.ts';

const MIN_ROUNDS = 5;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '21' } },
  });
  const rounds = Number(values.rounds);
  const unknown = positionals.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < MIN_ROUNDS) {
    process.stderr.write(
      `usage: npm run bench -- [${Object.keys(SECTIONS).join('|')}] [--rounds N, at least ${MIN_ROUNDS}]\n`,
    );
    return 2;
  }
  const chosen = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const undo: (() => void)[] = [];
  const run: BenchRun = { rounds, isQuick: false, progress, onEnd: (action) => undo.push(action) };
  const results: BenchResult[] = [];
  try {
    for (const name of chosen) results.push(...(await (SECTIONS[name] as (typeof SECTIONS)[string])(run)));
  } finally {
    for (const action of undo.reverse()) action();
  }
  const path = writeReport(results);
  process.stdout.write(`${formatResults(results)}\n\nwritten to ${path}\n`);
  return 0;
}

function formatResults(results: readonly BenchResult[]): string {
  const rows = results.map(({ section, name, params, value, unit, spread }) => [
    `${section} ${name}`,
    Object.entries(params)
      .map(([key, setting]) => `${key} ${setting}`)
      .join(', '),
    `${value} ${unit}`,
    `± ${spread}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

process.exitCode = await main();
