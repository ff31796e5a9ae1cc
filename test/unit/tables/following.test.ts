import { describe, expect, it } from 'vitest';
import { cidrOf } from '../../../src/model/address.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';
import { answersOf, ChangingWorld } from './changing-world.ts';

const WORLDS = 4;
const STEPS = 20;
const FLOWS = 40;

describe('a compiler that follows changes', () => {
  it(`answers as a new one does, over ${WORLDS * STEPS} changes`, { timeout: 120_000 }, () => {
    const seed = newSeed('following == new');
    for (let index = 0; index < WORLDS; index += 1) {
      const random = new Random(seed, index);
      const world = new ChangingWorld(random);
      const following = new TableCompiler();
      for (let step = 0; step < STEPS; step += 1) {
        const image = following.compile(world.state);
        const fresh = new TableCompiler();
        const freshImage = fresh.compile(world.state);
        const flows = Array.from({ length: FLOWS }, () => world.flow());
        const ids = [...image.endpointIds.keys()].sort();
        expect(ids).toEqual([...freshImage.endpointIds.keys()].sort());
        expect(answersOf(following, image, flows)).toEqual(answersOf(fresh, freshImage, flows));
        expect(image.counts).toEqual(freshImage.counts);
        if (random.chance(70)) following.retireOlderImages();
        expect(following.compile(world.state).root).toEqual(image.root);
        for (let change = random.between(1, 4); change > 0; change -= 1) world.change();
      }
    }
  });

  it('gives back all that it has no use for any more', () => {
    const world = new ChangingWorld(new Random(newSeed('nothing left'), 0));
    const compiler = new TableCompiler();
    for (let step = 0; step < 40; step += 1) {
      compiler.compile(world.state);
      compiler.retireOlderImages();
      world.change();
    }
    const image = compiler.compile(world.state);
    compiler.retireOlderImages();
    const adopting = new TableCompiler();
    adopting.adopt({ heap: compiler.heap.words, v6Nodes: compiler.v6Nodes.words }, image.root);
    expect(compiler.heap.regionCount).toBe(adopting.heap.regionCount);
    expect(compiler.v6Nodes.regionCount).toBe(adopting.v6Nodes.regionCount);
  });

  it('goes on after a change that is too much, with the ids of the image in force', () => {
    const world = new ChangingWorld(new Random(newSeed('too much'), 0));
    const compiler = new TableCompiler({ heapWords: 2 ** 21, v6Nodes: 4096, limits: { addressClasses: 2000 } });
    const { root } = compiler.compile(world.state);
    compiler.retireOlderImages();
    const many = Array.from({ length: 2000 }, (_, index) =>
      cidrOf({ family: 4, words: [0x0c000000 + 256 * index] }, 24),
    );
    for (const [index, cidr] of many.entries()) world.state.put(cidr, 1000 + index);
    expect(() => compiler.compile(world.state)).toThrow(/address-classes/);
    for (const [index, cidr] of many.entries()) world.state.take(cidr, 1000 + index);
    expect(compiler.compile(world.state).root).toEqual(root);
  });
});
