// npm run bench: measures, writes bench/results/, prints tables, compares with a baseline. The command line is
// main-options.ts.
import { writeFileSync } from 'node:fs';
import { type ComparedRow, compareRows, readTolerances } from './compare.ts';
import { writeInstructionBaseline } from './instructions-baseline.ts';
import { type MainOptions, parseOptions, usage } from './main-options.ts';
import { type BenchReport, EMPTY_REPORT, readReport, rowsOf, withRun, writeReport } from './report.ts';
import { markdownReport } from './report-markdown.ts';
import { sectionSvg } from './report-svg.ts';
import { formatComparison, formatFits, formatOutcomes, formatRows } from './report-text.ts';
import type { BenchResult } from './results.ts';
import { missingNeeds } from './run-needs.ts';
import { runSections } from './run-sections.ts';
import { SECTIONS } from './sections.ts';
import { judgeTargets } from './targets.ts';

const FOLDER = 'bench/results';
const FAILED = 1;
const NOT_STARTED = 2;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(argv: readonly string[]): Promise<number> {
  const known = Object.keys(SECTIONS);
  let options: MainOptions;
  let baseline: BenchReport | undefined;
  try {
    options = parseOptions(argv, known);
    if (options.baseline !== undefined) baseline = requireReport(options.baseline);
    if (baseline !== undefined && options.results !== undefined) {
      return compare(baseline.results, requireReport(options.results).results);
    }
  } catch (error) {
    say(`bench: ${(error as Error).message}`);
    return NOT_STARTED;
  }
  if (options.isHelp) {
    process.stdout.write(usage(known));
    return 0;
  }
  const problems = missingNeeds(options.sections, process.getuid?.() ?? 0, process.env.PATH ?? '');
  for (const problem of problems) say(`bench: ${problem}`);
  return problems.length > 0 ? NOT_STARTED : measure(options, baseline);
}

async function measure(options: MainOptions, baseline: BenchReport | undefined): Promise<number> {
  const { sections: chosen, rounds, isQuick } = options;
  const name = isQuick ? 'quick' : 'latest';
  const path = `${FOLDER}/${name}.json`;
  const before = readReport(path) ?? EMPTY_REPORT;
  let report = before;
  const failed = await runSections({
    sections: SECTIONS,
    chosen,
    rounds,
    isQuick,
    before,
    say,
    onRows: (section, rows, run) => {
      // Read anew: another run may have written its own sections meanwhile.
      report = withRun(readReport(path) ?? EMPTY_REPORT, section, rows, run);
      writeReport(path, report);
      writeFigures(report, name);
    },
  });
  const rows = rowsOf(
    report,
    chosen.filter((section) => !failed.includes(section)),
  );
  print(report, rows, path);
  if (options.isBaselineWritten && !failed.includes('instructions')) say(`written: ${writeInstructionBaseline(rows)}`);
  if (failed.length > 0) say(`bench: failed: ${failed.join(', ')}`);
  const compared = baseline === undefined ? 0 : compare(baseline.results, rows);
  return failed.length > 0 ? FAILED : compared;
}

/** As JSON, Markdown, and one drawing for each section. */
function writeFigures(report: BenchReport, name: string): void {
  const figureOf = (section: string): string => `${name}-${section}.svg`;
  for (const section of new Set(report.results.map((row) => row.section))) {
    writeFileSync(`${FOLDER}/${figureOf(section)}`, sectionSvg(report, section) ?? '');
  }
  writeFileSync(`${FOLDER}/${name}.md`, markdownReport(report, figureOf));
}

function print(report: BenchReport, rows: readonly BenchResult[], path: string): void {
  const sections = new Set(rows.map(({ section }) => section));
  const parts = [
    formatRows(rows),
    formatFits(report.fits.filter(({ section }) => sections.has(section))),
    formatOutcomes(judgeTargets(report).filter(({ target }) => sections.has(target.row.section))),
    `written to ${path} and the files beside it`,
  ];
  process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
}

/** Prints the comparison; the exit code says whether a row is slower than allowed. */
function compare(before: readonly BenchResult[], now: readonly BenchResult[]): number {
  const compared: ComparedRow[] = compareRows(before, now, readTolerances());
  const slower = compared.filter(({ change }) => change === 'slower').length;
  process.stdout.write(`\n${formatComparison(compared)}\n\n${slower} of ${compared.length} rows slower than allowed\n`);
  return slower > 0 ? FAILED : 0;
}

function requireReport(path: string): BenchReport {
  const report = readReport(path);
  if (report === undefined) throw new Error(`${path}: no such file`);
  return report;
}

process.exitCode = await main(process.argv.slice(2));
