import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
// biome-ignore lint/correctness/useImportExtensions: its types lie beside it, in all.d.mts
import { allMutants } from '../../../tools/mutants/list/all.mjs';

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
