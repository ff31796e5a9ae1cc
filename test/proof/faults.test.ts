// Every kind of system call that brings a change into the kernel fails once, under traffic: packets are judged by the policy before or
// by the one after, the agent goes on or its successor does, and the next change is in force.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import type { FaultyAgent } from '../../tools/lab/faults.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { bundleAgent, expectNothingWrong, startArena, tally } from './support/proof-arena.ts';
import { IS_WHOLE, TIMEOUT_MS } from './support/share.ts';

/** Of the calls of a start: where not every one of them fails once, so many names do. */
const STARTS = 14;
/** After so many faulty starts one without a fault must find everything in order. */
const STARTS_BETWEEN_CHECKS = 7;
/** Whatever is drawn: what the programs are loaded with fails in every run. */
const ALWAYS = ['bpf:BTF_LOAD', 'bpf:PROG_LOAD', 'bpf:OBJ_PIN'];
/** What a change in force takes at most where nothing fails; a fault may keep it from coming into force. */
const WAIT_MS = 1000;
const POLL_MS = 5;
const LOOKS = 10;
const LOOK_MS = 30;

const ERRNO = { EIO: 5, ENOMEM: 12, EMFILE: 24, ENOSPC: 28, EROFS: 30, ENOBUFS: 105 } as const;

/** What a machine in trouble answers to a call of that name. */
function errnoOf(call: string): number {
  const [name = ''] = call.split(':');
  if (call === 'bpf:OBJ_PIN') return ERRNO.ENOSPC;
  if (name === 'bpf' || name === 'mmap') return ERRNO.ENOMEM;
  if (call.endsWith(':netlink')) return ERRNO.ENOBUFS;
  if (name.startsWith('open') || name.startsWith('inotify')) return ERRNO.EMFILE;
  if (name.includes('write') || name === 'ftruncate') return ERRNO.ENOSPC;
  return ['mkdir', 'rename', 'unlink', 'chmod'].some((verb) => name.startsWith(verb)) ? ERRNO.EROFS : ERRNO.EIO;
}

describe('an agent whose system calls fail', () => {
  let arena: FlipArena;
  const random = new Random(newSeed('faults'));

  beforeAll(async () => {
    arena = await startArena(await bundleAgent('faults'));
  });

  afterAll(async () => {
    await arena?.close();
  });

  const countPins = (): number => readdirSync(pinRoot(arena.lab), { recursive: true }).length;

  /** Whether the last version is in force, after waiting for it a while. */
  async function comesIntoForce(agent: Agent, before: number): Promise<boolean> {
    for (let waited = 0; waited < WAIT_MS && !agent.hasEnded; waited += POLL_MS) {
      if (arena.generation !== before && (await agent.isReady())) return true;
      await sleep(POLL_MS);
    }
    return false;
  }

  it('puts the next change in force, and leaves nothing open', { timeout: TIMEOUT_MS }, async () => {
    arena.write();
    const faulty = await arena.launchFaulty({ kind: 'trace' });
    await arena.settle(faulty.agent);
    const calls = await longestFlip(faulty);
    const before = { pins: countPins(), descriptors: await countDescriptors(faulty) };
    const outcomes: Record<string, string[]> = { 'in force': [], 'in force with the next': [], 'not made': [] };
    const places = chooseCalls(calls, random);
    for (const at of places) {
      await faulty.replan({ kind: 'fail', at, errno: errnoOf(calls[at - 1] as string) });
      const generation = arena.generation;
      arena.write();
      const isInForce = await comesIntoForce(faulty.agent, generation);
      const outcome = !faulty.isDone ? 'not made' : isInForce ? 'in force' : 'in force with the next';
      outcomes[outcome]?.push(faulty.calls[at - 1] ?? '');
      await faulty.replan({ kind: 'trace' });
      await arena.flip(faulty.agent);
    }
    expect(countPins()).toBe(before.pins);
    expect(await countDescriptors(faulty)).toBeLessThanOrEqual(before.descriptors);
    await faulty.agent.kill();
    show(outcomes, calls.length);
    expect(places.length - (outcomes['not made']?.length ?? 0)).toBeGreaterThan(places.length / 2);
    await expectNothingWrong(arena);
  });

  it('starts, or ends and its successor starts', { timeout: TIMEOUT_MS }, async () => {
    await arena.startTraffic();
    const { calls } = await traceStart();
    const pins = countPins();
    const outcomes: Record<string, string[]> = { ended: [], ready: [], behind: [], 'not made': [] };
    const places = chooseStarts(calls, random);
    for (const [index, at] of places.entries()) {
      const before = arena.generation;
      arena.write();
      const faulty = await arena.launchFaulty({ kind: 'fail', at, errno: errnoOf(calls[at - 1] as string) });
      while (!faulty.isDone && !faulty.agent.hasEnded && !(await faulty.agent.isReady())) await sleep(POLL_MS);
      const isInForce = await comesIntoForce(faulty.agent, before);
      if (isInForce) await arena.settle(faulty.agent);
      else await flipUnlessEnded(faulty.agent);
      const outcome = isInForce ? 'ready' : faulty.agent.hasEnded ? 'ended' : 'behind';
      outcomes[faulty.isDone ? outcome : 'not made']?.push(faulty.calls[at - 1] ?? '');
      await faulty.agent.kill();
      if (index % STARTS_BETWEEN_CHECKS !== 0 && index !== places.length - 1) continue;
      await expectAllInOrder(pins);
    }
    show(outcomes, calls.length);
    expect(places.length - (outcomes['not made']?.length ?? 0)).toBeGreaterThan(places.length / 2);
    await expectNothingWrong(arena);
  });

  /** An agent that has said why it cannot start may take a while to end. */
  async function flipUnlessEnded(agent: Agent): Promise<void> {
    if (agent.hasEnded) return;
    await arena.flip(agent).catch((error: unknown) => {
      if (!agent.hasEnded) throw error;
    });
  }

  async function traceStart(): Promise<{ readonly calls: readonly string[] }> {
    arena.write();
    const faulty = await arena.launchFaulty({ kind: 'trace' });
    await arena.settle(faulty.agent);
    const { calls } = faulty;
    await faulty.agent.kill();
    return { calls };
  }

  async function expectAllInOrder(pins: number): Promise<void> {
    const agent = await arena.start();
    await arena.flip(agent);
    expect(countPins()).toBe(pins);
    await agent.kill();
  }

  async function longestFlip(faulty: FaultyAgent): Promise<string[]> {
    let longest: string[] = [];
    for (let flip = 0; flip < 4; flip += 1) {
      await faulty.replan({ kind: 'trace' });
      await arena.flip(faulty.agent);
      const { calls } = faulty;
      if (calls.length > longest.length) longest = calls;
    }
    return longest;
  }
});

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

/** The same of a start: any one of some names. */
function chooseStarts(calls: readonly string[], random: Random): number[] {
  const all = chooseCalls(calls, random);
  if (IS_WHOLE) return all;
  const isAlways = (at: number): boolean => ALWAYS.includes(calls[at - 1] as string);
  const others = random.shuffle(all.filter((at) => !isAlways(at)));
  return [...all.filter(isAlways), ...others].slice(0, STARTS).sort((a, b) => a - b);
}

function show(outcomes: Readonly<Record<string, readonly string[]>>, calls: number): void {
  const tallied = Object.entries(outcomes).map(([name, of]) => [name, tally(of)]);
  console.log(JSON.stringify({ calls, ...Object.fromEntries(tallied) }));
}
