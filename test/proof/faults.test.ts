// Every kind of system call that brings a change into the kernel fails once, under traffic: packets are judged by the policy before or
// by the one after, the agent goes on or its successor does, and the next change is in force.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import type { FaultyAgent } from '../../tools/lab/faults.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import {
  callsOfFlips,
  comesIntoForce,
  errnoOf,
  failInFlips,
  numberedCalls,
  traceFlips,
} from './support/flip-faults.ts';
import { bundleAgent, expectNothingWrong, startArena, tally } from './support/proof-arena.ts';
import { IS_WHOLE, partOf, TIMEOUT_MS } from './support/share.ts';

/** Of the calls of a start: where not every one of them fails once, so many names do. */
const STARTS = 14;
/** Networks in which agents start at the same time: one waits while another works. */
const ARENAS = IS_WHOLE ? 2 : 1;
/** After so many faulty starts one without a fault must find everything in order. */
const STARTS_BETWEEN_CHECKS = 7;
/** Whatever is drawn: what the programs are loaded with fails in every run, and what opens the API. */
const ALWAYS = ['bpf:PROG_LOAD', 'bpf:OBJ_PIN', 'chmod:/agent.sock'];
/** Each of them asks the kernel for another part of the types, and libbpf goes on without those that it does not get. */
const EACH = 'bpf:BTF_LOAD';
/** Of one call, where a start does not make it. */
const START_TRIES = 6;
const POLL_MS = 5;
const LOOKS = 10;
const LOOK_MS = 30;

describe('an agent whose system calls fail', () => {
  let program: string;
  const arenas: FlipArena[] = [];
  const random = new Random(newSeed('faults'));

  beforeAll(async () => {
    program = await bundleAgent('faults');
  });

  afterEach(async () => {
    for (const arena of arenas.splice(0)) await arena.close();
  });

  async function open(): Promise<FlipArena> {
    const arena = await startArena(program);
    arenas.push(arena);
    return arena;
  }

  it('puts the next change in force, and leaves nothing open', { timeout: TIMEOUT_MS }, async () => {
    const arena = await open();
    arena.write();
    const faulty = await arena.launchFaulty({ kind: 'trace' });
    await arena.settle(faulty.agent);
    const traces = await traceFlips(arena, faulty);
    const before = { pins: countPins(arena), descriptors: await countDescriptors(faulty) };
    const calls = callsOfFlips(traces);
    const outcomes = await failInFlips(arena, faulty, traces, calls);
    expect(countPins(arena)).toBe(before.pins);
    expect(await countDescriptors(faulty)).toBeLessThanOrEqual(before.descriptors);
    await faulty.agent.kill();
    show(outcomes, calls.length);
    // What an agent calls by the clock need not come again while somebody waits for it.
    const always = calls.filter((call) => [...traces.values()].every((made) => numberedCalls(made).includes(call)));
    expect(always.length).toBeGreaterThan(0);
    expect(outcomes.left.filter((call) => always.includes(call))).toEqual([]);
    await expectNothingWrong(arena);
  });

  it('starts, or ends and its successor starts', { timeout: TIMEOUT_MS }, async () => {
    const own = await Promise.all(Array.from({ length: ARENAS }, open));
    const calls = await traceStart(own[0] as FlipArena);
    const outcomes: Record<string, string[]> = { ended: [], ready: [], behind: [], 'not made': [] };
    const places = chooseStarts(calls, random);
    const left = [...places];
    const tries = new Map<number, number>();
    await Promise.all(
      own.map(async (arena) => {
        await (await arena.start()).kill();
        const pins = countPins(arena);
        for (let turn = 0, at = left.shift(); at !== undefined; turn += 1, at = left.shift()) {
          const [outcome, call] = await failAtStart(arena, at, calls[at - 1] as string);
          outcomes[outcome]?.push(call);
          // Not every start makes as many calls.
          tries.set(at, (tries.get(at) ?? 0) + 1);
          if (outcome === 'not made' && (tries.get(at) ?? 0) < START_TRIES) left.push(at);
          if (turn % STARTS_BETWEEN_CHECKS === 0 || left.length < ARENAS) await expectAllInOrder(arena, pins);
        }
      }),
    );
    show(outcomes, calls.length);
    const failed =
      Object.values(outcomes).reduce((sum, { length }) => sum + length, 0) - (outcomes['not made']?.length ?? 0);
    expect(failed).toBe(places.length);
    for (const arena of own) await expectNothingWrong(arena);
  });
});

const countPins = ({ lab }: FlipArena): number => readdirSync(pinRoot(lab), { recursive: true }).length;

/** What came of it, and which call it was in the end: not every start makes the same ones. */
async function failAtStart(arena: FlipArena, at: number, expected: string): Promise<readonly [string, string]> {
  const before = arena.generation;
  arena.write();
  const faulty = await arena.launchFaulty({ kind: 'fail', at, errno: errnoOf(expected) });
  while (!faulty.isDone && !faulty.agent.hasEnded && !(await faulty.agent.isReady())) await sleep(POLL_MS);
  const isInForce = await comesIntoForce(arena, faulty.agent, before);
  if (isInForce) await arena.settle(faulty.agent);
  else await flipUnlessEnded(arena, faulty.agent);
  const outcome = isInForce ? 'ready' : faulty.agent.hasEnded ? 'ended' : 'behind';
  await faulty.agent.kill();
  return [faulty.isDone ? outcome : 'not made', faulty.calls[at - 1] ?? ''];
}

/** An agent that has said why it cannot start may take a while to end. */
async function flipUnlessEnded(arena: FlipArena, agent: Agent): Promise<void> {
  if (agent.hasEnded) return;
  await arena.flip(agent).catch((error: unknown) => {
    if (!agent.hasEnded) throw error;
  });
}

async function traceStart(arena: FlipArena): Promise<readonly string[]> {
  arena.write();
  const faulty = await arena.launchFaulty({ kind: 'trace' });
  await arena.settle(faulty.agent);
  const { calls } = faulty;
  await faulty.agent.kill();
  return calls;
}

async function expectAllInOrder(arena: FlipArena, pins: number): Promise<void> {
  const agent = await arena.start();
  await arena.flip(agent);
  expect(countPins(arena)).toBe(pins);
  await agent.kill();
}

/** The least of several looks: questions that are being answered have a descriptor each. */
async function countDescriptors(faulty: FaultyAgent): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look += 1) {
    least = Math.min(least, readdirSync(`/proc/${faulty.tracedPid}/fd`).length);
    await sleep(LOOK_MS);
  }
  return least;
}

/** Numbers of calls, from 1 on: all of them, or any one of each name. */
function chooseCalls(calls: readonly string[], random: Random): number[] {
  if (IS_WHOLE) return calls.map((_, index) => index + 1);
  const chosen = [...new Set(calls)].map((name) =>
    random.pick(calls.flatMap((call, index) => (call === name ? [index + 1] : []))),
  );
  return chosen.sort((a, b) => a - b);
}

/** The same of a start: any one of some names, and what must not be missing. */
function chooseStarts(calls: readonly string[], random: Random): number[] {
  const all = chooseCalls(calls, random);
  if (IS_WHOLE) return partOf(all);
  const each = calls.flatMap((call, index) => (call === EACH ? [index + 1] : []));
  const isAlways = (at: number): boolean => ALWAYS.includes(calls[at - 1] as string);
  const others = random.shuffle(all.filter((at) => !isAlways(at) && !each.includes(at)));
  return [...each, ...[...all.filter(isAlways), ...others].slice(0, STARTS)].sort((a, b) => a - b);
}

function show(outcomes: Readonly<Record<string, readonly string[]>>, calls: number): void {
  const tallied = Object.entries(outcomes).map(([name, of]) => [name, tally(of)]);
  console.log(JSON.stringify({ calls, ...Object.fromEntries(tallied) }));
}
