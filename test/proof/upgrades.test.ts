// Builds take turns under traffic while the policy changes: what one has put in force another takes over, whether they share
// their tables or not. Connections live on, and are counted on.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Layout } from '../../src/abi/common.gen.ts';
import { pinRoot } from '../../tools/lab/agent.ts';
import { makeVariant, OTHER_PROGRAMS, otherLayout, otherLiveLayout } from '../../tools/lab/build-variant.ts';
import type { FaultPlan } from '../../tools/lab/faults.ts';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { type Builds, makeBuilds } from '../../tools/traffic/builds.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { LiveFlows } from './support/live-flows.ts';
import { expectNothingWrong, programOf, startArena, tally } from './support/proof-arena.ts';
import { shareOf, TIMEOUT_MS } from './support/share.ts';

/** Ten times there, ten times back. */
const WHOLE_TURNS = Number(process.env.TORTIE_PROOF_UPGRADES ?? 20);
const TURNS = Number(process.env.TORTIE_PROOF_UPGRADES ?? shareOf(20, 4));
const KILLS = Number(process.env.TORTIE_PROOF_UPGRADE_KILLS ?? shareOf(40, 10));
const FLIPS = 3;
const POLL_MS = 5;
/** Longer than an upgrade takes on a machine with nothing else to do. */
const START_MS = 1200;
/** What brings a takeover about. */
const CALLS = /^(bpf|mkdir|rmdir|unlink|rename)/;
const HAND_OVER = 'bpf:LINK_UPDATE';
const REMOVAL = 'unlink:/bpf/tortie/v';
const FOLDER = join('build', 'proof', 'upgrades');

describe('an agent that is replaced by another build', () => {
  let builds: Builds;
  let programs: string;
  let layout: string;
  let otherLive: string;
  let arena: FlipArena | undefined;

  beforeAll(async () => {
    builds = await makeBuilds(FOLDER);
    programs = await makeVariant(builds.current, `${builds.current}-programs`, OTHER_PROGRAMS);
    otherLive = await makeVariant(
      builds.current,
      `${builds.current}-live`,
      otherLiveLayout(Layout.VERSION + 2, Layout.LIVE_VERSION + 1),
    );
    layout = await makeVariant(builds.current, `${builds.current}-layout`, otherLayout(Layout.VERSION + 1));
  });

  afterEach(async () => {
    await arena?.close();
    arena = undefined;
  });

  it.each([
    ['of the same programs', () => builds.next, 'auto', TURNS],
    ['of other programs', () => programs, 'auto', TURNS],
    ['of another layout', () => layout, 'auto', WHOLE_TURNS],
    ['of another layout, by clsact filters', () => layout, 'clsact', TURNS],
  ] as const)(
    '%s, goes up and down without a wrong packet',
    {
      timeout: TIMEOUT_MS,
    },
    async (_, other, attach, turns) => {
      const running = await startArena(programOf(builds.current), { attach });
      arena = running;
      const live = await LiveFlows.find(running);
      const versions: string[] = [];
      let allowedBefore = 0;
      for (let turn = 0; turn < turns; turn += 1) {
        const before = running.generation;
        // What changes while nobody is there is in force once the next one is.
        if (turn % 4 < 2) running.write();
        const agent = await running.start({ program: programOf(turn % 2 === 0 ? other() : builds.current) });
        const status = await agent.waitFor(({ loading }) => !loading, 20_000);
        versions.push(status.version);
        expect(status.inSync).toBe(true);
        // Counted on from where the other build stopped.
        expect(status.generation).toBeGreaterThanOrEqual(before);
        expect(status.generation).toBeLessThanOrEqual(before + 2);
        const allowed = status.counters.allowed_cached?.packets ?? 0;
        expect(allowed).toBeGreaterThan(allowedBefore);
        allowedBefore = allowed;
        live.expectCountedOn();
        for (let flip = 0; flip < FLIPS; flip += 1) await running.flip(agent);
        if (turn % 3 === 0) await agent.kill();
        else expect(await agent.stop()).toBe(0);
      }
      expect(new Set(versions).size).toBe(2);
      expect(versions.every((version, turn) => turn === 0 || version !== versions[turn - 1])).toBe(true);
      await expectNothingWrong(running);
      live.expectExact();
    },
  );

  it('that keeps connections in another way, lets no wrong packet pass and loses no connection', async () => {
    const running = await startArena(programOf(builds.current));
    arena = running;
    for (let turn = 0; turn < TURNS / 5; turn += 1) {
      if (turn % 4 < 2) running.write();
      const agent = await running.start({ program: programOf(turn % 2 === 0 ? otherLive : builds.current) });
      expect(agent.log.join()).toContain('judged anew');
      for (let flip = 0; flip < FLIPS; flip += 1) await running.flip(agent);
      await agent.kill();
    }
    await expectNothingWrong(running);
  });

  it('of another layout, that attaches in another way, goes up and down without a wrong packet', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const running = await startArena(programOf(builds.current), { attach: 'tcx' });
    arena = running;
    const live = await LiveFlows.find(running);
    for (let turn = 0; turn < TURNS / 2; turn += 1) {
      if (turn % 4 < 2) running.write();
      const [program, attach] = turn % 2 === 0 ? ([layout, 'clsact'] as const) : ([builds.current, 'tcx'] as const);
      const agent = await running.start({ program: programOf(program), attach });
      live.expectCountedOn();
      for (let flip = 0; flip < FLIPS; flip += 1) await running.flip(agent);
      await agent.kill();
    }
    await expectNothingWrong(running);
    live.expectExact();
  });

  it('of another layout, is killed on the way, and whoever comes next finds all in force', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const random = new Random(newSeed('upgrades'));
    const running = await startArena(programOf(builds.current));
    arena = running;
    const live = await LiveFlows.find(running);
    const ends: string[] = [];
    let instants = await instantsOf(running, random, [programOf(layout), programOf(builds.current)]);
    for (let kill = 0; kill < KILLS; kill += 1) {
      // It may take over or come back to what is in force: chance decides, and so it does for who comes next.
      const program = programOf(random.below(2) === 0 ? builds.current : layout);
      if (kill % 3 === 0) running.write();
      const instant = kill % 4 === 0 ? undefined : instants[kill % instants.length];
      ends.push(await killOnTheWay(running, random, program, instant));
      if (kill % 5 !== 4) continue;
      const agent = await running.start({ program: programOf(random.below(2) === 0 ? builds.current : layout) });
      for (let flip = 0; flip < FLIPS; flip += 1) await running.flip(agent);
      await agent.kill();
      instants = random.shuffle(instants);
    }
    console.log(JSON.stringify(tally(ends)));
    expect(new Set(ends).size).toBeGreaterThan(KILLS / 3);
    await (await running.start()).kill();
    expect(layoutsPinned(running)).toEqual([`live-v${Layout.LIVE_VERSION}`, `v${Layout.VERSION}`]);
    await expectNothingWrong(running);
    live.expectExact();
  });
});

/** Kills an agent in its start: at a named instant, or at a random one. Returns which. */
async function killOnTheWay(
  arena: FlipArena,
  random: Random,
  program: string,
  instant: Instant | undefined,
): Promise<string> {
  if (instant === undefined) {
    const agent = arena.launch({ program });
    await sleep(random.below(START_MS));
    await agent.kill();
    return 'at random';
  }
  const [name, plan] = instant;
  const faulty = await arena.launchFaulty(plan, { program });
  while (!faulty.agent.hasEnded && !(await faulty.agent.isReady())) await sleep(POLL_MS);
  if (!faulty.isDone) await faulty.agent.kill();
  await faulty.agent.ended();
  return faulty.isDone ? name : 'behind a start';
}

type Instant = readonly [name: string, plan: FaultPlan];

/** Before and behind calls to the kernel's programs, maps and pins that a takeover makes, in no order. */
async function instantsOf(arena: FlipArena, random: Random, programs: readonly string[]): Promise<Instant[]> {
  const instants: Instant[] = [];
  for (const program of programs) {
    arena.write();
    const faulty = await arena.launchFaulty({ kind: 'trace' }, { program });
    await arena.settle(faulty.agent);
    const { calls } = faulty;
    for (const at of chooseCalls(calls, random)) {
      const call = calls[at] as string;
      instants.push([`before ${call}`, { kind: 'kill', at: at + 1 }]);
      instants.push([`behind ${call}`, { kind: 'kill-after', at: at + 1 }]);
    }
    await faulty.agent.kill();
  }
  return random.shuffle(instants);
}

/** One of each name, and each from the first interface that changes hands to the last that is left of the others. */
function chooseCalls(calls: readonly string[], random: Random): number[] {
  const places = calls.flatMap((call, at) => (CALLS.test(call) ? [at] : []));
  const first = calls.indexOf(HAND_OVER);
  const last = first < 0 ? first : calls.findLastIndex((call) => call.startsWith(REMOVAL));
  const named = [...new Set(places.map((at) => calls[at]))].map((name) => {
    const ofName = places.filter((at) => calls[at] === name);
    return random.pick(ofName);
  });
  return [...new Set([...named, ...places.filter((at) => first >= 0 && at >= first && at <= last)])];
}

function layoutsPinned(arena: FlipArena): string[] {
  return readdirSync(pinRoot(arena.lab))
    .filter((name) => /v\d+$/.test(name))
    .sort();
}
