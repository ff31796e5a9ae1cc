// Probes of all endpoints of this node: pair after pair, for a person to read, or one every so often for the agent's metrics.
import { setTimeout as sleep } from 'node:timers/promises';
import { DataplaneError } from '../../base/errors.ts';
import { type ProbeSample, type ProbeSummary, summarize } from '../../observe/probe/report.ts';
import { askAgent } from '../agent-client.ts';
import { printError } from '../output.ts';
import { type NamedEnd, readEndpoints, requireNamespace } from './ends.ts';
import { choosePair, orderedPairs, type PairChoice, type ProbePair, probedEnds } from './pairs.ts';
import { type ProbePlan, probePair } from './run.ts';

export interface PairSummary extends ProbeSummary {
  readonly from: string;
  readonly to: string;
}

export interface Rounds {
  readonly socket: string;
  readonly choice: PairChoice;
  readonly plan: Omit<ProbePlan, 'protocols'>;
  /** Pairs to be measured at most; of one round when it goes on. */
  readonly maxPairs: number;
  readonly signal: AbortSignal;
  readonly onSample: (sample: ProbeSample, pair: ProbePair) => Promise<void>;
  /** After the samples of each pair. */
  readonly onPair: () => Promise<void>;
}

/** Pairs that are looked at for one that can be measured. */
const MAX_LOOKS = 256;

/** Every pair once, as many as there may be. Throws NOT_FOUND when there is none. */
export async function probeOnce(rounds: Rounds): Promise<PairSummary[]> {
  const ends = probedEnds(await readEndpoints(rounds.socket));
  const summaries: PairSummary[] = [];
  const turn = new Turn();
  while (summaries.length < rounds.maxPairs * rounds.choice.protocols.length && !rounds.signal.aborted) {
    const found = await turn.next(ends, rounds);
    if (found === undefined) break;
    summaries.push(...found);
  }
  if (summaries.length > 0 || rounds.signal.aborted) return summaries;
  throw new DataplaneError('NOT_FOUND', 'no pair of endpoints can be measured', {
    operation: 'probe',
    target: 'endpoints of this node',
    found: `${ends.length} endpoints`,
    hint: `policy must let port ${rounds.plan.port} through, and both must be in network namespaces of this machine`,
  });
}

/** One pair every so often, until stopped. What goes wrong is said once for as long as it is the same. */
export async function probeForever(rounds: Rounds, everyMs: number): Promise<void> {
  const turn = new Turn();
  let told = '';
  while (!rounds.signal.aborted) {
    try {
      const ends = probedEnds(await readEndpoints(rounds.socket));
      let found = await turn.next(ends, rounds);
      if (found === undefined && turn.isRound) found = await turn.next(ends, rounds);
      if (found !== undefined) told = '';
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      if (error.message !== told) printError(error);
      told = error.message;
    }
    await sleep(everyMs, undefined, { signal: rounds.signal }).catch(() => undefined);
  }
}

/** Whose turn it is. It begins anew when there are more endpoints, or fewer. */
class Turn {
  #places: Iterator<readonly [number, number]> = orderedPairs(0);
  #count = 0;
  #failed = new Set<string>();
  /** The last pair of a round was the last one looked at. */
  isRound = false;

  /** Measures the next pair that can be; undefined = none of those that were looked at. */
  async next(ends: readonly NamedEnd[], rounds: Rounds): Promise<PairSummary[] | undefined> {
    for (let looks = 0; looks < MAX_LOOKS && !rounds.signal.aborted; looks += 1) {
      const place = this.#place(ends.length);
      if (place === undefined) return undefined;
      const [from, to] = place.map((at) => ends[at] as NamedEnd) as [NamedEnd, NamedEnd];
      const pair = await choosePair([from, to], rounds.choice, (question) => isLetThrough(rounds, question));
      const summaries = pair && (await this.#measure(pair, rounds));
      if (summaries !== undefined) return summaries;
    }
    return undefined;
  }

  /** undefined = the round is over; the next call begins another one. */
  #place(count: number): readonly [number, number] | undefined {
    if (count !== this.#count) this.#begin(count);
    const { value, done } = this.#places.next();
    this.isRound = done === true;
    if (done !== true) return value;
    this.#begin(count);
    return undefined;
  }

  #begin(count: number): void {
    this.#count = count;
    this.#places = orderedPairs(count);
    this.#failed.clear();
  }

  /** undefined = one of the two is not where it can be measured, which is said once a round. */
  async #measure(pair: ProbePair, { plan, signal, onSample, onPair }: Rounds): Promise<PairSummary[] | undefined> {
    const samples: ProbeSample[] = [];
    try {
      requireNamespace(pair.to);
      for await (const sample of probePair(pair, { ...plan, protocols: pair.protocols }, signal)) {
        samples.push(sample);
        await onSample(sample, pair);
      }
    } catch (error) {
      if (!(error instanceof DataplaneError) || error.code !== 'NOT_FOUND') throw error;
      if (!this.#failed.has(error.target)) printError(error);
      this.#failed.add(error.target);
      return undefined;
    }
    await onPair();
    return summarize(samples).map((summary) => ({ from: pair.from.name, to: pair.to.name, ...summary }));
  }
}

async function isLetThrough(
  { socket, plan: { port } }: Rounds,
  question: { src: string; dst: string; protocol: string },
): Promise<boolean> {
  const asked = { ...question, dstPort: port };
  return (await askAgent<{ verdict: string }>(socket, 'POST', '/v1/verdict', asked)).verdict === 'allow';
}
