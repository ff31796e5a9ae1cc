// The exact difference of two policy states, as data: sentences that together say everything that changed and nothing
// else, each with a packet that proves it.
import { formatAddress } from '../../model/address.ts';
import { classifyJointly } from '../joint-classes.ts';
import type { AddressGroup, Both } from './address-groups.ts';
import { ListCatalog } from './catalog.ts';
import { FamilyView } from './family-view.ts';
import { FlowJudge } from './judge.ts';
import type { Networks } from './network-names.ts';
import { PairCounts } from './pair-counts.ts';
import type { Person } from './people.ts';
import { type Phrase, type PlacedRectangle, phraseChanges } from './phrases.ts';
import type { PolicyState } from './policy-state.ts';
import { findWitness, type Witness } from './witness.ts';

/** Who is on one side of a rectangle. */
export interface Side {
  /** Endpoints with all their addresses of the family that are theirs before and after; or all such but these. */
  readonly endpoints: readonly string[] | { readonly allBut: readonly string[] };
  /** Other addresses of endpoints: of one that is meant in part, or that are an endpoint's on one side only. */
  readonly addresses: readonly string[];
  /** Addresses that are no endpoint's; endpoints' addresses inside them are not meant. */
  readonly outside: Networks;
}

export interface SideCounts {
  readonly endpoints: number;
  /** Addresses that are no endpoint's, in decimal: there may be 2^128. */
  readonly outsideAddresses: string;
}

export interface Sentence extends Witness {
  readonly change: { readonly before: 'allow' | 'deny'; readonly after: 'allow' | 'deny' };
  readonly from: string;
  readonly to: string;
  readonly services: readonly string[];
  readonly families: readonly number[];
  /** The sentence holds for each of these, within it. */
  readonly namespaces?: readonly string[];
  readonly counts: { readonly from: SideCounts; readonly to: SideCounts; readonly endpointPairs: number };
  readonly rectangles: readonly { readonly family: number; readonly from: Side; readonly to: Side }[];
}

export interface Presence {
  readonly change: 'appears' | 'vanishes' | 'passed';
  readonly endpoint: string;
  readonly address: string;
  /** Who had the address, when it passed from one endpoint to another. */
  readonly previous?: string;
}

export interface Difference {
  readonly sentences: readonly Sentence[];
  /** Addresses that are an endpoint's on one side only, or another endpoint's. */
  readonly presence: readonly Presence[];
  /** Policies of host endpoints, before or after: what they say is not compared. */
  readonly hostPolicies: readonly string[];
  readonly summary: {
    readonly sentences: number;
    /** Ordered pairs of endpoints with something lost, and with something gained. */
    readonly pairsLosing: number;
    readonly pairsGaining: number;
    /** Endpoints at either end of a change. */
    readonly endpoints: number;
  };
}

const NO_DIFFERENCE: Omit<Difference, 'hostPolicies'> = {
  sentences: [],
  presence: [],
  summary: { sentences: 0, pairsLosing: 0, pairsGaining: 0, endpoints: 0 },
};

/** The same whatever the order of documents and objects. Throws INTERNAL if a sentence is not true of its witness. */
export function findDifference(states: Both<PolicyState>): Difference {
  const hostPolicies = [...new Set(states.flatMap(({ hostPolicies: own = [] }) => own))].sort();
  if (states[0].desired === states[1].desired) return { ...NO_DIFFERENCE, hostPolicies };
  const joint = classifyJointly(states.map(({ desired }) => desired));
  const catalog = new ListCatalog(joint);
  const ids = new Map<string, number>();
  const views = ([4, 6] as const).map((family) => new FamilyView(states, joint, catalog, family, ids));
  const judges: Both<FlowJudge> = [new FlowJudge(states[0].world), new FlowJudge(states[1].world)];
  const totals = { lost: new PairCounts(ids.size), gained: new PairCounts(ids.size) };
  const sentences = phraseChanges(views)
    .map((phrase) => {
      for (const rectangle of phrase.rectangles) totals[phrase.kind].add(rectangle);
      return sentenceOf(phrase, ids.size, judges);
    })
    .sort(compareSentences);
  return {
    sentences,
    presence: views.flatMap(presenceOf),
    hostPolicies,
    summary: {
      sentences: sentences.length,
      pairsLosing: totals.lost.pairs,
      pairsGaining: totals.gained.pairs,
      endpoints: new Set([...totals.lost.endpoints, ...totals.gained.endpoints]).size,
    },
  };
}

function sentenceOf(
  { kind, from, to, services, namespaces, rectangles }: Phrase,
  endpointCount: number,
  judges: Both<FlowJudge>,
): Sentence {
  const counts = new PairCounts(endpointCount);
  for (const rectangle of rectangles) counts.add(rectangle);
  const isLost = kind === 'lost';
  return {
    change: { before: isLost ? 'allow' : 'deny', after: isLost ? 'deny' : 'allow' },
    from,
    to,
    services,
    families: [...new Set(rectangles.map(({ view }) => view.family))],
    namespaces,
    counts: {
      from: { endpoints: counts.sources, outsideAddresses: String(outsideAddresses(rectangles, 'sources')) },
      to: { endpoints: counts.destinations, outsideAddresses: String(outsideAddresses(rectangles, 'destinations')) },
      endpointPairs: counts.pairs,
    },
    ...findWitness(rectangles[0] as PlacedRectangle, kind, judges),
    rectangles: rectangles.map(({ view, sources, destinations }) => ({
      family: view.family,
      from: sideOf(view, sources),
      to: sideOf(view, destinations),
    })),
  };
}

function outsideAddresses(rectangles: readonly PlacedRectangle[], side: 'sources' | 'destinations'): bigint {
  const groups = new Set<AddressGroup>();
  for (const { view, [side]: indexes } of rectangles) for (const group of view.freeGroups(indexes)) groups.add(group);
  return [...groups].reduce((sum, { addressCount }) => sum + addressCount, 0n);
}

function sideOf(view: FamilyView, indexes: readonly number[]): Side {
  const owned = view.ownedBy(indexes);
  const counts = new Map<Person, number>();
  for (const { person } of owned) counts.set(person, (counts.get(person) ?? 0) + 1);
  const isWhole = (person: Person): boolean => person.presence === 'kept' && counts.get(person) === person.addressCount;
  const whole = [...counts.keys()].filter(isWhole);
  const isMost = 2 * whole.length > view.people.kept.length;
  const left = isMost ? view.people.kept.filter((person) => !isWhole(person)) : [];
  return {
    endpoints: isMost ? { allBut: namesOf(left) } : namesOf(whole),
    addresses: owned.filter(({ person }) => !isWhole(person)).map(({ address }) => address),
    outside: view.networks.networks(view.freeGroups(indexes)),
  };
}

function namesOf(people: readonly Person[]): string[] {
  return people.map(({ name }) => name).sort();
}

function presenceOf(view: FamilyView): Presence[] {
  return view.groups
    .flatMap(({ owned }) => owned)
    .flatMap(({ address, owners: [before, after] }): Presence[] => {
      if (before?.key === after?.key) return [];
      const shown = after ?? before;
      const change = before === undefined ? 'appears' : after === undefined ? 'vanishes' : 'passed';
      const previous = change === 'passed' ? before?.displayName : undefined;
      return [{ change, endpoint: shown?.displayName ?? '', address: formatAddress(address), previous }];
    })
    .sort((a, b) => compareText(a.endpoint, b.endpoint) || compareText(a.address, b.address));
}

/** What is lost first, then what concerns most. */
function compareSentences(a: Sentence, b: Sentence): number {
  return (
    compareText(a.change.before, b.change.before) ||
    b.counts.endpointPairs - a.counts.endpointPairs ||
    compareText(textOf(a), textOf(b))
  );
}

function textOf({ from, to, services, namespaces = [] }: Sentence): string {
  return [from, to, ...services, ...namespaces].join('\n');
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
