import { describe, expect, it } from 'vitest';
import { decodeIds, encodeIds } from '../../../src/tables/adopted-ids.ts';
import { decodeHeader } from '../../../src/tables/adoption.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';
import { answersOf, ChangingWorld } from './changing-world.ts';

const FLOWS = 40;
/** More blocks than any image of these worlds has. */
const MANY_BLOCKS = 40;

function compile(name: string) {
  const random = new Random(newSeed(name), 0);
  const world = new ChangingWorld(random);
  const compiler = new TableCompiler();
  const image = compiler.compile(world.state);
  return { world, compiler, image };
}

function headerOf(compiler: TableCompiler, { root }: TableImage) {
  const header = decodeHeader(compiler.heap.words, root);
  if (header === undefined) throw new Error('the image has no header');
  return header;
}

describe('the ids of an image', () => {
  it('are found again in its header', () => {
    const { compiler, image } = compile('ids of an image');
    const { rest, sizes } = headerOf(compiler, image);
    expect([...rest]).toEqual([...encodeIds(image.classification)]);
    const { l4, sourcePorts } = image.classification;
    expect(decodeIds(rest, sizes)).toMatchObject({ l4Parents: l4.parents, sourceParents: sourcePorts.parents });
  });

  it.each(['addressClasses', 'pages', 'sourcePortClasses'] as const)(
    'are not believed for another number of %s',
    (size) => {
      const { compiler, image } = compile('ids of another image');
      const { rest, sizes } = headerOf(compiler, image);
      expect(decodeIds(rest, { ...sizes, [size]: sizes[size] + 1 })).toBeUndefined();
      expect(decodeIds(rest, { ...sizes, [size]: sizes[size] - 1 })).toBeUndefined();
    },
  );

  it('make no image bigger, however many they say there are', () => {
    const { world, compiler, image } = compile('too many ids');
    const { rest, sizes } = headerOf(compiler, image);
    const said = [...rest];
    const familiesAt = 2 + (said[0] ?? 0) + (said[1 + (said[0] ?? 0)] ?? 0);
    const header = [...said.slice(0, familiesAt), MANY_BLOCKS, 4, 6, ...new Array<number>(MANY_BLOCKS - 2).fill(4)];
    const heap = compiler.heap.words.slice();
    const directory = heap.length - header.length - 5;
    const { root } = image;
    heap.set(heap.subarray(root.directory, root.directory + 5), directory);
    heap.set(header, directory + 5);
    const adopting = new TableCompiler();
    adopting.adopt(
      { heap, v6Nodes: compiler.v6Nodes.words },
      { ...root, directory, directoryRegions: header.length + 5 },
    );
    const adopted = adopting.compile(world.state);
    expect(adopted.classification.addresses.idLimit).toBe(sizes.addressClasses);
    const flows = Array.from({ length: FLOWS }, () => world.flow());
    expect(answersOf(adopting, adopted, flows)).toEqual(answersOf(compiler, image, flows));
  });
});
