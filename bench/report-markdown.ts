// The report that people read: targets first, then each section with its figures, and how all of it was measured.
import { type BenchReport, isBusy, runOf, type SectionRun } from './report.ts';
import { formatNumber, formatParams } from './results.ts';
import { judgeTargets, type TargetOutcome } from './targets.ts';

/** Readings of a row so far apart that its value says little. */
const NOISY_SHARE = 0.2;

/** A Markdown document; `figureOf` gives the file of a section's figures. */
export function markdownReport(report: BenchReport, figureOf: (section: string) => string): string {
  const sections = [...new Set(report.results.map(({ section }) => section))];
  return [
    '# Benchmark results',
    machineLine(report),
    ...targetTable(judgeTargets(report)),
    ...sections.flatMap((section) => [sectionText(report, section), `![${section}](${figureOf(section)})`]),
    RULES,
  ].join('\n\n');
}

/** `met`, `missed`, and the floor where one is known. */
export function describeOutcome({ isMet, floor }: TargetOutcome): string {
  const verdict = isMet ? 'met' : '**missed**';
  return floor === undefined ? verdict : `${verdict}; floor ${formatNumber(floor.value)} ${floor.unit}`;
}

export function describeTarget({ target }: TargetOutcome): string {
  return `${target.compare} ${formatNumber(target.limit)}`;
}

const RULES = `## How to read this

- A value is the median of all rounds, \`±\` half the distance between their quartiles. No reading is left out as an
  outlier: neither figure moves with a few wild ones. Rows whose spread is more than a fifth of their value are marked *noisy*.
- Rounds of everything that a section compares alternate, so that a disturbance hits all alike. The first round warms up.
- An exponent of 0 means that the cost does not depend on the size, 1 that it is proportional to it.
`;

function machineLine({ machine, runs }: BenchReport): string {
  const { cpu, cpus, kernel, node, memoryBytes } = machine;
  const busy = Object.entries(runs).filter(([, { load1m }]) => isBusy(load1m));
  const memory = `${Math.round(Number(memoryBytes) / 2 ** 30)} GiB`;
  const line = `${cpu}, ${cpus} CPUs, ${memory}, Linux ${kernel}, Node ${node}.`;
  if (busy.length === 0) return line;
  const which = busy.map(([section, { load1m }]) => `${section} (load ${load1m})`).join(', ');
  return `${line}\n\n**The machine was busy with other work** during ${which}: those figures are worse than it can do.`;
}

function targetTable(outcomes: readonly TargetOutcome[]): string[] {
  if (outcomes.length === 0) return [];
  const rows = outcomes.map((outcome) => {
    const { target, value, unit } = outcome;
    const row = `\`${target.row.section} ${target.row.name}\` ${formatParams(target.row.params)}`.trim();
    return [target.text, row, describeTarget(outcome), `${formatNumber(value)} ${unit}`, describeOutcome(outcome)];
  });
  return ['## Targets', table(['what', 'row', 'target', 'measured', ''], rows)];
}

function sectionText(report: BenchReport, section: string): string {
  const { results, fits } = report;
  const rows = results
    .filter((row) => row.section === section)
    .map(({ name, params, value, unit, spread }) => [
      name,
      formatParams(params),
      `${formatNumber(value)} ${unit}`,
      `± ${formatNumber(spread)}${spread > NOISY_SHARE * Math.abs(value) ? ' *noisy*' : ''}`,
    ]);
  const growth = fits
    .filter((fit) => fit.section === section)
    .map(({ name, params, over, sizes, exponent }) => [
      name,
      formatParams(params),
      `${over} ${sizes.map(formatNumber).join(' ')}`,
      String(exponent),
    ]);
  const own = new Set(report.results.filter((row) => row.section === section).map((row) => runOf(report, row)));
  const parts = [`## ${section}`, ...[...own].map(runLine), table(['name', 'params', 'value', 'spread'], rows)];
  if (growth.length > 0) parts.push(table(['growth of', 'params', 'over', 'exponent'], growth));
  return parts.filter((part) => part !== '').join('\n\n');
}

function runLine(run: SectionRun | undefined): string {
  if (run === undefined) return '';
  const place = run.cpu === undefined ? 'not pinned by the harness' : `pinned to CPU ${run.cpu}`;
  return `${run.date}, ${run.rounds} rounds, ${Math.round(run.seconds)} s, load ${run.load1m} before, ${place}.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
