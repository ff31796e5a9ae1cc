// Which labels name some objects and no others: the cheapest few conditions, those that people give for good first.
import type { Labels } from '../../calc/label-index.ts';
import {
  NAMESPACE_LABEL,
  NAMESPACE_PREFIX,
  ORCHESTRATOR_LABEL,
  SERVICE_ACCOUNT_LABEL,
  SERVICE_ACCOUNT_PREFIX,
} from '../../model/selector/scope.ts';

/** One condition. `values` of `in` are sorted; one value is `==`. */
export type LabelTerm =
  | { readonly kind: 'in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'absent'; readonly label: string };

export interface LabelChoice {
  readonly terms: readonly LabelTerm[];
  /** Others that the terms match too: no labels tell them apart. */
  readonly extra: number;
}

/** What an application is, by label, the most telling first. */
export const IDENTITY_LABELS: readonly string[] = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  'app.kubernetes.io/instance',
  'app',
  'k8s-app',
  'component',
  'name',
  'role',
  'tier',
];

/** They are another for each replica set, pod or release: a policy that names them is out of date soon. */
const VOLATILE =
  /^(?:pod-template-hash|controller-revision-hash|pod-template-generation|version|(?:app|helm)\.(?:kubernetes\.io\/version|sh\/chart)|(?:statefulset|apps|batch)\.kubernetes\.io\/.*|job-name|controller-uid)$/;
const MAX_CANDIDATES = 16;
const MAX_VALUES = 8;
const COST = { other: 3, serviceAccount: 4, absent: 6, volatile: 20, value: 1 };

interface Candidate {
  readonly term: LabelTerm;
  readonly cost: number;
  /** Places in the list of others. */
  readonly matched: ReadonlySet<number>;
}

export function isVolatileLabel(label: string): boolean {
  return VOLATILE.test(label);
}

/** Labels that are given for good, by which alike workloads are put together; sorted. */
export function stableLabels(labels: Labels): readonly (readonly [string, string])[] {
  return [...labels].filter(([label]) => isOwn(label) && !isVolatileLabel(label)).sort(byLabel);
}

/** Of those, the ones that say what an application is, if there are any. */
export function identityOf(labels: Labels): readonly (readonly [string, string])[] {
  const telling = IDENTITY_LABELS.flatMap((label): (readonly [string, string])[] => {
    const value = labels.get(label);
    return value === undefined ? [] : [[label, value]];
  });
  return telling.length > 0 ? telling : stableLabels(labels);
}

/**
 * Conditions that all members meet and, if labels can say so, none of the others. At least one label that members have is
 * named where there is one, so that what comes later under other labels is not meant.
 */
export function chooseLabels(members: readonly Labels[], others: readonly Labels[]): LabelChoice {
  const positive = positiveCandidates(members, others);
  const candidates = [...positive, ...absentCandidates(members, others)].sort((a, b) => a.cost - b.cost);
  const chosen = smallest(candidates.slice(0, MAX_CANDIDATES)) ?? greedy(candidates);
  const matched = [...others.keys()].filter((at) => chosen.every((each) => each.matched.has(at)));
  const named = [...positive].sort((a, b) => a.cost - b.cost)[0];
  const all = chosen.some(({ term }) => term.kind === 'in') || named === undefined ? chosen : [named, ...chosen];
  return { terms: all.map(({ term }) => term), extra: matched.length };
}

/** As policies write it; `all()` for no terms. */
export function formatTerms(terms: readonly LabelTerm[]): string {
  if (terms.length === 0) return 'all()';
  return terms.map(formatTerm).join(' && ');
}

function formatTerm(term: LabelTerm): string {
  if (term.kind === 'absent') return `!has(${term.label})`;
  const [first = '', ...rest] = term.values.map((value) => `'${value}'`);
  return rest.length === 0 ? `${term.label} == ${first}` : `${term.label} in {${[first, ...rest].join(', ')}}`;
}

function positiveCandidates(members: readonly Labels[], others: readonly Labels[]): Candidate[] {
  const [first] = members;
  if (first === undefined) return [];
  return labelsOf(first)
    .sort()
    .flatMap((label): Candidate[] => {
      const values = [...new Set(members.map((labels) => labels.get(label)))].sort();
      const isCommon = values.every((value) => value !== undefined && isQuotable(value));
      if (!isCommon || values.length > MAX_VALUES) return [];
      const known = values as readonly string[];
      const matched = placesOf(others, (labels) => known.includes(labels.get(label) ?? '\0'));
      const cost = costOf(label) + (known.length - 1) * COST.value;
      return [{ term: { kind: 'in', label, values: known }, cost, matched }];
    });
}

/** Labels that others have and no member has. */
function absentCandidates(members: readonly Labels[], others: readonly Labels[]): Candidate[] {
  const labels = new Set(others.flatMap(labelsOf));
  return [...labels]
    .filter((label) => !members.some((member) => member.has(label)))
    .sort()
    .map((label) => ({
      term: { kind: 'absent', label },
      cost: COST.absent + costOf(label),
      matched: placesOf(others, (other) => !other.has(label)),
    }));
}

/** The cheapest set of one, two or three that leaves no others; undefined = there is none. */
function smallest(candidates: readonly Candidate[]): readonly Candidate[] | undefined {
  let best: { readonly set: readonly Candidate[]; readonly cost: number } | undefined;
  for (const set of subsets(candidates)) {
    const cost = set.reduce((sum, each) => sum + each.cost, 0);
    if (best !== undefined && cost >= best.cost) continue;
    const [{ matched } = { matched: new Set<number>() }, ...rest] = set;
    const isExact = ![...matched].some((at) => rest.every((each) => each.matched.has(at)));
    if (isExact) best = { set, cost };
  }
  return best?.set;
}

function* subsets(candidates: readonly Candidate[]): Generator<readonly Candidate[]> {
  for (const [i, a] of candidates.entries()) {
    yield [a];
    for (let j = i + 1; j < candidates.length; j++) {
      const b = candidates[j] as Candidate;
      yield [a, b];
      for (let k = j + 1; k < candidates.length; k++) yield [a, b, candidates[k] as Candidate];
    }
  }
}

/** One after the other whichever leaves fewest; what is left in the end cannot be told apart. */
function greedy(candidates: readonly Candidate[]): readonly Candidate[] {
  const chosen: Candidate[] = [];
  let left: readonly number[] | undefined;
  for (;;) {
    const before: readonly number[] | undefined = left;
    const leaves = ({ matched }: Candidate): number[] => (before ?? [...matched]).filter((at) => matched.has(at));
    let next: Candidate | undefined;
    let fewest = before?.length ?? Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const count = leaves(candidate).length;
      if (count < fewest) [next, fewest] = [candidate, count];
    }
    if (next === undefined) return chosen;
    chosen.push(next);
    left = leaves(next);
    if (fewest === 0) return chosen;
  }
}

function labelsOf(labels: Labels): string[] {
  return [...labels].map(([label]) => label).filter(isOwn);
}

function placesOf(others: readonly Labels[], isMatched: (labels: Labels) => boolean): Set<number> {
  return new Set([...others.entries()].filter(([, labels]) => isMatched(labels)).map(([at]) => at));
}

function costOf(label: string): number {
  const rank = IDENTITY_LABELS.indexOf(label);
  if (rank >= 0) return 1 + rank / 10;
  if (label === SERVICE_ACCOUNT_LABEL) return COST.serviceAccount;
  return isVolatileLabel(label) ? COST.volatile : COST.other;
}

/** Not what namespaces and service accounts hand down, nor what every workload has. */
function isOwn(label: string): boolean {
  if (label === NAMESPACE_LABEL || label === ORCHESTRATOR_LABEL) return false;
  return !label.startsWith(NAMESPACE_PREFIX) && !label.startsWith(SERVICE_ACCOUNT_PREFIX);
}

/** Selectors have quotes but no way to write one inside them. */
function isQuotable(value: string): boolean {
  return /^[A-Za-z0-9._-]*$/.test(value);
}

function byLabel([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}
