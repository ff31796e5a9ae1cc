import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KEPT } from './kept.ts';
import { MENDED } from './mended.ts';

const DOCUMENT = 'docs/compatibility.md';

/** Cells of each line of the table under the heading, header left out. */
function table(heading: string): string[][] {
  const section =
    readFileSync(DOCUMENT, 'utf8')
      .split(/^## /m)
      .find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

const subjects = (lines: readonly (readonly string[])[]): string[] => lines.map(([subject = '']) => subject).sort();

describe(DOCUMENT, () => {
  it.each([
    ['Mended', MENDED],
    ['Kept, though surprising', KEPT],
  ])('has one line under "%s" for each choice that is tested, and no other', (heading, choices) => {
    expect(subjects(table(heading))).toEqual(choices.map(({ subject }) => subject).sort());
  });

  it('gives a reason for everything mended', () => {
    for (const cells of table('Mended'))
      expect(
        cells.filter((cell) => cell !== ''),
        cells[0],
      ).toHaveLength(4);
  });

  it.each(table('In the packet path and over time'))(
    'names the test that pins "%s"',
    (_subject, _calico, _tortie, test) => {
      const [, file = '', title = ''] = /^`(.+)`: (.+)$/.exec(test ?? '') ?? [];
      expect(readFileSync(file, 'utf8')).toContain(`'${title}'`);
    },
  );
});
