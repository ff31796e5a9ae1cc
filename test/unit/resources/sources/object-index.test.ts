import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../../src/resources/document.ts';
import type { Resource } from '../../../../src/resources/resource.ts';
import { ObjectIndex } from '../../../../src/resources/sources/object-index.ts';

/** Tiers of these names, one for each line of the file. */
function file(path: string, ...names: readonly string[]): readonly Resource[] {
  const tier = (name: string): string => `{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: ${name}}}\n`;
  return parseDocuments(names.map(tier).join('---\n'), path).resources;
}

const files = (index: ObjectIndex): Record<string, string> =>
  Object.fromEntries([...index.objects].map(([id, { location }]) => [id, `${location.file}:${location.line}`]));

describe('ObjectIndex', () => {
  it('tells what is new, what is gone, and nothing twice', () => {
    const index = new ObjectIndex();
    const before = file('a', 'one', 'two');
    index.replace([], before);
    expect(index.drain()).toEqual({ changed: ['Tier//one', 'Tier//two'], removed: [], before: new Map() });
    expect(index.drain()).toEqual({ changed: [], removed: [], before: new Map() });
    index.replace(before, before.slice(1));
    expect(index.drain()).toEqual({ changed: [], removed: ['Tier//one'], before: new Map([['Tier//one', before[0]]]) });
  });

  it('does not tell of what was read again and stayed the same object', () => {
    const index = new ObjectIndex();
    const before = file('a', 'one', 'two');
    index.replace([], before);
    index.drain();
    const [one] = before as [Resource];
    index.replace(before, [one, ...file('a', 'one', 'two').slice(1)]);
    expect(index.drain()).toMatchObject({ changed: ['Tier//two'], removed: [] });
  });

  it('does not tell of what came and went between two looks', () => {
    const index = new ObjectIndex();
    const short = file('a', 'one');
    index.replace([], short);
    index.replace(short, []);
    expect(index.drain()).toEqual({ changed: [], removed: [], before: new Map() });
  });

  it.each([
    ['a before b', ['a', 'b']],
    ['b before a', ['b', 'a']],
  ])('has the first definition by file in force, whichever came first: %s', (_, order) => {
    const index = new ObjectIndex();
    for (const path of order) index.replace([], file(path, 'one'));
    expect(files(index)).toEqual({ 'Tier//one': 'a:1' });
    expect(index.duplicates().map(({ file: path }) => path)).toEqual(['b']);
  });

  it('has the next definition in force when the first goes', () => {
    const index = new ObjectIndex();
    const [first, second] = [file('a', 'one'), file('b', 'one', 'one')];
    index.replace([], first);
    index.replace([], second);
    expect(index.duplicates()).toHaveLength(2);
    index.drain();
    index.replace(first, []);
    expect(files(index)).toEqual({ 'Tier//one': 'b:1' });
    expect(index.drain()).toEqual({ changed: ['Tier//one'], removed: [], before: new Map([['Tier//one', first[0]]]) });
    index.replace(second, []);
    expect(index.duplicates()).toEqual([]);
    expect(index.objects.size).toBe(0);
  });
});
