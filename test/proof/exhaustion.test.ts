// Nothing left: tables, disk, descriptors, memory. The policy that was in force stays, packets are judged by it or by what came
// after, and the next change is in force once there is room again.
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { MIN_HEAP_WORDS } from '../../src/tables/compiler.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { MemoryGroup } from './support/memory-group.ts';
import { bundleAgent, expectNothingWrong, startArena } from './support/proof-arena.ts';
import {
  becomesDegraded,
  countFiles,
  fill,
  LIMIT_MS,
  limitFiles,
  logs,
  prefixesOf,
  rulesOf,
} from './support/shortage.ts';

/** Long enough for a change that is not going to be in force, and for packets to be judged meanwhile. */
const DEGRADED_MS = 1500;
/** Those of every process: what is closed leaves no room. */
const NO_FILES = 3;
/** Enough to read manifests and to answer with. */
const FEW_FILES = 3;
/**
 * A limit, and what somebody else takes of it. What an agent has when it comes to the group is not counted; the rest holds what V8 takes
 * before it collects: the halves of its young generation alone are three times 16 MiB.
 */
const MEMORY_BYTES = 2000 << 20;
const BALLAST_BYTES = 1905 << 20;
/** Less than it allocates for a few changes. */
const NO_MEMORY_BYTES = 4 << 20;
/** The least that the agent takes, but for room for this world's own addresses. */
const SMALL = { TORTIE_MAX_FLOWS: 1024, TORTIE_HEAP_WORDS: MIN_HEAP_WORDS, TORTIE_V6_NODES: 256 };

describe('an agent that runs out of', () => {
  let arena: FlipArena;
  let agent: Agent | undefined;
  const mounts: string[] = [];

  beforeAll(async () => {
    arena = await startArena(await bundleAgent('disk'));
  });

  afterEach(async () => {
    await agent?.kill();
    agent = undefined;
    for (const path of mounts.splice(0)) await runCommand(['umount', path]);
  });

  afterAll(async () => {
    await arena?.close();
  });

  async function mountSmall(name: string, options: string): Promise<string> {
    const path = join(arena.lab.directory, name);
    mkdirSync(path, { recursive: true });
    await runCommand(['mount', '-t', 'tmpfs', '-o', options, 'tortie-proof', path]);
    mounts.push(path);
    return path;
  }

  it('classes of ports keeps the last good policy, says so, and takes the next one', async () => {
    agent = await arena.start({ limits: ['l4-classes=64'] });
    const before = arena.generation;
    arena.manifests.write('60-too-much.yaml', rulesOf(400));
    const status = await agent.waitFor(({ error }) => error !== null, LIMIT_MS);
    expect(status.error?.code).toBe('LIMIT_EXCEEDED');
    expect(status).toMatchObject({ inSync: false, generation: before });
    await sleep(DEGRADED_MS);
    expect(arena.generation).toBe(before);
    arena.manifests.remove('60-too-much.yaml');
    await agent.waitFor(({ inSync }) => inSync, LIMIT_MS);
    await arena.flip(agent);
  });

  it('disk space goes on enforcing changes', async () => {
    const stateDirectory = await mountSmall('small', 'size=16m');
    agent = await arena.start({ stateDirectory });
    await arena.flip(agent);
    fill(stateDirectory);
    for (let flip = 0; flip < 10; flip += 1) await arena.flip(agent);
    expect(statfsSync(stateDirectory).bavail).toBe(0);
    await becomesDegraded(agent, 'DiskFull');
    expect(agent.log.join('\n')).toMatch(/ENOSPC|No space left on device/);
    await agent.kill();
    // What could not be written is no reason not to start.
    arena.write();
    agent = await arena.start({ stateDirectory });
    await arena.flip(agent);
    rmSync(join(stateDirectory, 'filler'));
    await arena.flip(agent);
    await becomesDegraded(agent);
  });

  it('permission to write its state goes on enforcing changes', async () => {
    const stateDirectory = await mountSmall('sealed', 'size=1m');
    agent = await arena.start({ stateDirectory });
    await arena.flip(agent);
    // The state is written down after a while without a change.
    await sleep(4000);
    await runCommand(['chattr', '+i', stateDirectory]);
    try {
      expect(() => writeFileSync(join(stateDirectory, 'probe'), '')).toThrow('EPERM');
      for (let flip = 0; flip < 5; flip += 1) await arena.flip(agent);
      await agent.kill();
      arena.write();
      agent = await arena.start({ stateDirectory });
      await arena.flip(agent);
    } finally {
      await runCommand(['chattr', '-i', stateDirectory]);
    }
    await arena.flip(agent);
  });

  it('file descriptors keeps the last good policy, says so, and takes the change when there are some again', async () => {
    agent = await arena.start();
    await limitFiles(agent, NO_FILES);
    const before = arena.generation;
    arena.write();
    await logs(agent, 'EMFILE', '"DescriptorsLow"');
    expect(agent.hasEnded).toBe(false);
    expect(arena.generation).toBe(before);
    // Enough for its work, and few enough to say so.
    await limitFiles(agent, countFiles(agent) + FEW_FILES);
    await becomesDegraded(agent, 'DescriptorsLow');
    expect(arena.generation).not.toBe(before);
    await arena.flip(agent);
    await limitFiles(agent, 4096);
    await becomesDegraded(agent);
    await arena.flip(agent);
  });

  it('memory says so, and goes on while there is some', async () => {
    const room = await mountSmall('memory', `size=${BALLAST_BYTES}`);
    const group = new MemoryGroup(`tortie-proof-${process.pid}`);
    try {
      agent = await arena.start();
      group.limit(MEMORY_BYTES);
      group.add(agent.pid as number);
      await group.fill(join(room, 'ballast'), BALLAST_BYTES);
      await becomesDegraded(agent, 'MemoryLow');
      for (let flip = 0; flip < 5; flip += 1) await arena.flip(agent);
      rmSync(join(room, 'ballast'));
      await becomesDegraded(agent);
      await arena.flip(agent);
    } finally {
      await agent?.kill();
      group.close();
    }
  });

  it('memory is killed at worst, and its successor is in sync', async () => {
    const group = new MemoryGroup(`tortie-proof-${process.pid}`);
    try {
      agent = await arena.start();
      group.add(agent.pid as number);
      group.limit(NO_MEMORY_BYTES);
      for (let round = 0; round < 20 && !agent.hasEnded; round += 1) {
        arena.write();
        await sleep(100);
      }
      expect(group.hits).toBeGreaterThan(0);
      await agent.kill();
      arena.write();
      agent = await arena.start();
      await arena.flip(agent);
    } finally {
      await agent?.kill();
      group.close();
    }
  });

  it('any of these has no packet judged by another policy than one that can be in force', async () => {
    await expectNothingWrong(arena);
  });
});

describe('an agent with small tables that runs out of room for', () => {
  let arena: FlipArena;
  let agent: Agent;

  beforeAll(async () => {
    const sizes = Object.entries(SMALL).map(([name, value]) => `${name}=${value}`);
    arena = await startArena(await bundleAgent('tables'), {
      wrapper: ['env', ...sizes],
      limits: ['l4-classes=4000'],
    });
    agent = await arena.start();
  });

  afterAll(async () => {
    await arena?.close();
  });

  it.each([
    ['regions of the heap', rulesOf(7000, 3500), { code: 'TABLE_FULL', target: 'tt_heap' }],
    ['nodes of IPv6 addresses', prefixesOf(600), { code: 'TABLE_FULL', target: 'tt_v6_nodes' }],
    ['classes of ports', rulesOf(4500), { code: 'LIMIT_EXCEEDED' }],
  ])('%s keeps the last good policy, says so, and takes the next one', async (_what, documents, error) => {
    const before = arena.generation;
    arena.manifests.write('60-too-much.yaml', documents);
    const status = await agent.waitFor((one) => one.error !== null, LIMIT_MS, 50);
    expect(status.error).toMatchObject(error);
    expect(status.inSync).toBe(false);
    expect(status.generation).toBe(before);
    await sleep(DEGRADED_MS);
    expect(arena.generation).toBe(before);
    arena.manifests.remove('60-too-much.yaml');
    await agent.waitFor(({ inSync }) => inSync, LIMIT_MS, 50);
    await arena.flip(agent);
  });

  it('flows makes room at the cost of the oldest, which are judged anew', async () => {
    for (let flip = 0; flip < 10; flip += 1) await arena.flip(agent);
    const status = await agent.status();
    expect(status?.counters.flow_evicted?.packets).toBeGreaterThan(0);
    expect(status?.flows).toBeLessThanOrEqual(SMALL.TORTIE_MAX_FLOWS);
  });

  it('any of these has no packet judged by another policy than one that can be in force', async () => {
    await expectNothingWrong(arena);
  });
});
