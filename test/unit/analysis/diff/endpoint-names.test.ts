import { describe, expect, it } from 'vitest';
import { EndpointNames } from '../../../../src/analysis/diff/endpoint-names.ts';
import type { OwnedBy, Person } from '../../../../src/analysis/diff/people.ts';

function personOf(name: string, id: number): Person {
  const [namespace = ''] = name.split('/');
  return { id, name, namespace, presence: 'kept', labels: [], addressCount: 1 };
}

/** Words for some of the endpoints that there are. */
function describeSome(names: readonly string[], some: readonly string[]): string {
  const people = names.map(personOf);
  const owned = people.filter(({ name }) => some.includes(name)).map((person): OwnedBy => ({ person, address: 'any' }));
  const texts = new EndpointNames({ kept: people, noun: 'pod' }).describe(owned);
  return texts.map(({ text }) => text).join(', ');
}

describe('EndpointNames', () => {
  it.each([
    ['the only one there is', ['a/x'], ['a/x'], 'a/x'],
    ['one of two', ['a/x', 'b/y'], ['a/x'], 'a/x'],
    ['all', ['a/x', 'b/y'], ['a/x', 'b/y'], 'all 2 pods'],
    [
      'all but one',
      ['a/1', 'a/2', 'a/3', 'b/4', 'b/5', 'c/6'],
      ['a/1', 'a/2', 'a/3', 'b/4', 'b/5'],
      'all pods but c/6',
    ],
  ])('names %s', (_, names, some, text) => {
    expect(describeSome(names, some)).toBe(text);
  });
});
