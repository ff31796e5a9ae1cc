// What test/proof proves of the host's kernel, as much of it as a guest has time for: a start takes one as long as a hundred changes.
// The agent is killed, has system calls fail, runs out of room, is abused and is replaced by one of another layout, under traffic of
// which every packet is judged.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { socketPath } from '../../tools/lab/agent.ts';
import type { FaultPlan, FaultyAgent } from '../../tools/lab/faults.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { abuseApi } from '../proof/support/abuse.ts';
import { callsOfFlips, failInFlips, traceFlips } from '../proof/support/flip-faults.ts';
import { expectNothingWrong, startArena } from '../proof/support/proof-arena.ts';
import { becomesDegraded, fill, LIMIT_MS, limitFiles, logs, rulesOf } from '../proof/support/shortage.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';

const FLIPS = 20;
/** To have one call fail. */
const TRIES = 3;
/** In a start: half at random, half at a call. */
const KILLS = 2;
/** While something is missing. */
const FLIPS_WITHOUT = 5;
/** Those of every process: what is closed leaves no room. */
const NO_FILES = 3;
const MANY_FILES = 4096;
const L4_CLASSES = 64;
/** Each of another port. */
const TOO_MANY_RULES = 100;
const ABUSES = 60;
/** Between two packets of a flow: each takes a guest a millisecond. */
const TICK_MS = 150;
/** Of a start; the whole of one may take longer. */
const START_MS = 800 * PATIENCE;
const POLL_MS = 50;
/** What a change does to the kernel's maps. */
const TO_KERNEL = /^bpf:/;
/** What a start or a takeover changes in the kernel. */
const CHANGES = /^(bpf:(?!OBJ_GET|MAP_LOOKUP|PROG_QUERY)|mkdir|unlink|rename|send\w*:netlink)/;

function programOf(variable: string): string {
  const program = process.env[variable];
  if (program === undefined) throw new Error(`${variable} is not set: the tier of guests sets it`);
  return program;
}

describe('an agent under traffic', () => {
  let arena: FlipArena;
  let startCalls: readonly string[];
  let faulty: FaultyAgent;
  const random = new Random(newSeed('proof'));

  beforeAll(async () => {
    arena = await startArena(programOf('TORTIE_PROGRAM'), {}, TICK_MS);
  });

  afterAll(async () => {
    await arena?.close();
  });

  /** In force, with the calls that brought it about. */
  async function traceStart(program?: string): Promise<void> {
    arena.write();
    faulty = await arena.launchFaulty({ kind: 'trace' }, { program });
    await arena.settle(faulty.agent);
  }

  /** The end of an agent that is to die on the way. */
  async function dies(): Promise<void> {
    while (!faulty.agent.hasEnded && !(await faulty.agent.isReady())) await sleep(POLL_MS);
    const { isDone, calls } = faulty;
    console.log(isDone ? `killed at call ${calls.length}, ${calls.at(-1)}` : 'killed behind its start');
    await faulty.agent.kill();
    await faulty.agent.ended();
  }

  /** Before or behind any call that changes something. */
  function killIn(calls: readonly string[]): FaultPlan {
    const at = random.pick(calls.flatMap((call, index) => (CHANGES.test(call) ? [index + 1] : [])));
    return { kind: random.pick(['kill', 'kill-after']), at };
  }

  it('has its policy changed', async () => {
    await traceStart();
    startCalls = faulty.calls;
    await faulty.replan({ kind: 'trace' });
    for (let flip = 0; flip < FLIPS; flip += 1) await arena.flip(faulty.agent);
  });

  it('puts the next change in force when a system call fails, and is killed in the middle of a change', async () => {
    const traces = await traceFlips(arena, faulty);
    // Of what every change makes: what is called by the clock takes a guest minutes to meet.
    const named = callsOfFlips(traces).filter(
      (call) =>
        TO_KERNEL.test(call) &&
        call.endsWith(' #1') &&
        [...traces.values()].every((calls) => calls.includes(call.replace(/ #1$/, ''))),
    );
    const outcomes = await failInFlips(arena, faulty, traces, named, TRIES);
    console.log(JSON.stringify(outcomes));
    // What a guest does not meet in so many changes is met on the host, where test/proof leaves none.
    expect(outcomes.left.length, named.join()).toBeLessThan(named.length);
    await faulty.replan(killIn([...traces.values()][0] as string[]));
    arena.write();
    const before = arena.generation;
    for (let waits = 0; !faulty.agent.hasEnded && (arena.generation === before || waits < 20); waits += 1)
      await sleep(POLL_MS);
    await dies();
  });

  it('is killed in its start, at random and at a call', async () => {
    for (let kill = 0; kill < KILLS; kill += 2) {
      arena.write();
      const agent = arena.launch();
      await sleep(random.below(START_MS));
      await agent.kill();
      arena.write();
      faulty = await arena.launchFaulty(killIn(startCalls));
      await dies();
    }
  });

  it('runs out of classes of ports, disk and descriptors, is abused, and takes the next change each time', async () => {
    const stateDirectory = join(arena.lab.directory, 'small');
    mkdirSync(stateDirectory);
    await runCommand(['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tortie-proof', stateDirectory]);
    try {
      const agent = await arena.start({ stateDirectory, limits: [`l4-classes=${L4_CLASSES}`] });
      let before = arena.generation;
      arena.manifests.write('60-too-much.yaml', rulesOf(TOO_MANY_RULES));
      const status = await agent.waitFor(({ error }) => error !== null, LIMIT_MS);
      expect(status.error?.code).toBe('LIMIT_EXCEEDED');
      expect(arena.generation).toBe(before);
      arena.manifests.remove('60-too-much.yaml');
      await agent.waitFor(({ inSync }) => inSync, LIMIT_MS);
      await arena.flip(agent);

      fill(stateDirectory);
      for (let flip = 0; flip < FLIPS_WITHOUT; flip += 1) await arena.flip(agent);
      await becomesDegraded(agent, 'DiskFull');
      rmSync(join(stateDirectory, 'filler'));
      await arena.flip(agent);
      await becomesDegraded(agent);

      before = arena.generation;
      await limitFiles(agent, NO_FILES);
      arena.write();
      await logs(agent, 'EMFILE', '"DescriptorsLow"');
      expect(arena.generation).toBe(before);
      await limitFiles(agent, MANY_FILES);
      await becomesDegraded(agent);
      await arena.flip(agent);

      const release = await abuseApi(socketPath(arena.lab), random, ABUSES);
      for (let flip = 0; flip < FLIPS_WITHOUT; flip += 1) await arena.flip(agent);
      release();
      await arena.flip(agent);
      expect(agent.hasEnded).toBe(false);
      await agent.kill();
    } finally {
      await runCommand(['umount', '--lazy', stateDirectory]);
    }
  });

  it('is replaced by one of another layout, which is killed on its way back', async () => {
    await traceStart(programOf('TORTIE_OTHER_LAYOUT'));
    const { calls } = faulty;
    await arena.flip(faulty.agent);
    await faulty.agent.kill();
    arena.write();
    faulty = await arena.launchFaulty(killIn(calls));
    await dies();
    const agent = await arena.start();
    for (let flip = 0; flip < 5; flip += 1) await arena.flip(agent);
    await agent.kill();
  });

  it('never has a packet judged but by a version that can be in force', async () => {
    await expectNothingWrong(arena);
    expect(arena.flips).toBeGreaterThan(FLIPS);
  });
});
