import { describe, expect, it } from 'vitest';
import { decodeHeader } from '../../../src/tables/adoption.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import type { TableArrays } from '../../../src/tables/lookup.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';
import { answersOf, ChangingWorld } from './changing-world.ts';

const WORLDS = 4;
const STEPS = 12;
const FLOWS = 40;

interface History {
  readonly world: ChangingWorld;
  readonly random: Random;
  /** As the kernel holds them, with the last image in force. */
  readonly arrays: TableArrays;
  readonly image: TableImage;
  readonly regionWords: number;
}

/** A policy that has changed for a while under one agent, which is gone. */
function liveThrough(seed: number, index: number): History {
  const random = new Random(seed, index);
  const world = new ChangingWorld(random);
  const compiler = new TableCompiler();
  let image = compiler.compile(world.state);
  for (let step = 0; step < STEPS; step += 1) {
    for (let change = random.between(1, 4); change > 0; change -= 1) world.change();
    image = compiler.compile(world.state);
    compiler.retireOlderImages();
  }
  const arrays = { heap: compiler.heap.words.slice(), v6Nodes: compiler.v6Nodes.words.slice() };
  return { world, random, arrays, image, regionWords: compiler.heap.regionWords };
}

function wordsOf({ written }: TableImage): number {
  return written.heap.reduce((sum, { length }) => sum + length, 0);
}

/** Makes of the header what an older agent, or somebody else, may have left there. */
type Spoil = (rest: Uint32Array, random: Random) => void;

const SPOILS: readonly (readonly [string, Spoil])[] = [
  ['says nothing', (rest) => void rest.fill(0)],
  ['says something impossible', (rest) => void rest.fill(0xffffffff)],
  [
    'has other words here and there',
    (rest, random) => {
      for (let at = random.between(0, 3); at < rest.length; at += random.between(1, 20))
        rest[at] = random.between(0, 70);
    },
  ],
];

describe('a compiler that takes over an image', () => {
  it('shares nearly everything if the policy is the same, whatever it was before', { timeout: 60_000 }, () => {
    const seed = newSeed('adopting writes nothing');
    for (let index = 0; index < WORLDS; index += 1) {
      const { world, random, arrays, image, regionWords } = liveThrough(seed, index);
      const adopting = new TableCompiler();
      adopting.adopt(arrays, image.root);
      const adopted = adopting.compile(world.state);
      expect(adopted.root.l4Classes).toBe(image.root.l4Classes);
      expect(adopted.root.sourceClasses).toBe(image.root.sourceClasses);
      expect(adopted.root.v4Root).toBe(image.root.v4Root);
      expect(adopted.root.v6Root).toBe(image.root.v6Root);
      expect(wordsOf(adopted)).toBeLessThan(regionWords / 8);
      const flows = Array.from({ length: FLOWS }, () => world.flow());
      const fresh = new TableCompiler();
      expect(answersOf(adopting, adopted, flows)).toEqual(answersOf(fresh, fresh.compile(world.state), flows));
      for (let change = random.between(1, 4); change > 0; change -= 1) world.change();
      const changed = adopting.compile(world.state);
      const after = new TableCompiler();
      expect(answersOf(adopting, changed, flows)).toEqual(answersOf(after, after.compile(world.state), flows));
    }
  });

  it.each(SPOILS)('answers as a new one does when the header %s', (_what, spoil) => {
    const seed = newSeed('adopting a spoilt header');
    const { world, random, arrays, image } = liveThrough(seed, 0);
    const header = decodeHeader(arrays.heap, image.root);
    spoil(header?.rest as Uint32Array, random);
    const adopting = new TableCompiler();
    adopting.adopt(arrays, image.root);
    const flows = Array.from({ length: FLOWS }, () => world.flow());
    const fresh = new TableCompiler();
    const answers = answersOf(adopting, adopting.compile(world.state), flows);
    expect(answers).toEqual(answersOf(fresh, fresh.compile(world.state), flows));
  });

  it('takes over nothing where no header is', () => {
    const { world, arrays, image } = liveThrough(newSeed('no header'), 0);
    const compiler = new TableCompiler();
    compiler.adopt(arrays, { ...image.root, directory: image.root.directory + 1 });
    expect(compiler.heap.regionCount).toBe(0);
    compiler.adopt(arrays, { ...image.root, directoryRegions: arrays.heap.length });
    expect(compiler.heap.regionCount).toBe(0);
    expect(wordsOf(compiler.compile(world.state))).toBe(compiler.heap.regionWords);
  });
});
