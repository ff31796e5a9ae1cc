// Two builds take turns under traffic while the policy changes: what one has put in force the other takes over.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlipArena } from '../../tools/lab/flip-arena.ts';
import { type Builds, makeBuilds } from '../../tools/traffic/builds.ts';
import { expectNothingWrong, programOf, startArena } from './support/proof-arena.ts';

/** Ten times there, ten times back. */
const TURNS = 20;
const FLIPS = 3;

describe('an agent that is replaced by another build', () => {
  let arena: FlipArena;
  let builds: Builds;

  beforeAll(async () => {
    builds = await makeBuilds(join('build', 'proof', 'upgrades'));
    arena = await startArena(programOf(builds.current));
  });

  afterAll(async () => {
    await arena?.close();
  });

  it('goes up and down without a wrong packet', async () => {
    const versions: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const before = arena.generation;
      // What changes while nobody is there is in force once the next one is.
      if (turn % 4 < 2) arena.write();
      const agent = await arena.start({ program: programOf(turn % 2 === 0 ? builds.next : builds.current) });
      const status = await agent.waitFor(({ loading }) => !loading, 20_000);
      versions.push(status.version);
      expect(status.inSync).toBe(true);
      // Counted on from where the other build stopped: its tables were taken over, not made anew.
      expect(status.generation).toBeGreaterThanOrEqual(before);
      expect(status.generation).toBeLessThanOrEqual(before + 2);
      for (let flip = 0; flip < FLIPS; flip += 1) await arena.flip(agent);
      if (turn % 3 === 0) await agent.kill();
      else expect(await agent.stop()).toBe(0);
    }
    expect(new Set(versions).size).toBe(2);
    expect(versions.every((version, turn) => turn === 0 || version !== versions[turn - 1])).toBe(true);
    await expectNothingWrong(arena);
  });
});
