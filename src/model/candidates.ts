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

export class Candidates {
  /** By type, by key; a list only where there are several, which is rare. */
  readonly #slots = new Map<ModelType, Map<string, Candidate | Candidate[]>>();

  add(candidate: Candidate): void {
    const { object } = candidate;
    const slots = this.#slots.get(object.type) ?? new Map<string, Candidate | Candidate[]>();
    this.#slots.set(object.type, slots);
    const known = slots.get(object.key);
    slots.set(object.key, known === undefined ? candidate : [...listOf(known), candidate]);
  }

  remove(source: string, { type, key }: ModelObject): void {
    const slots = this.#slots.get(type);
    const [first, ...others] = listOf(slots?.get(key)).filter((candidate) => candidate.source !== source);
    if (first === undefined) slots?.delete(key);
    else slots?.set(key, others.length === 0 ? first : [first, ...others]);
  }

  /** The one that counts: by rank, then by its source's id, so that the order of arrival does not matter. */
  best(type: ModelType, key: string): ModelObject | undefined {
    const candidates = this.#slots.get(type)?.get(key);
    if (candidates === undefined) return undefined;
    if (!Array.isArray(candidates)) return candidates.object;
    return candidates.reduce((a, b) => (isBefore(a, b) ? a : b)).object;
  }
}

function listOf(candidates: Candidate | readonly Candidate[] | undefined): readonly Candidate[] {
  if (candidates === undefined) return [];
  return Array.isArray(candidates) ? candidates : [candidates as Candidate];
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank === b.rank ? a.source <= b.source : a.rank < b.rank;
}
