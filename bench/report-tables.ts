// Tables of results inside documents: whatever stands between two marks is written anew from a report.
//
//   <!-- bench SECTION NAME,NAME [by PARAM] -->    <!-- bench targets [SECTION,SECTION] -->
//   ...
//   <!-- /bench -->

import type { BenchReport } from './report.ts';
import { describeOutcome } from './report-markdown.ts';
import { type BenchResult, formatNumber, formatParams, rowId } from './results.ts';
import { judgeTargets } from './targets.ts';

const MARKED = /(<!-- bench ([^\n]*?) -->\n)[\s\S]*?(<!-- \/bench -->)/g;
const ROWS = /^(\S+) (.+?)(?: by (.+))?$/;

/** The document with its tables as the report has them. Throws for a mark that names rows which are not there. */
export function fillTables(document: string, report: BenchReport): string {
  return document.replaceAll(MARKED, (_, open: string, request: string, close: string) => {
    const [kind, sections] = request.split(' ');
    const lines = kind === 'targets' ? targetTable(report, sections?.split(',')) : rowTable(report, request);
    return `${open}\n${lines.join('\n')}\n\n${close}`;
  });
}

function targetTable(report: BenchReport, sections: readonly string[] | undefined): string[] {
  const outcomes = judgeTargets(report).filter(({ target }) => sections?.includes(target.row.section) ?? true);
  const rows = outcomes.map((outcome) => {
    const { target, value, unit } = outcome;
    const params = formatParams(target.row.params);
    const what = params === '' ? target.text : `${target.text} (${params})`;
    const limit = `${target.compare} ${formatNumber(target.limit)}`;
    return [what, limit, `${formatNumber(value)} ${unit}`, describeOutcome(outcome)];
  });
  return table(['what', 'target', 'measured', ''], rows);
}

function rowTable(report: BenchReport, request: string): string[] {
  const [, section, names, by] = ROWS.exec(request) ?? [];
  const wanted = names?.split(',') ?? [];
  const rows = wanted.flatMap((name) => report.results.filter((row) => row.section === section && row.name === name));
  if (rows.length === 0) throw new Error(`bench ${request}: the report has no such rows`);
  if (by === undefined) return table(['row', 'params', 'value'], rows.map(plainRow));
  return pivot(rows, by);
}

function plainRow(row: BenchResult): string[] {
  return [`\`${row.name}\``, formatParams(row.params), describe(row)];
}

/** One column for each value of a param. */
function pivot(rows: readonly BenchResult[], by: string): string[] {
  const columns = [...new Set(rows.map((row) => row.params[by]))].filter((value) => value !== undefined);
  const lines = new Map<string, { readonly head: string[]; readonly cells: Map<number | string, string> }>();
  for (const row of rows) {
    const { [by]: column, ...rest } = row.params;
    const id = rowId({ ...row, params: rest });
    const line = lines.get(id) ?? { head: [`\`${row.name}\``, formatParams(rest)], cells: new Map() };
    line.cells.set(column ?? (columns[0] as number | string), describe(row));
    lines.set(id, line);
  }
  const heads = columns.map((column, index) => {
    const text = typeof column === 'number' ? formatNumber(column) : column;
    return index === 0 ? `${by} ${text}` : text;
  });
  const body = [...lines.values()].map(({ head, cells }) => [...head, ...columns.map((at) => cells.get(at) ?? '')]);
  return table(['row', 'params', ...heads], body);
}

function describe({ value, spread, unit }: BenchResult): string {
  return spread === 0 ? `${formatNumber(value)} ${unit}` : `${formatNumber(value)} ± ${formatNumber(spread)} ${unit}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
