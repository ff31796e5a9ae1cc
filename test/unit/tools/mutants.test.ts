import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

const LIST = path.resolve('tools/mutants/list/all.mjs');
interface Result {
  readonly name: string;
  readonly state: string;
  readonly test?: string;
  readonly file?: string;
}

interface Table {
  tableOf(results: readonly Result[]): string;
  latestOf(mutants: readonly { name: string }[], written: string, results: readonly Result[]): Result[];
}

const { tableOf, latestOf } = (await import(path.resolve('tools/mutants/document.mjs'))) as Table;
const { allMutants } = (await import(LIST)) as { readonly allMutants: readonly Mutant[] };

describe('the list of defences to take out', () => {
  it('names each once', () => {
    const names = allMutants.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(allMutants)('finds the one place of "$name"', ({ file, before, after }) => {
    expect(readFileSync(file, 'utf8').split(before)).toHaveLength(2);
    expect(after).not.toBe(before);
  });
});

describe('the table of what was noticed', () => {
  const noticed = (name: string, test: string): Result => ({
    name,
    state: 'noticed',
    test,
    file: 'test/packet/a.test.ts',
  });
  const earlier = [
    noticed('a.h: one', 'drops a | b'),
    { name: 'a.h: two: three', state: 'survived' },
    noticed('b.h: gone', 'x'),
    noticed('b.h: again', 'x'),
  ];
  const mutants = ['a.h: one', 'a.h: two: three', 'b.h: again', 'b.h: never run'].map((name) => ({ name }));

  it('keeps what other mutants were found to be', () => {
    const found = latestOf(mutants, tableOf(earlier), [noticed('b.h: again', 'y')]);
    expect(found).toEqual([earlier[0], earlier[1], noticed('b.h: again', 'y')]);
  });

  it('reads every line of the document', () => {
    const text = readFileSync('docs/attacks.md', 'utf8').split('<!-- mutants: written')[1] ?? '';
    const [written = ''] = text.split('<!-- mutants: end -->');
    const rows = written.split('\n').filter((line) => line.startsWith('| ') || line.startsWith('- '));
    expect(latestOf(allMutants, written, [])).toHaveLength(rows.length - 1);
  });
});
