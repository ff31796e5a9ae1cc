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
