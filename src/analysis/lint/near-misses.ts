// Labels and values that selectors name and nothing has, though something has nearly that.
import type { Selector } from '../../model/selector/ast.ts';
import { nearestName } from '../../resources/nearest.ts';
import { plainLabel } from '../describe-selector.ts';
import type { LabelVocabulary } from '../inventory.ts';

/** A label or a value that occurs nowhere, and what was probably meant. */
export interface NearMiss {
  readonly label: string;
  /** undefined = the label itself is the one that does not occur. */
  readonly value?: string;
  readonly meant: string;
}

/** A label with a value that a selector names; value undefined = the label alone. */
export interface Atom {
  readonly label: string;
  readonly value?: string;
}

/** Names are compared with at most so many others in one run: a cluster may have a value for every pod. */
const MAX_COMPARISONS = 1_000_000;

export class NearMisses {
  readonly #vocabulary: LabelVocabulary;
  readonly #known = new Map<string, string | undefined>();
  #comparisonsLeft = MAX_COMPARISONS;

  constructor(vocabulary: LabelVocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** In the order of the selector. */
  in(selector: Selector): NearMiss[] {
    const atoms = atomsOf(selector);
    const named = new Set(atoms.map(({ value }) => value));
    const misses = atoms.map((atom) => this.#nearMiss(atom, named)).filter((miss) => miss !== undefined);
    return misses.filter(
      (miss, index) => misses.findIndex((other) => describeMiss(other) === describeMiss(miss)) === index,
    );
  }

  #nearMiss({ label, value }: Atom, named: ReadonlySet<string | undefined>): NearMiss | undefined {
    const values = this.#vocabulary.get(label);
    if (values === undefined) {
      const meant = this.#nearest('', label, this.#vocabulary.keys(), this.#vocabulary.size);
      return meant === undefined ? undefined : { label, meant };
    }
    if (value === undefined || values.has(value)) return undefined;
    const meant = this.#nearest(label, value, values.keys(), values.size);
    return meant === undefined || named.has(meant) ? undefined : { label, value, meant };
  }

  /** web-1 is no slip for web-2. */
  #nearest(scope: string, name: string, candidates: Iterable<string>, count: number): string | undefined {
    const key = JSON.stringify([scope, name]);
    if (this.#known.has(key)) return this.#known.get(key);
    if (count > this.#comparisonsLeft) return undefined;
    this.#comparisonsLeft -= count;
    const isLikely = (candidate: string): boolean =>
      Math.abs(candidate.length - name.length) <= Math.max(1, name.length / 3) &&
      withoutDigits(candidate) !== withoutDigits(name);
    const found = nearestName(name, [...candidates].filter(isLikely));
    this.#known.set(key, found);
    return found;
  }
}

/** `nothing has the label "ap": did you mean "app"?` */
export function describeMiss({ label, value, meant }: NearMiss): string {
  const unknown =
    value === undefined
      ? `nothing has the label ${JSON.stringify(plainLabel(label))}`
      : `no ${plainLabel(label)} is ${JSON.stringify(value)}`;
  return `${unknown}: did you mean ${JSON.stringify(value === undefined ? plainLabel(meant) : meant)}?`;
}

/** Every label and value that a selector compares with, negated ones included. */
export function atomsOf(selector: Selector): Atom[] {
  switch (selector.kind) {
    case 'has':
      return [{ label: selector.label }];
    case 'equals':
    case 'notEquals':
      return [{ label: selector.label, value: selector.value }];
    case 'in':
    case 'notIn':
      return selector.values.map((value) => ({ label: selector.label, value }));
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return [{ label: selector.label }];
    case 'not':
      return atomsOf(selector.operand);
    case 'and':
    case 'or':
      return selector.operands.flatMap(atomsOf);
    default:
      return [];
  }
}

function withoutDigits(text: string): string {
  return text.replaceAll(/\d+/g, '0');
}
