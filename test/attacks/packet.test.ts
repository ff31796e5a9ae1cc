// Every attack whose bytes are what matters: its verdict and reason, and that nobody else notices it.
import { afterAll, describe, expect, it } from 'vitest';
import { allAttacks } from './support/all-attacks.ts';
import { Arena } from './support/arena.ts';
import { attempt } from './support/judge-attack.ts';

const shared = new Arena();
afterAll(() => shared.close());

describe.each(Object.entries(allAttacks))('an attack (%s):', (_, attacks) => {
  for (const attack of attacks) {
    it(`${attack.name} is ${attack.reason}`, () => {
      expect(attempt(shared, attack)).toBeUndefined();
    });
  }
});
