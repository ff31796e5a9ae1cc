// What test/proof proves of the host's kernel, as much of it as a guest has time for: a start takes one as long as a hundred changes.
// The agent is killed, has system calls fail and is replaced by one of another layout, under traffic of which every packet is judged.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultPlan, FaultyAgent } from '../../tools/lab/faults.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { failInFlips, longestFlip } from '../proof/support/flip-faults.ts';
import { expectNothingWrong, startArena } from '../proof/support/proof-arena.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';

const FLIPS = 20;
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

  it('has its policy changed, also when a system call fails, and is killed in the middle of a change', async () => {
    await traceStart();
    startCalls = faulty.calls;
    await faulty.replan({ kind: 'trace' });
    for (let flip = 0; flip < FLIPS; flip += 1) await arena.flip(faulty.agent);
    const calls = await longestFlip(arena, faulty);
    const named = calls.flatMap((call, index) =>
      TO_KERNEL.test(call) && calls.indexOf(call) === index ? [index + 1] : [],
    );
    console.log(JSON.stringify(await failInFlips(arena, faulty, calls, named)));
    await faulty.replan(killIn(calls));
    arena.write();
    const before = arena.generation;
    for (let waits = 0; !faulty.agent.hasEnded && (arena.generation === before || waits < 20); waits += 1)
      await sleep(POLL_MS);
    await dies();
  });

  it('is killed in its start, at random and at a call', async () => {
    arena.write();
    const agent = arena.launch();
    await sleep(random.below(START_MS));
    await agent.kill();
    arena.write();
    faulty = await arena.launchFaulty(killIn(startCalls));
    await dies();
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
