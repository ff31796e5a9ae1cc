import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../tools/fuzz/target.ts';
import { TARGETS } from '../../tools/fuzz/targets.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const seed = Number(process.env.TORTIE_SEED ?? 1);
const seconds = Number(process.env.TORTIE_FUZZ_SECONDS ?? 5);
/** Each sort of prefix set that is made is in one of so many files. */
const FILES = 6;

describe('guard under sanitizers', () => {
  it(`gives every frame what the longest prefix or a hole in the table says, for ${seconds} s`, {
    timeout: (seconds + 300) * 1000,
  }, async () => {
    console.info(`fuzz guard: TORTIE_SEED=${seed}`);
    const outcome = await fuzz(TARGETS.guard, { root, seconds, seed, worlds: FILES, print: console.info });
    console.info(`fuzz guard: ${outcome.packets} frames`);
    expect(outcome.isGood ? undefined : `${outcome.log}\n${outcome.reproduction}`).toBeUndefined();
    const unseen = Object.entries(TARGETS.guard.ends).filter(([, end]) => (outcome.ends[end] ?? 0) === 0);
    expect(unseen).toEqual([]);
  });
});
