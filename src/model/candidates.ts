// Several resources may stand for one model object: a WorkloadEndpoint and the pod it belongs to, a Profile and a
// namespace, a Tier and the built-in of its name. This keeps all of them and says which one counts.
import type { ModelObject } from './world.ts';

/** Lower counts more. */
export const RANK = { written: 0, derived: 1, builtIn: 2 } as const;

interface Candidate {
  readonly source: string;
  readonly rank: number;
  readonly object: ModelObject;
}

/** Identity of a model object across types. */
export function slotOf(object: Pick<ModelObject, 'type' | 'key'>): string {
  return `${object.type} ${object.key}`;
}

export class Candidates {
  readonly #slots = new Map<string, Candidate[]>();

  add(source: string, rank: number, object: ModelObject): void {
    const slot = slotOf(object);
    const candidates = this.#slots.get(slot);
    if (candidates === undefined) this.#slots.set(slot, [{ source, rank, object }]);
    else candidates.push({ source, rank, object });
  }

  remove(source: string, object: ModelObject): void {
    const slot = slotOf(object);
    const rest = (this.#slots.get(slot) ?? []).filter((candidate) => candidate.source !== source);
    if (rest.length === 0) this.#slots.delete(slot);
    else this.#slots.set(slot, rest);
  }

  /** The one that counts: by rank, then by its source's id, so that the order of arrival does not matter. */
  best(slot: string): ModelObject | undefined {
    const candidates = this.#slots.get(slot);
    if (candidates === undefined) return undefined;
    return candidates.reduce((a, b) => (isBefore(a, b) ? a : b)).object;
  }
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank === b.rank ? a.source <= b.source : a.rank < b.rank;
}
