// Classes as one policy list tells them apart: two classes that agree in every set which the list mentions get the same
// answers, so a list is walked once for each row and not once for each class.
import type { SetId } from '../calc/resolved.ts';
import type { Family } from '../model/address.ts';
import type { JointClass } from './joint-classes.ts';

/** Classes that a list cannot tell apart. */
export interface PeerRow {
  readonly family: Family;
  /** The mentioned sets that contain them. */
  readonly sets: ReadonlySet<SetId>;
}

/** Sets with more classes are divided once for all lists that mention the same ones. */
const WIDE = 256;

interface WideParts {
  /** Part of each class, by position; parts of the two families differ. */
  readonly partOf: Uint32Array;
  readonly parts: readonly PeerRow[];
  readonly sizes: readonly number[];
}

export class PeerRows {
  readonly #classes: readonly JointClass[];
  readonly #state: number;
  readonly #bySet = new Map<SetId, number[]>();
  readonly #wideParts = new Map<string, WideParts>();

  /** The classes to divide, and the state whose sets lists mention. */
  constructor(classes: readonly JointClass[], state: number) {
    this.#classes = classes;
    this.#state = state;
    for (const [position, { sets }] of classes.entries()) {
      for (const set of sets[state] ?? []) {
        const inSet = this.#bySet.get(set);
        if (inSet === undefined) this.#bySet.set(set, [position]);
        else inSet.push(position);
      }
    }
  }

  /** One row for every combination of the sets that some class shows. */
  rowsOf(sets: ReadonlySet<SetId>): PeerRow[] {
    const narrow = [...sets].filter((set) => this.#size(set) > 0 && this.#size(set) <= WIDE);
    const { partOf, parts, sizes } = this.#partsOf([...sets].filter((set) => this.#size(set) > WIDE));
    const narrowSets = new Map<number, SetId[]>();
    for (const set of narrow) {
      for (const position of this.#bySet.get(set) ?? []) {
        const known = narrowSets.get(position);
        if (known === undefined) narrowSets.set(position, [set]);
        else known.push(set);
      }
    }
    const rest = [...sizes];
    const rows = new Map<string, PeerRow>();
    for (const [position, own] of narrowSets) {
      const part = partOf[position] as number;
      rest[part] = (rest[part] as number) - 1;
      const key = `${part}:${own.join()}`;
      if (rows.has(key)) continue;
      const { family, sets: wide } = parts[part] as PeerRow;
      rows.set(key, { family, sets: new Set([...wide, ...own]) });
    }
    return [...parts.filter((_, part) => (rest[part] as number) > 0), ...rows.values()];
  }

  #size(set: SetId): number {
    return this.#bySet.get(set)?.length ?? 0;
  }

  #partsOf(wide: readonly SetId[]): WideParts {
    const sorted = [...wide].sort((a, b) => a - b);
    const signature = sorted.join();
    const known = this.#wideParts.get(signature);
    if (known !== undefined) return known;
    const ids = new Map<string, number>();
    const parts: PeerRow[] = [];
    const sizes: number[] = [];
    const partOf = new Uint32Array(this.#classes.length);
    for (const [position, { family, sets }] of this.#classes.entries()) {
      const own = sorted.filter((set) => sets[this.#state]?.has(set));
      const key = `${family}:${own.join()}`;
      const part = ids.get(key) ?? parts.push({ family, sets: new Set(own) }) - 1;
      ids.set(key, part);
      partOf[position] = part;
      sizes[part] = (sizes[part] ?? 0) + 1;
    }
    const made = { partOf, parts, sizes };
    this.#wideParts.set(signature, made);
    return made;
  }
}
