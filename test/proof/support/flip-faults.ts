// System calls of an agent that fail once while its policy changes: what a machine in trouble answers, and what came of it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../../../tools/lab/agent.ts';
import type { FaultyAgent } from '../../../tools/lab/faults.ts';
import type { FlipArena } from '../../../tools/lab/flip-arena.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';

/** What a change in force takes at most where nothing fails; a fault may keep it from coming into force. */
const WAIT_MS = 700 + 300 * PATIENCE;
/** In which an agent takes in what changes nothing. */
const SKIP_MS = 800 + 100 * PATIENCE;
const POLL_MS = 5;
/** Flips differ in their calls, by turns of so many; several of each are looked at. */
const KINDS = 4;
const TRACES_OF_KIND = 3;
/** For each call that is to fail: other changes than the first, where that does not make it. */
const TRIES = 8;
/** What agents keep for themselves; the calls that do it fail in durability.test.ts. */
const STATE = ':/state/';
const BEHIND_MS = 100 * PATIENCE;

const ERRNO = { EIO: 5, ENOMEM: 12, EMFILE: 24, ENOSPC: 28, EROFS: 30, ENOBUFS: 105 } as const;

/** What a machine in trouble answers to a call of that name. */
export function errnoOf(call: string): number {
  const [name = ''] = call.split(':');
  if (call === 'bpf:OBJ_PIN') return ERRNO.ENOSPC;
  if (name === 'bpf' || name === 'mmap') return ERRNO.ENOMEM;
  if (call.endsWith(':netlink')) return ERRNO.ENOBUFS;
  if (name.startsWith('open') || name.startsWith('inotify')) return ERRNO.EMFILE;
  if (name.includes('write') || name === 'ftruncate') return ERRNO.ENOSPC;
  return ['mkdir', 'rename', 'unlink', 'chmod'].some((verb) => name.startsWith(verb)) ? ERRNO.EROFS : ERRNO.EIO;
}

/**
 * Names of calls, by what came of the change in which they failed. Not made: the change did not make what was to fail in it, which
 * was tried again in another. Left: what no change has made again in as many tries as there are.
 */
export type FlipOutcomes = Record<'in force' | 'in force with the next' | 'not made' | 'left', string[]>;

/** Calls of a change, each by its name and which of that name it is: they are not always made in the same order. */
export function numberedCalls(calls: readonly string[]): string[] {
  const seen: Record<string, number> = {};
  return calls.map((name) => {
    seen[name] = (seen[name] ?? 0) + 1;
    return `${name} #${seen[name]}`;
  });
}

/** Calls of some changes, by the version that each brought into force. */
export type FlipTraces = ReadonlyMap<number, readonly string[]>;

/**
 * Calls that each change of its kind makes, and one of each name that only some make: agents look at things by the clock, too. What is
 * taken down of a change behind it is no part of it.
 */
export function callsOfFlips(traces: FlipTraces): string[] {
  const wanted = new Set<string>();
  for (const [version, calls] of traces) {
    const alike = [...traces].filter(([other]) => other % KINDS === version % KINDS);
    const each = alike.map(([, other]) => new Set(numberedCalls(other)));
    for (const [index, call] of numberedCalls(calls).entries())
      if (each.every((others) => others.has(call)) || calls.indexOf(calls[index] as string) === index) wanted.add(call);
  }
  return [...wanted].filter((call) => !call.includes(STATE));
}

/**
 * Has each of these calls fail, in a change of its own; the change behind it must come into force. What a change does not make is
 * tried again in others. Throws KERNEL.
 */
export async function failInFlips(
  arena: FlipArena,
  faulty: FaultyAgent,
  traces: FlipTraces,
  wanted: readonly string[],
  triesOfEach = TRIES,
): Promise<FlipOutcomes> {
  const outcomes: FlipOutcomes = { 'in force': [], 'in force with the next': [], 'not made': [], left: [] };
  const places = Array.from({ length: KINDS }, () => new Map<string, number>());
  const learn = (version: number, calls: readonly string[]) => {
    for (const [index, call] of numberedCalls(calls).entries()) places[version % KINDS]?.set(call, index + 1);
  };
  for (const [version, calls] of traces) learn(version, calls);
  const left = new Set(wanted);
  for (let tries = 0; left.size > 0 && tries < wanted.length * triesOfEach; tries += 1) {
    const here = places[(arena.version + 1) % KINDS] as ReadonlyMap<string, number>;
    const known = [...left].filter((call) => here.has(call));
    const call = known[tries % known.length];
    if (call !== undefined) await failInFlip(arena, faulty, call, here.get(call) as number, left, outcomes);
    await faulty.replan({ kind: 'trace' });
    await arena.flip(faulty.agent);
    learn(arena.version, faulty.calls);
  }
  outcomes.left.push(...left);
  return outcomes;
}

async function failInFlip(
  arena: FlipArena,
  faulty: FaultyAgent,
  call: string,
  at: number,
  left: Set<string>,
  outcomes: FlipOutcomes,
): Promise<void> {
  await faulty.replan({ kind: 'fail', at, errno: errnoOf(call.replace(/ #\d+$/, '')) });
  const generation = arena.generation;
  arena.write();
  const isInForce = await comesIntoForce(arena, faulty.agent, generation);
  await happens(faulty);
  const failed = faulty.isDone ? numberedCalls(faulty.calls)[at - 1] : undefined;
  if (failed === undefined) {
    outcomes['not made'].push(call);
    // By turns one more, so that no kind of change is left out.
    await arena.flip(faulty.agent);
  } else {
    left.delete(failed);
    outcomes[isInForce ? 'in force' : 'in force with the next'].push(failed);
  }
  if (!isInForce) await skipVersion(arena);
}

/** Every other version has the same policy: a change to what is in force already would not be seen. */
async function skipVersion(arena: FlipArena): Promise<void> {
  arena.write();
  await sleep(SKIP_MS);
}

/** Some calls of a change are made when it is in force already. */
async function happens(faulty: FaultyAgent): Promise<void> {
  for (let waited = 0; waited < BEHIND_MS && !faulty.isDone; waited += POLL_MS) await sleep(POLL_MS);
}

/** Whether the last version is in force, after waiting for it a while. */
export async function comesIntoForce(arena: FlipArena, agent: Agent, before: number): Promise<boolean> {
  for (let waited = 0; waited < WAIT_MS && !agent.hasEnded; waited += POLL_MS) {
    if (arena.generation !== before && (await agent.isReady())) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** What flips of every kind call. Throws KERNEL. */
export async function traceFlips(arena: FlipArena, faulty: FaultyAgent): Promise<FlipTraces> {
  const traces = new Map<number, string[]>();
  for (let flip = 0; flip < KINDS * TRACES_OF_KIND; flip += 1) {
    await faulty.replan({ kind: 'trace' });
    await arena.flip(faulty.agent);
    traces.set(arena.version, faulty.calls);
  }
  return traces;
}
