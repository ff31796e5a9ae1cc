// Two texts as one with - and + before what differs, in the unified form of diff(1). Pure.

const CONTEXT = 3;

type Line = readonly [mark: ' ' | '-' | '+', text: string];

/** Empty where they are equal. Takes time in proportion to the product of what differs: for objects, not for files. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const [old, young] = [linesOf(before), linesOf(after)];
  const lines = compare(old, young);
  const marks = lines.flatMap(([mark], at) => (mark === ' ' ? [] : [at]));
  const head = [`--- ${before === '' ? '/dev/null' : name}`, `+++ ${after === '' ? '/dev/null' : name}`];
  return [...head, ...hunksOf(marks, lines.length).flatMap(([from, to]) => formatHunk(lines, from, to))].join('\n');
}

function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  return text.replace(/\n$/, '').split('\n');
}

/** The longest common subsequence, once the common start and end are out of the way. */
function compare(old: readonly string[], young: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < old.length && start < young.length && old[start] === young[start]) start += 1;
  let end = 0;
  const room = Math.min(old.length, young.length) - start;
  while (end < room && old[old.length - 1 - end] === young[young.length - 1 - end]) end += 1;
  const same = (text: string): Line => [' ', text];
  return [
    ...old.slice(0, start).map(same),
    ...compareMiddle(old.slice(start, old.length - end), young.slice(start, young.length - end)),
    ...old.slice(old.length - end).map(same),
  ];
}

function compareMiddle(old: readonly string[], young: readonly string[]): Line[] {
  const width = young.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const length = (i: number, j: number): number => lengths[i * width + j] as number;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = young.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        old[i] === young[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < young.length) {
    const [a, b] = [old[i], young[j]];
    if (a !== undefined && a === b) {
      lines.push([' ', a]);
      i += 1;
      j += 1;
    } else if (a !== undefined && (b === undefined || length(i + 1, j) >= length(i, j + 1))) {
      lines.push(['-', a]);
      i += 1;
    } else if (b !== undefined) {
      lines.push(['+', b]);
      j += 1;
    }
  }
  return lines;
}

/** Stretches of lines around the marked ones, [from, to). */
function hunksOf(marks: readonly number[], count: number): readonly (readonly [number, number])[] {
  const hunks: [number, number][] = [];
  for (const at of marks) {
    const [from, to] = [Math.max(0, at - CONTEXT), Math.min(count, at + CONTEXT + 1)];
    const last = hunks.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  return hunks;
}

function formatHunk(lines: readonly Line[], from: number, to: number): string[] {
  const range = (other: '-' | '+', sign: string): string => {
    const of = (slice: readonly Line[]): number => slice.filter(([mark]) => mark !== other).length;
    const [start, count] = [of(lines.slice(0, from)), of(lines.slice(from, to))];
    return `${sign}${count === 0 ? start : start + 1}${count === 1 ? '' : `,${count}`}`;
  };
  return [
    `@@ ${range('+', '-')} ${range('-', '+')} @@`,
    ...lines.slice(from, to).map(([mark, text]) => `${mark}${text}`),
  ];
}
