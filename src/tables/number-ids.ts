// Which id each part of a divided number space gets: the one it had, as far as that goes. Ids not in use are spare
// children of a class: whoever keeps values by id keeps for them what it keeps for the class, so that a part that comes
// out of that class later has its values already. Knows no sets.

/** A division with ids. */
export interface NumberIds {
  /** Ids are below this. */
  readonly idLimit: number;
  /** Id of each part. */
  readonly ofPart: Uint32Array;
  /** By id: itself when in use, else the class whose spare child it is. */
  readonly parents: Uint32Array;
}

/** What ids hang on, by part. */
export interface Part {
  /** Number of numbers. */
  readonly size: number;
  /** A number of the part. */
  readonly example: number;
}

/** What is known of the division before. */
export interface FormerIds {
  readonly idLimit: number;
  readonly parents: Uint32Array;
  /** Id of a number. */
  idOf(number: number): number;
  /** A number of the class. */
  exampleOf(id: number): number;
}

export interface SpareOptions {
  /** Spare ids to have when ids are dealt out anew; 0 = none ever. */
  readonly count: number;
  /** The id limit is a multiple of this. */
  readonly multiple: number;
  /** Parts that others are likely to come out of: spares go to them in turn. */
  readonly likely: readonly number[];
}

/** More than this many times what is needed: ids are dealt out anew. */
const MAX_WASTE = 4;

/** `partOf` says in which part a number is. */
export function assignIds(
  parts: readonly Part[],
  partOf: (number: number) => number,
  former: FormerIds | undefined,
  spares: SpareOptions,
): NumberIds {
  const ofPart = new Uint32Array(parts.length);
  const bySize = parts.map((_, part) => part).sort((a, b) => sizeAt(parts, b) - sizeAt(parts, a) || a - b);
  const owner = new Map<number, number>();
  const claim = (id: number, part: number): void => {
    owner.set(id, part);
    ofPart[part] = id;
  };
  const homeless: number[] = [];
  for (const part of bySize) {
    const id = former?.idOf((parts[part] as Part).example);
    if (id === undefined || owner.has(id)) homeless.push(part);
    else claim(id, part);
  }
  const needed = roundUp(parts.length + spares.count, spares.multiple);
  const isKept =
    former !== undefined &&
    former.idLimit <= MAX_WASTE * needed &&
    (spares.count > 0 ? adoptSpares(parts, homeless, former, owner, claim) : false);
  const idLimit = isKept ? former.idLimit : dealOut(bySize, homeless, needed, ofPart, owner, claim, spares);
  const parents = new Uint32Array(idLimit);
  const isDealtAnew = !isKept || former === undefined;
  let turn = 0;
  for (let id = 0; id < idLimit; id += 1) {
    if (owner.has(id)) parents[id] = id;
    else if (!isDealtAnew && former !== undefined) {
      parents[id] = ofPart[partOf(former.exampleOf(former.parents[id] as number))] as number;
    } else {
      parents[id] = ofPart[spares.likely[turn % Math.max(1, spares.likely.length)] ?? 0] as number;
      turn += 1;
    }
  }
  return { idLimit, ofPart, parents };
}

/** Gives each part without an id a spare child of the class it comes out of; false = there are not enough. */
function adoptSpares(
  parts: readonly Part[],
  homeless: readonly number[],
  former: FormerIds,
  owner: ReadonlyMap<number, number>,
  claim: (id: number, part: number) => void,
): boolean {
  if (homeless.length === 0) return true;
  const byParent = new Map<number, number[]>();
  for (let id = former.idLimit - 1; id >= 0; id -= 1) {
    const parent = former.parents[id] as number;
    if (parent === id || owner.has(id)) continue;
    const known = byParent.get(parent);
    if (known === undefined) byParent.set(parent, [id]);
    else known.push(id);
  }
  const found = homeless.map((part) => byParent.get(former.idOf((parts[part] as Part).example))?.pop());
  if (found.includes(undefined)) return false;
  for (const [index, part] of homeless.entries()) claim(found[index] as number, part);
  return true;
}

/** Ids for all parts below a fitting limit, which it returns; parts keep theirs if they can. */
function dealOut(
  bySize: readonly number[],
  homeless: number[],
  needed: number,
  ofPart: Uint32Array,
  owner: Map<number, number>,
  claim: (id: number, part: number) => void,
  spares: SpareOptions,
): number {
  const without = new Set(homeless);
  const fits = (id: number): boolean => id < needed;
  for (const part of bySize) {
    if (without.has(part) || fits(ofPart[part] as number)) continue;
    owner.delete(ofPart[part] as number);
    homeless.push(part);
  }
  let id = 0;
  for (const part of homeless.sort((a, b) => a - b)) {
    while (owner.has(id)) id += 1;
    claim(id, part);
  }
  if (spares.count > 0) return needed;
  return roundUp(ofPart.reduce((highest, each) => Math.max(highest, each), 0) + 1, spares.multiple);
}

function sizeAt(parts: readonly Part[], part: number): number {
  return (parts[part] as Part).size;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
