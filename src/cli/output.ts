// Everything commands print: JSON, YAML and aligned tables on standard output, problems on standard error.
// Colour only on a terminal, and never when NO_COLOR is set (no-color.org).
import type { DataplaneError } from '../base/errors.ts';
import { visibleLines } from './hostile-text.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';
export const OUTPUT_FORMATS: readonly OutputFormat[] = ['table', 'json', 'yaml'];

type Paint = 'green' | 'red' | 'yellow' | 'dim' | 'bold';
const CODES: Readonly<Record<Paint, string>> = { green: '32', red: '31', yellow: '33', dim: '2', bold: '1' };

/** The text in colour when standard output is a terminal that wants it. */
export function paint(text: string, colour: Paint): string {
  const isWanted = process.stdout.isTTY === true && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb';
  return isWanted ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(error: DataplaneError): void {
  process.stderr.write(`${error.code}: ${error.message}\n`);
}

export function printWarning(text: string): void {
  process.stderr.write(`warning: ${text}\n`);
}

/** Plain data as JSON or YAML; `table` is the caller's own text, in which what others have named cannot act on the terminal. */
export async function printData(data: unknown, format: OutputFormat, table: () => string): Promise<void> {
  if (format === 'json') print(JSON.stringify(data, null, 2));
  else print(format === 'yaml' ? (await import('yaml')).stringify(data).trimEnd() : visibleLines(table()));
}

/** Columns padded to their widest cell; colour codes do not count. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] as number) - visibleLength(cell)),
      )
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what must not count
  return text.replaceAll(/\u001b\[\d+m/g, '').length;
}
