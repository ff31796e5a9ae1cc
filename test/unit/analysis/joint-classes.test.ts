import { describe, expect, it } from 'vitest';
import { classifyJointly } from '../../../src/analysis/joint-classes.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import { containsAddress, type IpAddress } from '../../../src/model/address.ts';
import { editedOf } from '../../support/diff/edits.ts';
import { statesOf } from '../../support/diff/states.ts';
import { manifestsOf } from '../../support/worlds/manifests.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';
import { surroundingsOf } from '../../support/worlds/surroundings.ts';

const WORLDS = 40;

/** The sets that contain the address, by looking at every prefix. */
function setsAt({ prefixes }: DesiredState, address: IpAddress): number[] {
  const sets = new Set<number>();
  for (const { cidr, sets: own } of prefixes.values()) {
    if (containsAddress(cidr, address)) for (const set of own.keys()) sets.add(set);
  }
  return [...sets].sort((a, b) => a - b);
}

describe('classifyJointly', () => {
  it('puts every address into the class of exactly its sets in each state', () => {
    const seed = newSeed('joint classes');
    for (let index = 0; index < WORLDS; index += 1) {
      const random = new Random(seed, index);
      const before = manifestsOf(random);
      const after = editedOf(random, before);
      const desired = statesOf(before, after).map((state) => state.desired);
      const joint = classifyJointly(desired);
      const { owned, edges } = surroundingsOf([...before, ...after]);
      for (const address of [...owned[4], ...owned[6], ...edges[4], ...edges[6]]) {
        const { family, sets } = joint.classOf(address);
        expect(family).toBe(address.family);
        const found = sets.map((own) => [...own].sort((a, b) => a - b));
        expect(found, `world ${index}`).toEqual(desired.map((state) => setsAt(state, address)));
      }
    }
  });

  it('prepares a list that several states share once', () => {
    const [state] = statesOf(manifestsOf(new Random(1, 1)), []);
    const { programs } = classifyJointly([state.desired, state.desired]);
    for (const [list, known] of programs[0] ?? []) expect(programs[1]?.get(list)).toBe(known);
  });
});
