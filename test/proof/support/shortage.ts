// What an agent runs out of, and how it says so: shared by the proofs of the host's kernel and of those of guests.
import { readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { ConditionReason } from '../../../src/agent/conditions.ts';
import { runCommand } from '../../../src/bench/command.ts';
import type { Agent } from '../../../tools/lab/agent.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';

/** Of whatever an agent is waited for; it is stretched where the machine is slow. */
export const LIMIT_MS = 20_000;

/** Policies of so many rules, each about an address of its own, that tell so many ports apart. */
export function rulesOf(count: number, ports = count): object[] {
  const rules = Array.from({ length: count }, (_, index) => ({
    action: 'Allow',
    protocol: 'TCP',
    source: { nets: [`100.${64 + (index >> 8)}.${index & 255}.0/24`] },
    destination: { ports: [30_000 + (index % ports)] },
  }));
  return policiesOf(rules, 500);
}

/** A policy about so many prefixes that have little in common. */
export function prefixesOf(count: number): object[] {
  const nets = Array.from({ length: count }, (_, index) => `fd00:${(index * 101).toString(16)}:1:2::/64`);
  const rules = nets.map((net) => ({ action: 'Allow', source: { nets: [net] } }));
  return policiesOf(rules, 500);
}

/** All of them for one endpoint, so many to a policy. */
function policiesOf(rules: readonly object[], each: number): object[] {
  return Array.from({ length: Math.ceil(rules.length / each) }, (_, index) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: `too-much-${index}`, namespace: 'lab' },
    spec: {
      order: 900,
      selector: "app == 'third'",
      types: ['Ingress'],
      ingress: rules.slice(index * each, (index + 1) * each),
    },
  }));
}

/** Says of itself just what keeps it from all it should do. */
export async function becomesDegraded(agent: Agent, ...reasons: ConditionReason[]): Promise<void> {
  const status = await agent.waitFor(
    ({ conditions }) => conditions.map(({ reason }) => reason).join() === reasons.join(),
    LIMIT_MS,
  );
  expect(status.inSync).toBe(true);
}

/** Waits until it has logged all of these. */
export async function logs(agent: Agent, ...words: string[]): Promise<void> {
  const options = { timeout: LIMIT_MS * PATIENCE, interval: 50 };
  await vi.waitFor(() => {
    for (const word of words) expect(agent.log.join('\n')).toContain(word);
  }, options);
}

/** Takes all room that there is on the disk of a directory, by its file `filler`. */
export function fill(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  try {
    writeFileSync(join(directory, 'filler'), new Uint8Array(bavail * bsize));
  } catch {
    // What fits is there.
  }
}

/** Descriptors that it has open. */
export function countFiles({ pid }: Agent): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** It may have so many descriptors from here on. Throws KERNEL. */
export async function limitFiles(agent: Agent, files: number): Promise<void> {
  await runCommand(['prlimit', '--pid', String(agent.pid), `--nofile=${files}:8192`]);
}
