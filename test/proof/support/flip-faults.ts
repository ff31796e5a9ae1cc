// System calls of an agent that fail once while its policy changes: what a machine in trouble answers, and what came of it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../../../tools/lab/agent.ts';
import type { FaultyAgent } from '../../../tools/lab/faults.ts';
import type { FlipArena } from '../../../tools/lab/flip-arena.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';

/** What a change in force takes at most where nothing fails; a fault may keep it from coming into force. */
const WAIT_MS = 1000 * PATIENCE;
const POLL_MS = 5;
/** Flips differ in their calls: the one with most of them is taken out of so many. */
const TRACED_FLIPS = 4;

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

/** Names of calls, by what came of the change in which they failed. */
export type FlipOutcomes = Record<'in force' | 'in force with the next' | 'not made', string[]>;

/** Has the calls at these numbers of a flip fail, each in a flip of its own; the one behind it must come into force. Throws KERNEL. */
export async function failInFlips(
  arena: FlipArena,
  faulty: FaultyAgent,
  calls: readonly string[],
  places: readonly number[],
): Promise<FlipOutcomes> {
  const outcomes: FlipOutcomes = { 'in force': [], 'in force with the next': [], 'not made': [] };
  for (const at of places) {
    await faulty.replan({ kind: 'fail', at, errno: errnoOf(calls[at - 1] as string) });
    const generation = arena.generation;
    arena.write();
    const isInForce = await comesIntoForce(arena, faulty.agent, generation);
    const outcome = !faulty.isDone ? 'not made' : isInForce ? 'in force' : 'in force with the next';
    outcomes[outcome].push(faulty.calls[at - 1] ?? '');
    await faulty.replan({ kind: 'trace' });
    await arena.flip(faulty.agent);
  }
  return outcomes;
}

/** Whether the last version is in force, after waiting for it a while. */
export async function comesIntoForce(arena: FlipArena, agent: Agent, before: number): Promise<boolean> {
  for (let waited = 0; waited < WAIT_MS && !agent.hasEnded; waited += POLL_MS) {
    if (arena.generation !== before && (await agent.isReady())) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** Names of the calls of a flip. Throws KERNEL. */
export async function longestFlip(arena: FlipArena, faulty: FaultyAgent): Promise<string[]> {
  let longest: string[] = [];
  for (let flip = 0; flip < TRACED_FLIPS; flip += 1) {
    await faulty.replan({ kind: 'trace' });
    await arena.flip(faulty.agent);
    const { calls } = faulty;
    if (calls.length > longest.length) longest = calls;
  }
  return longest;
}
