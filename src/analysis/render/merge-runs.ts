// Neighbouring rules with one action that differ in values only -> one rule with a set of tuples, as whoever writes
// nftables by hand would have it: a lookup instead of a walk. Within a run of one action, order does not matter.
import { type Cidr, compareCidrs, containsCidr } from '../../model/address.ts';
import { prefixList } from './prefix-list.ts';
import type { Action, FilterRule, Match, Side, Tuple, TupleField, TupleValue } from './program.ts';

/** A rule with more combinations than this stays a rule. */
const MAX_TUPLES = 1024;
const FINAL_ACTIONS: ReadonlySet<Action['kind']> = new Set(['accept', 'drop', 'return', 'goto']);

type AddressMatch = Extract<Match, { kind: 'address' }>;

/** A rule that is a conjunction of lists of values, of which one is of addresses. */
interface Mergeable {
  readonly fields: readonly TupleField[];
  readonly values: readonly (readonly TupleValue[])[];
  readonly protocols: Match[];
}

/** The same meaning in no more rules. */
export function mergeRuns(rules: readonly FilterRule[]): FilterRule[] {
  const result: FilterRule[] = [];
  let run: FilterRule[] = [];
  let runKey: string | undefined;
  const close = (): void => {
    for (const rule of run.length > 1 ? mergeRun(run) : run) result.push(rule);
    run = [];
  };
  for (const rule of rules) {
    const key = keyOf(rule);
    if (key === undefined || key !== runKey) close();
    runKey = key;
    run.push(rule);
  }
  close();
  return result;
}

/** Rules of equal keys can be merged; undefined = this one cannot. */
function keyOf({ matches, action }: FilterRule): string | undefined {
  if (!FINAL_ACTIONS.has(action.kind)) return undefined;
  const parts = mergeable(matches);
  if (parts === undefined || parts.values.reduce((product, list) => product * list.length, 1) > MAX_TUPLES) {
    return undefined;
  }
  return JSON.stringify([parts.fields, action]);
}

function mergeable(matches: readonly Match[]): Mergeable | undefined {
  const address = matches.filter((match): match is AddressMatch => match.kind === 'address');
  const [only] = address;
  if (only === undefined || address.length > 1) return undefined;
  const fields: TupleField[] = [only.side];
  const values: TupleValue[][] = [only.prefixes.map((cidr) => ({ kind: 'prefix', cidr }))];
  const protocols: Match[] = [];
  for (const match of matches) {
    if ('isNegated' in match && match.isNegated) return undefined;
    if (match.kind === 'protocol') {
      fields.push('protocol');
      values.push(match.protocols.map((protocol) => ({ kind: 'protocol', protocol })));
      protocols.push(match);
    } else if (match.kind === 'ports') {
      fields.push(`${match.side}Port`);
      values.push(match.ranges.map((range) => ({ kind: 'ports', range })));
    } else if (match.kind !== 'address') return undefined;
  }
  return { fields, values, protocols };
}

function mergeRun(run: readonly FilterRule[]): FilterRule[] {
  const first = run[0] as FilterRule;
  const { action } = first;
  const parts = run.map(({ matches }) => mergeable(matches) as Mergeable);
  const { fields } = parts[0] as Mergeable;
  const comment = commentOf(run);
  if (fields.length === 1) {
    const side = fields[0] as Side;
    const prefixes = prefixList(parts.flatMap(({ values }) => values.flat().flatMap(cidrOf)));
    return [{ matches: [{ kind: 'address', side, prefixes, isNegated: false }], action, comment }];
  }
  const protocols = protocolsOf(parts);
  const guards: Match[] =
    protocols.length === 1 || fields.length > 2 ? [{ kind: 'protocol', protocols, isNegated: false }] : [];
  const isKept = (index: number): boolean => protocols.length !== 1 || fields[index] !== 'protocol';
  const keptFields = fields.filter((_, index) => isKept(index));
  const all = parts.flatMap(({ values }) => product(values.filter((_, index) => isKept(index))));
  if (keptFields.length === 1) {
    const prefixes = prefixList(all.flat().flatMap(cidrOf));
    return [
      {
        matches: [...guards, { kind: 'address', side: keptFields[0] as Side, prefixes, isNegated: false }],
        action,
        comment,
      },
    ];
  }
  return layers(all).map((tuples) => ({
    matches: [...guards, { kind: 'tuples', fields: keptFields, tuples, isNegated: false }],
    action,
    comment,
  }));
}

/** What the rules' protocols are, together; none = any. Ports are there to be read in packets of these only. */
function protocolsOf(parts: readonly Mergeable[]): number[] {
  const all = parts.flatMap((part) =>
    part.protocols.flatMap((match) => (match.kind === 'protocol' ? match.protocols : [])),
  );
  return [...new Set(all)].sort((a, b) => a - b);
}

function product(values: readonly (readonly TupleValue[])[]): Tuple[] {
  return values.reduce<Tuple[]>((tuples, list) => tuples.flatMap((tuple) => list.map((one) => [...tuple, one])), [[]]);
}

interface Placed {
  readonly tuple: Tuple;
  readonly cidr: Cidr;
  readonly layer: number;
}

/** Sets of disjoint tuples that together hold all: kernels refuse elements that overlap. Few, mostly one. */
function layers(tuples: readonly Tuple[]): Tuple[][] {
  const placed: Placed[] = tuples.map((tuple) => ({ tuple, cidr: cidrOf(tuple[0])[0] as Cidr, layer: 0 }));
  const result: Tuple[][] = [];
  const open: Placed[] = [];
  for (const { tuple, cidr } of placed.sort((a, b) => compareCidrs(a.cidr, b.cidr))) {
    while (open.length > 0 && !containsCidr((open.at(-1) as Placed).cidr, cidr)) open.pop();
    const overlapping = open.filter((one) => overlaps(one.tuple, tuple));
    if (overlapping.some((one) => covers(one.tuple, tuple))) continue;
    const taken = new Set(overlapping.map(({ layer }) => layer));
    let layer = 0;
    while (taken.has(layer)) layer += 1;
    open.push({ tuple, cidr, layer });
    const known = result[layer];
    if (known === undefined) result[layer] = [tuple];
    else known.push(tuple);
  }
  return result;
}

/** For tuples of which the first's address contains the second's. */
function overlaps(a: Tuple, b: Tuple): boolean {
  return a.every((value, index) => index === 0 || meets(value, b[index] as TupleValue));
}

function meets(a: TupleValue, b: TupleValue): boolean {
  if (a.kind === 'protocol' && b.kind === 'protocol') return a.protocol === b.protocol;
  if (a.kind !== 'ports' || b.kind !== 'ports') return false;
  return a.range.first <= b.range.last && b.range.first <= a.range.last;
}

function covers(a: Tuple, b: Tuple): boolean {
  return a.every((value, index) => {
    const other = b[index] as TupleValue;
    if (value.kind !== 'ports' || other.kind !== 'ports') return true;
    return value.range.first <= other.range.first && other.range.last <= value.range.last;
  });
}

function cidrOf(value: TupleValue | undefined): Cidr[] {
  return value?.kind === 'prefix' ? [value.cidr] : [];
}

function commentOf(run: readonly FilterRule[]): string | undefined {
  const comments = run.flatMap(({ comment }) => comment ?? []);
  const [first] = comments;
  const last = comments.at(-1);
  return first === last ? first : `${first} to ${last}`;
}
