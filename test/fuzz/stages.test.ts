import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Reason } from '../../src/abi/event.gen.ts';
import { fuzz } from '../../tools/fuzz/target.ts';
import { TARGETS } from '../../tools/fuzz/targets.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const seed = Number(process.env.TORTIE_SEED ?? 1);
const seconds = Number(process.env.TORTIE_FUZZ_SECONDS ?? 40);

const ENDS: readonly number[] = [
  Reason.ALLOWED_CACHED,
  Reason.ALLOWED_FLOW,
  Reason.ALLOWED_NEW,
  Reason.ALLOWED_RELATED,
  Reason.DROP_EGRESS_POLICY,
  Reason.DROP_INGRESS_POLICY,
  Reason.DROP_REVOKED,
  Reason.DROP_FRAGMENT_ORPHAN,
];

describe('C stages under sanitizers', () => {
  it(`give every packet the reference evaluator's verdict, for ${seconds} s`, {
    timeout: (seconds + 600) * 1000,
  }, async () => {
    console.info(`fuzz stages: TORTIE_SEED=${seed}`);
    const outcome = await fuzz(TARGETS.stages, { root, seconds, seed, worlds: 4, print: console.info });
    console.info(`fuzz stages: ${outcome.packets} packets`);
    expect(outcome.isGood ? undefined : `${outcome.log}\n${outcome.reproduction}`).toBeUndefined();
    // A harness in which nothing but drops ever happens would agree with anything.
    const unseen = ENDS.filter((reason) => (outcome.ends[reason] ?? 0) === 0);
    expect(unseen).toEqual([]);
  });
});
