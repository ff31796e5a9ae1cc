// The tiers as vitest projects, but for vm, which has a runner of its own. Which of them run, and what they need, is tools/test.mjs.
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

interface Tier {
  readonly name: string;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Packet, attack and host tests share the kernel, and their times are measured: one at a time, alone on the machine. */
const tiers: readonly Tier[] = [
  { name: 'unit', workers: 2, timeoutMs: 20_000 },
  { name: 'abi', workers: 1, timeoutMs: 30_000 },
  { name: 'packet', workers: 1, timeoutMs: 60_000 },
  { name: 'attacks', workers: 1, timeoutMs: 120_000 },
  { name: 'fuzz', workers: 1, timeoutMs: 300_000 },
  { name: 'host', workers: 1, timeoutMs: 120_000 },
  // Nothing in it goes by time: agents start most of the while, which keeps one processor busy for each file.
  // Its agents are one module, without the process that keeps flows: they need not try to start it.
  { name: 'proof', workers: 2, timeoutMs: 900_000, env: { TORTIE_FLOW_STORE: 'off' } },
  // Guests without KVM are slow, and slower on a machine that has other things to do.
  { name: 'traffic', workers: 1, timeoutMs: 700_000 },
];

function project({ name, workers, timeoutMs, env = {} }: Tier, order: number): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      setupFiles: ['test/support/fail-on-warning.ts'],
      pool: 'forks',
      maxWorkers: workers,
      fileParallelism: workers > 1,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      env,
      sequence: { groupOrder: order },
    },
  };
}

export default defineConfig({ test: { projects: tiers.map(project) } });
