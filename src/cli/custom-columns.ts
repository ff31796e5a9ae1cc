// -o custom-columns and --sort-by, as kubectl has them: which columns, what is in them, and the order of objects by what a path
// finds. Pure.
import type { Manifest } from '../agent/store/manifest.ts';
import { DataplaneError } from '../base/errors.ts';
import { visibleText } from './hostile-text.ts';
import { findValues } from './jsonpath/evaluate.ts';
import { parsePath, type Step } from './jsonpath/template.ts';
import { NONE } from './object-columns.ts';

export interface CustomColumn {
  readonly title: string;
  readonly path: readonly Step[];
}

/** Between columns: a comma with a title and a colon behind it. Others belong to a path. */
const BETWEEN = /,(?=[^,:[\](){}]+:)/;
const NATURAL = new Intl.Collator('en', { numeric: true });

/** `NAME:.metadata.name,ORDER:.spec.order`. Throws USAGE. */
export function parseColumns(text: string): readonly CustomColumn[] {
  return text.split(BETWEEN).map((one) => {
    const colon = one.indexOf(':');
    const [title, path] = [one.slice(0, colon).trim(), one.slice(colon + 1)];
    if (colon === -1 || title === '' || path.trim() === '') {
      throw new DataplaneError('USAGE', 'is no column', {
        operation: 'read',
        target: 'custom-columns',
        found: JSON.stringify(one),
        expected: 'TITLE:PATH, such as NAME:.metadata.name',
      });
    }
    return { title, path: parsePath(path) };
  });
}

/** A cell of each column, on one line. */
export function cellsOf(object: unknown, columns: readonly CustomColumn[]): readonly string[] {
  return columns.map(({ path }) => {
    const values = findValues(path, object).map(show);
    return values.length === 0 ? NONE : values.join(',');
  });
}

/**
 * The objects by what the path finds in each, those without it first; what is equal stays in its order. Throws USAGE when it
 * finds nothing in any of them.
 */
export function sortObjects(objects: readonly Manifest[], path: string): readonly Manifest[] {
  const steps = parsePath(path);
  const keyed = objects.map((object) => ({ object, key: findValues(steps, object)[0] ?? undefined }));
  if (keyed.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw new DataplaneError('USAGE', 'no object has such a field', {
      operation: 'sort by',
      target: path,
      hint: 'tortie get KIND -o yaml shows the fields that there are',
    });
  }
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ object }) => object);
}

function show(value: unknown): string {
  if (value === null) return NONE;
  return visibleText(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Numbers by their size and before text; digits in text by the numbers they are. */
function compare(left: unknown, right: unknown): number {
  const byRank = rankOf(left) - rankOf(right);
  if (byRank !== 0 || left === undefined) return byRank;
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return NATURAL.compare(textOf(left), textOf(right));
}

function rankOf(value: unknown): number {
  if (value === undefined) return 0;
  return typeof value === 'number' ? 1 : 2;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
