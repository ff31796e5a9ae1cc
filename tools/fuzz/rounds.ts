// So many packets in rounds: each has worlds and choices of its own, and goes on with the inputs that the earlier ones
// found. How one round is run is in target.ts.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Build } from './harness.ts';
import { type FuzzOutcome, fuzz } from './target.ts';
import type { FuzzTarget } from './targets.ts';

export interface RoundsRequest {
  readonly target: FuzzTarget;
  readonly root: string;
  /** Of the first round; the next ones count on from it. */
  readonly seed: number;
  /** In each round. */
  readonly worlds: number;
  readonly packets: number;
}

export interface Round {
  readonly round: number;
  readonly build: Build;
  readonly outcome: FuzzOutcome;
}

const ROUND_PACKETS = 1_000_000;
const SANITIZED_EVERY = 10;
/** A round that takes longer has come to a stop. */
const ROUND_SECONDS = 7200;

/** Rounds until there were so many packets, or one that failed. Throws HarnessFailure if there is no fuzzer to run. */
export async function* fuzzRounds({ target, root, seed, worlds, packets }: RoundsRequest): AsyncGenerator<Round> {
  const results = path.join(root, 'build/fuzz/results');
  mkdirSync(results, { recursive: true });
  const corpus = mkdtempSync(path.join(results, `${seed}-rounds-`));
  let left = packets;
  for (let round = 0; left > 0; round += 1) {
    const outcome = await fuzz(target, {
      root,
      seed: seed + round,
      worlds,
      corpus,
      build: buildOf(round),
      packets: Math.min(left, ROUND_PACKETS),
      seconds: ROUND_SECONDS,
      print: () => undefined,
    });
    yield { round, build: buildOf(round), outcome };
    if (!outcome.isGood) return;
    left -= outcome.packets;
  }
  rmSync(corpus, { recursive: true, force: true });
}

function buildOf(round: number): Build {
  return round % SANITIZED_EVERY === 0 ? 'sanitized' : 'plain';
}
