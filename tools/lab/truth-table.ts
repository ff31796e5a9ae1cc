// Many probes against what they ought to find: runs a list of cases and says which disagree. Where the cases come from is not known here.
import { DataplaneError } from '../../src/base/errors.ts';
import type { Peer, ProbeAnswer, ProbeRequest, ProbeResult } from './peer.ts';

export interface TruthCase {
  /** Name of the peer that asks. */
  readonly from: string;
  /** What a person calls the destination. */
  readonly to: string;
  readonly request: ProbeRequest;
  /** Any one of these is right. */
  readonly expected: readonly ProbeResult[];
}

export interface TruthOutcome extends TruthCase {
  readonly answer: ProbeAnswer;
  readonly isAsExpected: boolean;
}

export interface TruthOptions {
  /** Probes in flight at once. A closed case costs its whole timeout, so many should wait together. */
  readonly concurrency?: number;
}

const DEFAULT_CONCURRENCY = 256;

/** Asks every case, in order, several at a time. Outcomes are in the order of the cases. Throws NOT_FOUND for an unknown `from`. */
export async function truthTable(
  peers: ReadonlyMap<string, Peer>,
  cases: readonly TruthCase[],
  options: TruthOptions = {},
): Promise<TruthOutcome[]> {
  const outcomes: TruthOutcome[] = [];
  const queue = cases.entries();
  const work = async () => {
    for (const [index, one] of queue) outcomes[index] = await ask(peers, one);
  };
  const workers = Math.min(options.concurrency ?? DEFAULT_CONCURRENCY, cases.length);
  await Promise.all(Array.from({ length: workers }, work));
  return outcomes;
}

async function ask(peers: ReadonlyMap<string, Peer>, one: TruthCase): Promise<TruthOutcome> {
  const peer = peers.get(one.from);
  if (peer === undefined) {
    throw new DataplaneError('NOT_FOUND', 'no peer of that name', { operation: 'probe from', target: one.from });
  }
  const answer = await peer.probe(one.request);
  return { ...one, answer, isAsExpected: one.expected.includes(answer.result) };
}

function describeCase(one: TruthCase): string {
  const { transport, address, port } = one.request;
  const place = port === undefined ? address : `${address}${address.includes(':') ? ' port ' : ':'}${port}`;
  return `${one.from} -> ${one.to} ${transport} ${place}`;
}

/** One line for each outcome that is not as expected; empty when all are. */
export function describeDisagreements(outcomes: readonly TruthOutcome[]): string[] {
  return outcomes
    .filter((outcome) => !outcome.isAsExpected)
    .map((outcome) => {
      const detail = outcome.answer.detail === undefined ? '' : ` (${outcome.answer.detail})`;
      return `${describeCase(outcome)}: found ${outcome.answer.result}${detail}, expected ${outcome.expected.join(' or ')}`;
    });
}
