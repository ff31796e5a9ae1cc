// Killed and flipped: the agent dies at random and at named instants while its policy changes under traffic, and no packet is judged
// by anything but a version that can have been in force.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultPlan, FaultyAgent } from '../../tools/lab/faults.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { bundleAgent, expectNothingWrong, startArena, tally } from './support/proof-arena.ts';
import { TIMEOUT_MS } from './support/share.ts';

const KILLS = Number(process.env.TORTIE_PROOF_KILLS ?? 200);
const FLIPS = Number(process.env.TORTIE_PROOF_FLIPS ?? 1000);
/** Networks in which agents die at the same time: one waits while another works. */
const ARENAS = 2;
/** Longer than a start takes on a machine with nothing else to do. */
const START_MS = 1200;
/** Longer than a flip takes. */
const FLIP_MS = 40;
const POLL_MS = 5;
/** Kinds of named instants that so many kills hit at the very least, of a start and of a flip. */
const KINDS = { start: KILLS / 10, flip: KILLS / 25 };

type Instant = readonly [name: string, plan: FaultPlan];
type Way = (arena: FlipArena, random: Random, round: number) => Promise<string>;

describe('an agent that is killed while its policy changes', () => {
  let arenas: FlipArena[] = [];

  beforeAll(async () => {
    const program = await bundleAgent('kills');
    arenas = await Promise.all(Array.from({ length: ARENAS }, () => startArena(program)));
  });

  afterAll(async () => {
    for (const arena of arenas) await arena.close();
  });

  it('never has a packet judged but by a version that can be in force', { timeout: TIMEOUT_MS }, async () => {
    const [first] = arenas as [FlipArena];
    const { start, flip } = await traceCalls(first);
    const seed = newSeed('kills');
    const random = new Random(seed, ARENAS);
    const instants = { start: instantsOf(start, random), flip: instantsOf(flip, random) };
    const atStart: Way = (arena, _random, round) => killAtStartOf(arena, pick(instants.start, round));
    const inFlip: Way = (arena, _random, round) => killInFlip(arena, pick(instants.flip, round));
    // A start costs most of what a death does, and those at random in one cost the least.
    const ways: readonly Way[] = [killBehindFlips, killInStart, atStart, killInStart, inFlip];
    const deaths: string[] = [];
    const turns = KILLS / ARENAS;
    await Promise.all(
      arenas.map(async (arena, index) => {
        const own = new Random(seed, index);
        for (let turn = 0; turn < turns; turn += 1) {
          const way = ways[turn % ways.length] as Way;
          deaths.push(await way(arena, own, Math.floor(turn / ways.length) * ARENAS + index));
        }
        while (arena.flips < FLIPS / ARENAS) await flipSome(arena, FLIPS / ARENAS - arena.flips);
      }),
    );
    console.log(JSON.stringify(tally(deaths)));
    expect(deaths.length).toBe(turns * ARENAS);
    expect(arenas.reduce((sum, { flips }) => sum + flips, 0)).toBeGreaterThanOrEqual(FLIPS);
    for (const [part, least] of Object.entries(KINDS)) {
      const kinds = new Set(deaths.filter((death) => death.startsWith(`${part}: `)));
      expect(kinds.size, part).toBeGreaterThanOrEqual(least);
    }
    for (const arena of arenas) await expectNothingWrong(arena);
  });

  async function flipSome(arena: FlipArena, flips: number): Promise<void> {
    const agent = await arena.start();
    for (let flip = 0; flip < flips; flip += 1) await arena.flip(agent);
    await agent.kill();
  }
});

async function killBehindFlips(arena: FlipArena, random: Random): Promise<string> {
  arena.write();
  const agent = await arena.start();
  for (let flip = 0; flip < (FLIPS / KILLS) * 5; flip += 1) await arena.flip(agent);
  arena.write();
  await sleep(random.below(FLIP_MS));
  await agent.kill();
  return 'while a change is written';
}

async function killInStart(arena: FlipArena, random: Random): Promise<string> {
  arena.write();
  const agent = arena.launch();
  await sleep(random.below(START_MS));
  await agent.kill();
  return 'at random in a start';
}

async function killAtStartOf(arena: FlipArena, [name, plan]: Instant): Promise<string> {
  arena.write();
  const faulty = await arena.launchFaulty(plan);
  while (!faulty.agent.hasEnded && !(await faulty.agent.isReady())) await sleep(POLL_MS);
  return endOf(faulty, 'start', name);
}

async function killInFlip(arena: FlipArena, [name, plan]: Instant): Promise<string> {
  arena.write();
  const faulty = await arena.launchFaulty(plan.kind === 'watch' ? plan : { kind: 'trace' });
  if (plan.kind !== 'watch') {
    await arena.settle(faulty.agent);
    await faulty.replan(plan);
  }
  const before = arena.generation;
  if (plan.kind !== 'watch') arena.write();
  for (let waits = 0; !faulty.agent.hasEnded && (arena.generation === before || waits < 100); waits += 1)
    await sleep(POLL_MS);
  return endOf(faulty, 'flip', name);
}

/** Kills it if it still lives: not every start and flip makes the same calls. */
async function endOf(faulty: FaultyAgent, part: string, name: string): Promise<string> {
  if (!faulty.isDone) await faulty.agent.kill();
  await faulty.agent.ended();
  return faulty.isDone ? `${part}: ${name}` : `behind a ${part}`;
}

/** What a start and a flip call, which differs a little from one to the next. */
async function traceCalls(arena: FlipArena): Promise<Record<'start' | 'flip', string[]>> {
  arena.write();
  const faulty = await arena.launchFaulty({ kind: 'trace' });
  await arena.settle(faulty.agent);
  const start = faulty.calls;
  let flip: string[] = [];
  for (let flips = 0; flips < 4; flips += 1) {
    await faulty.replan({ kind: 'trace' });
    await arena.flip(faulty.agent);
    if (faulty.calls.length > flip.length) flip = faulty.calls;
  }
  await faulty.agent.kill();
  return { start, flip };
}

/** Behind the store that puts a policy in force, then before and behind a call of each name, in no order. */
function instantsOf(calls: readonly string[], random: Random): Instant[] {
  const atCalls = [...new Set(calls)].flatMap((name): Instant[] => {
    const places = calls.flatMap((call, index) => (call === name ? [index + 1] : []));
    const at = random.pick(places);
    return [
      [`before ${name}`, { kind: 'kill', at }],
      [`behind ${name}`, { kind: 'kill-after', at }],
    ];
  });
  return [['behind the root', { kind: 'watch', field: 'active', at: 1 }], ...random.shuffle(atCalls)];
}

function pick(instants: readonly Instant[], round: number): Instant {
  return instants[round % instants.length] as Instant;
}
