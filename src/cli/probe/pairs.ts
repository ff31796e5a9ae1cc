// Pairs of endpoints of this node that policy lets speak to each other, each in its turn.
import { DataplaneError } from '../../base/errors.ts';
import { formatAddress } from '../../model/address.ts';
import type { ProbeProtocol } from '../../observe/probe/report.ts';
import { inCommon, type NamedEnd, type ProbeEnd } from './ends.ts';

export interface ProbePair {
  readonly from: ProbeEnd;
  readonly to: ProbeEnd;
  /** That policy lets through. */
  readonly protocols: readonly ProbeProtocol[];
}

/** Whether policy lets a packet from one address to the other. */
export type Ask = (question: { src: string; dst: string; protocol: ProbeProtocol }) => Promise<boolean>;

export interface PairChoice {
  readonly protocols: readonly ProbeProtocol[];
  readonly family?: '4' | '6';
}

/** Places of ordered pairs of so many, neighbours first: every one is the source of one pair before any is of two. */
export function* orderedPairs(count: number): Generator<readonly [number, number]> {
  for (let offset = 1; offset < count; offset += 1) {
    for (let first = 0; first < count; first += 1) yield [first, (first + offset) % count];
  }
}

/** Those with an interface of this node, by name. Throws NOT_FOUND unless there are two. */
export function probedEnds(ends: readonly NamedEnd[]): readonly NamedEnd[] {
  const local = ends.filter((end) => end.interface !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (local.length > 1) return local;
  throw new DataplaneError('NOT_FOUND', 'needs two endpoints that are enforced', {
    operation: 'probe',
    target: 'endpoints of this node',
    found: String(local.length),
    hint: 'see: tortie endpoint list',
  });
}

/** undefined = they have no family in common, or policy lets neither protocol through. */
export async function choosePair(
  [from, to]: readonly [NamedEnd, NamedEnd],
  { protocols, family }: PairChoice,
  ask: Ask,
): Promise<ProbePair | undefined> {
  const found = inCommon(from, to, family);
  if (found?.from === undefined) return undefined;
  const [src, dst] = [formatAddress(found.from.address), formatAddress(found.to.address)];
  const answers = await Promise.all(protocols.map((protocol) => ask({ src, dst, protocol })));
  const allowed = protocols.filter((_, at) => answers[at]);
  return allowed.length === 0 ? undefined : { from: found.from, to: found.to, protocols: allowed };
}
