// How an image numbers its classes: kept in its header, and taken up by the agent after, whose tables then share all that is
// alike with those in force. Only ever a suggestion: with any numbers, wrong ones included, an image says the same.
import type { Family } from '../model/address.ts';
import { BLOCK_IDS } from './address-ids.ts';
import type { ImageSizes } from './adoption.ts';
import type { Classification } from './classification.ts';
import { PAGE_WORDS } from './layout.ts';
import type { FormerIds } from './number-ids.ts';

/** By id of a partition of numbers its parent (number-ids.ts), by block of class ids the family of addresses. */
export interface ImageIds {
  readonly l4Parents: Uint32Array;
  readonly sourceParents: Uint32Array;
  readonly families: readonly Family[];
}

export function encodeIds({ addresses, l4, sourcePorts }: Classification): Uint32Array {
  const families = Array.from({ length: addresses.idLimit / BLOCK_IDS }, (_, block) =>
    addresses.familyOf(block * BLOCK_IDS),
  );
  const parts = [l4.parents, sourcePorts.parents, Uint32Array.from(families)];
  return Uint32Array.from(parts.flatMap((part) => [part.length, ...part]));
}

/** undefined = it says nothing that could be, or not of an image of these sizes: ids beyond it would be room that is never used. */
export function decodeIds(words: Uint32Array, sizes: ImageSizes): ImageIds | undefined {
  const parts: Uint32Array[] = [];
  for (let at = 0; at < words.length && parts.length < 3; at += 1 + (words[at] as number)) {
    parts.push(words.slice(at + 1, at + 1 + (words[at] as number)));
  }
  const [l4Parents, sourceParents, families] = parts;
  if (l4Parents === undefined || sourceParents === undefined || families === undefined) return undefined;
  if (BLOCK_IDS * families.length !== sizes.addressClasses) return undefined;
  if (Math.ceil(l4Parents.length / PAGE_WORDS) !== sizes.pages) return undefined;
  if (sourceParents.length !== sizes.sourcePortClasses) return undefined;
  if (![l4Parents, sourceParents].every((parents) => parents.every((parent) => parent < parents.length)))
    return undefined;
  if (!families.every((family) => family === 4 || family === 6)) return undefined;
  return { l4Parents, sourceParents, families: [...families] as Family[] };
}

/** `classes` is the table of the image. undefined = it has ids that the partition has not. */
export function formerIdsOf(classes: Uint32Array, parents: Uint32Array): FormerIds | undefined {
  const examples = new Map<number, number>();
  let last: number | undefined;
  for (const [number, id] of classes.entries()) {
    if (id === last) continue;
    if (id >= parents.length) return undefined;
    if (!examples.has(id)) examples.set(id, number);
    last = id;
  }
  return {
    idLimit: parents.length,
    parents,
    idOf: (number) => classes[number] as number,
    exampleOf: (id) => examples.get(id) ?? 0,
  };
}
