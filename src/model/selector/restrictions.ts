// What a selector demands of single labels, so that indexes need not try it on everything. A selector may demand
// more than this says, never less.
import type { Selector } from './ast.ts';

export interface LabelRestriction {
  readonly mustBePresent: boolean;
  readonly mustBeAbsent: boolean;
  /** undefined = any value; empty = nothing can match. */
  readonly mustHaveOneOfValues?: ReadonlySet<string>;
}

export type LabelRestrictions = ReadonlyMap<string, LabelRestriction>;

const NONE: LabelRestrictions = new Map();
const PRESENT: LabelRestriction = { mustBePresent: true, mustBeAbsent: false };
const ABSENT: LabelRestriction = { mustBePresent: false, mustBeAbsent: true };

/** Restrictions that every matching set of labels satisfies, by label. */
export function labelRestrictions(selector: Selector): LabelRestrictions {
  switch (selector.kind) {
    case 'has':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return new Map([[selector.label, PRESENT]]);
    case 'equals':
      return new Map([[selector.label, oneOf([selector.value])]]);
    case 'in':
      return new Map([[selector.label, oneOf(selector.values)]]);
    case 'not':
      return selector.operand.kind === 'has' ? new Map([[selector.operand.label, ABSENT]]) : NONE;
    case 'and':
      return selector.operands.map(labelRestrictions).reduce(mergeAll);
    case 'or':
      return selector.operands.map(labelRestrictions).reduce(mergeAny);
    default:
      return NONE;
  }
}

function oneOf(values: readonly string[]): LabelRestriction {
  return { mustBePresent: true, mustBeAbsent: false, mustHaveOneOfValues: new Set(values) };
}

function mergeAll(a: LabelRestrictions, b: LabelRestrictions): LabelRestrictions {
  const merged = new Map(a);
  for (const [label, right] of b) {
    const left = merged.get(label);
    merged.set(label, left === undefined ? right : both(left, right));
  }
  return merged;
}

function both(left: LabelRestriction, right: LabelRestriction): LabelRestriction {
  const mustBePresent = left.mustBePresent || right.mustBePresent;
  const mustBeAbsent = left.mustBeAbsent || right.mustBeAbsent;
  // Present and absent at once: no value will do.
  if (mustBePresent && mustBeAbsent) return { mustBePresent, mustBeAbsent, mustHaveOneOfValues: new Set() };
  const values = intersect(left.mustHaveOneOfValues, right.mustHaveOneOfValues);
  return { mustBePresent, mustBeAbsent, ...(values === undefined ? {} : { mustHaveOneOfValues: values }) };
}

function intersect(a?: ReadonlySet<string>, b?: ReadonlySet<string>): ReadonlySet<string> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return new Set([...a].filter((value) => b.has(value)));
}

function mergeAny(a: LabelRestrictions, b: LabelRestrictions): LabelRestrictions {
  const merged = new Map<string, LabelRestriction>();
  for (const [label, left] of a) {
    const right = b.get(label);
    const either = right === undefined ? undefined : eitherOf(left, right);
    if (either !== undefined) merged.set(label, either);
  }
  return merged;
}

function eitherOf(left: LabelRestriction, right: LabelRestriction): LabelRestriction | undefined {
  const mustBePresent = left.mustBePresent && right.mustBePresent;
  const mustBeAbsent = left.mustBeAbsent && right.mustBeAbsent;
  if (!mustBePresent && !mustBeAbsent) return undefined;
  const [a, b] = [left.mustHaveOneOfValues, right.mustHaveOneOfValues];
  if (a === undefined || b === undefined) return { mustBePresent, mustBeAbsent };
  return { mustBePresent, mustBeAbsent, mustHaveOneOfValues: new Set([...a, ...b]) };
}
