// Several resources may stand for one model object: a WorkloadEndpoint and the pod it belongs to, a Profile and a
// namespace, a Tier and the built-in of its name. This keeps all of them and says which one counts.
import type { ModelObject, ModelType } from './world.ts';

/** Lower counts more. */
export const RANK = { written: 0, derived: 1, builtIn: 2 } as const;

export interface Candidate {
  readonly source: string;
  readonly rank: number;
  readonly object: ModelObject;
}

/** The place of one model object, and all that stand for it. */
export interface Slot {
  readonly type: ModelType;
  readonly key: string;
  /** A list only where there are several, which is rare. */
  candidates: Candidate | readonly Candidate[] | undefined;
  /** Candidates have come or gone, and nobody has looked since. */
  isTouched: boolean;
}

export class Candidates {
  readonly #slots = new Map<ModelType, Map<string, Slot>>();

  add(candidate: Candidate): Slot {
    const { type, key } = candidate.object;
    let slots = this.#slots.get(type);
    if (slots === undefined) {
      slots = new Map();
      this.#slots.set(type, slots);
    }
    const known = slots.get(key);
    if (known !== undefined) {
      known.candidates = known.candidates === undefined ? candidate : [...listOf(known.candidates), candidate];
      return known;
    }
    const slot: Slot = { type, key, candidates: candidate, isTouched: false };
    slots.set(key, slot);
    return slot;
  }

  /** undefined = there was no such candidate. */
  remove(source: string, { type, key }: ModelObject): Slot | undefined {
    const slot = this.#slots.get(type)?.get(key);
    if (slot === undefined) return undefined;
    const [first, ...others] = listOf(slot.candidates).filter((candidate) => candidate.source !== source);
    slot.candidates = first === undefined || others.length === 0 ? first : [first, ...others];
    return slot;
  }

  /** To be called once the slot has been looked at: what nobody stands for is forgotten. */
  settle(slot: Slot): void {
    slot.isTouched = false;
    if (slot.candidates === undefined) this.#slots.get(slot.type)?.delete(slot.key);
  }
}

/** The one that counts: by rank, then by its source's id, so that the order of arrival does not matter. */
export function bestOf({ candidates }: Slot): ModelObject | undefined {
  if (candidates === undefined) return undefined;
  if (!isList(candidates)) return candidates.object;
  return candidates.reduce((a, b) => (isBefore(a, b) ? a : b)).object;
}

function listOf(candidates: Slot['candidates']): readonly Candidate[] {
  if (candidates === undefined) return [];
  return isList(candidates) ? candidates : [candidates];
}

function isList(candidates: Candidate | readonly Candidate[]): candidates is readonly Candidate[] {
  return Array.isArray(candidates);
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank === b.rank ? a.source <= b.source : a.rank < b.rank;
}
