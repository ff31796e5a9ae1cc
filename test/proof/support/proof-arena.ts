// An arena whose agents are one bundled module, which takes a third of the time to start, and the counts that a proof has to show.
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { AgentOptions } from '../../../tools/lab/agent.ts';
import { FlipArena } from '../../../tools/lab/flip-arena.ts';
import { isAllowed } from '../../../tools/lab/flip-world.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import { makeBuilds } from '../../../tools/traffic/builds.ts';

const CONNECT_LIMIT_MS = 10_000;

/** Path of the bundled command; `name` keeps test files that run at the same time apart. Throws what makeBuilds does. */
export async function bundleAgent(name: string): Promise<string> {
  const { current } = await makeBuilds(join('build', 'proof', name));
  return programOf(current);
}

export function programOf(build: string): string {
  return join(build, 'dist/cli/main.js');
}

/** Policy is in force, no agent lives, and traffic is being judged, by every connection that some version allows. */
export async function startArena(
  program: string,
  common: Partial<AgentOptions> = {},
  tickMs?: number,
): Promise<FlipArena> {
  const arena = await FlipArena.create({ ...common, program });
  const agent = await arena.start();
  await arena.startTraffic(tickMs);
  // What the first version refuses is tried again after one second and after three.
  await arena.flip(agent);
  await vi.waitUntil(() => isConnected(arena), { timeout: CONNECT_LIMIT_MS * PATIENCE, interval: 50 });
  await agent.kill();
  return arena;
}

function isConnected({ judge }: FlipArena): boolean {
  const { flows, cameByFlow } = judge;
  return flows.every(({ kind, port }, index) => kind !== 'tcp' || !isEverAllowed(port) || cameByFlow[index] !== 0);
}

function isEverAllowed(port: number): boolean {
  return isAllowed(0, port) || isAllowed(1, port);
}

/** Ends the traffic and says what came of it: every kind that some version allows has come, nothing was judged wrongly. */
export async function expectNothingWrong(arena: FlipArena): Promise<void> {
  await arena.stopTraffic();
  const { judgement, cameByFlow, flows } = arena.judge;
  const came: Record<string, number> = {};
  for (const [index, { kind, port }] of flows.entries()) {
    if (isEverAllowed(port)) came[`${kind} ${port}`] = (came[`${kind} ${port}`] ?? 0) + (cameByFlow[index] ?? 0);
  }
  console.log(JSON.stringify({ flips: arena.flips, ...judgement, came }));
  expect(judgement.examples).toEqual([]);
  expect(judgement.wrong).toBe(0);
  expect(judgement.lost).toBeGreaterThan(0);
  expect(Object.entries(came).filter(([, packets]) => packets === 0)).toEqual([]);
}

/** How often each was. */
export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
