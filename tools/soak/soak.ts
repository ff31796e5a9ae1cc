// The soak itself: one agent that lives on while its policy is flipped, one that is killed over and over, each under traffic in a network
// of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../lab/agent.ts';
import { FlipArena } from '../lab/flip-arena.ts';
import type { SoakOutcome } from './report.ts';
import { type Sample, takeSample } from './sample.ts';

export interface SoakPlan {
  readonly minutes: number;
  readonly onSample: (sample: Sample) => void;
}

const MINUTE_MS = 60_000;
const FLIP_EVERY_MS = 500;
const SAMPLE_EVERY_MS = 10_000;
const KILL_EVERY_MS = 20_000;

/** Throws KERNEL when an agent cannot be brought in sync. */
export async function soak({ minutes, onSample }: SoakPlan): Promise<SoakOutcome> {
  const startMs = performance.now();
  const isOver = (): boolean => performance.now() - startMs > minutes * MINUTE_MS;
  const steady = await FlipArena.create();
  const stormy = await FlipArena.create();
  try {
    const [agent, victim] = [await steady.start(), await stormy.start()];
    await Promise.all([steady.startTraffic(), stormy.startTraffic()]);
    const samples: Sample[] = [];
    const sampling = sampleUntil(isOver, async () => {
      const sample = await takeSample(steady, agent, (performance.now() - startMs) / (60 * MINUTE_MS));
      samples.push(sample);
      onSample(sample);
    });
    const [kills] = await Promise.all([killUntil(isOver, stormy, victim), flipUntil(isOver, steady, agent), sampling]);
    await Promise.all([steady.stopTraffic(), stormy.stopTraffic()]);
    const judgements = [steady.judge.judgement, stormy.judge.judgement];
    return { minutes, samples, flips: steady.flips + stormy.flips, kills, judgements };
  } finally {
    await Promise.all([steady.close(), stormy.close()]);
  }
}

async function flipUntil(isOver: () => boolean, arena: FlipArena, agent: Agent): Promise<void> {
  while (!isOver()) {
    await arena.flip(agent);
    await sleep(FLIP_EVERY_MS);
  }
}

async function sampleUntil(isOver: () => boolean, take: () => Promise<void>): Promise<void> {
  while (!isOver()) {
    await take();
    await sleep(SAMPLE_EVERY_MS);
  }
}

/** Each life has changes of policy, and ends in the middle of one. Returns how many there were. */
async function killUntil(isOver: () => boolean, arena: FlipArena, first: Agent): Promise<number> {
  let kills = 0;
  for (let agent = first; ; agent = await arena.start()) {
    const endMs = performance.now() + KILL_EVERY_MS;
    while (performance.now() < endMs && !isOver()) {
      await arena.flip(agent);
      await sleep(FLIP_EVERY_MS);
    }
    arena.write();
    await sleep(Math.random() * 50);
    await agent.kill();
    kills += 1;
    if (isOver()) return kills;
  }
}
