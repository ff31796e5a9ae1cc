import { describe, expect, it } from 'vitest';
import { countChangedObjects, loadStates } from '../../../src/agent/policy-states.ts';
import { findDifference } from '../../../src/analysis/diff/difference.ts';
import type { ModelObject, World } from '../../../src/model/world.ts';
import { editedOf } from '../../support/diff/edits.ts';
import { snapshotOf } from '../../support/diff/states.ts';
import { type Manifest, manifestsOf } from '../../support/worlds/manifests.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

const NOTHING = snapshotOf([]);

/** Objects by type and key, in any order. */
function contentOf(world: World): Map<string, ModelObject> {
  const maps: readonly ReadonlyMap<string, ModelObject>[] = Object.values(world);
  return new Map(maps.flatMap((map) => [...map].map(([key, object]) => [`${object.type} ${key}`, object] as const)));
}

describe('loadStates', () => {
  it('gives each side the state that it has on its own', { timeout: 120_000 }, () => {
    const seed = newSeed('policy states');
    for (let index = 0; index < 25; index += 1) {
      const random = new Random(seed, index);
      const first = manifestsOf(random);
      const [before, after] = [snapshotOf(first), snapshotOf(editedOf(random, first))];
      const pair = loadStates(before, after);
      for (const [side, snapshot] of [before, after].entries()) {
        const [, alone] = loadStates(NOTHING, snapshot);
        const together = pair[side] as (typeof pair)[number];
        expect(together.errors.map(String).sort()).toEqual(alone.errors.map(String).sort());
        expect(contentOf(together.world), `world ${index}`).toEqual(contentOf(alone.world));
        expect(findDifference([alone, together]).sentences, `world ${index}`).toEqual([]);
        expect(findDifference([together, alone]).sentences, `world ${index}`).toEqual([]);
      }
    }
  });
});

describe('countChangedObjects', () => {
  const tier = (name: string, order: number): Manifest => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'Tier',
    metadata: { name },
    spec: { order },
  });
  it.each([
    ['nothing', [tier('a', 1)], [tier('a', 1)], 0],
    ['a move', [tier('a', 1), tier('b', 1)], [tier('b', 1), tier('a', 1)], 0],
    ['an edit', [tier('a', 1)], [tier('a', 2)], 1],
    ['one gone, one new', [tier('a', 1)], [tier('b', 1)], 2],
  ])('counts %s', (_, before, after, expected) => {
    expect(countChangedObjects(snapshotOf(before), snapshotOf(after))).toBe(expected);
  });
});
