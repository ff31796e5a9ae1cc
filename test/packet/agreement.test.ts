import { afterAll, describe, it } from 'vitest';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { KernelEvaluator } from '../../src/kernel/evaluator.ts';
import type { World } from '../../src/model/world.ts';
import { MIN_HEAP_WORDS } from '../../src/tables/compiler.ts';
import { expectAgreement, type Judge, sizeOfRun } from '../support/worlds/agreement.ts';
import { newSeed } from '../support/worlds/questions.ts';

/** Room for any generated world, all of which are small. */
const ROOM = { sizes: { heapWords: MIN_HEAP_WORDS, v6Nodes: 4096 }, endpoints: 128 };
const size = sizeOfRun({ flows: 24_000, flowsPerWorld: 400 });

let kernel: KernelEvaluator | undefined;
afterAll(() => kernel?.close());

/** Programs are loaded once: that takes longer than all the flows of a world. */
function open(world: World): Judge {
  const desired = desiredStateOf(world, '*');
  kernel?.load(desired);
  const loaded = kernel ?? new KernelEvaluator(desired, ROOM);
  kernel = loaded;
  return { evaluate: (flow) => loaded.evaluate(flow) };
}

describe('loaded programs', () => {
  it(`agree with the reference evaluator on ${size.flows} generated flows`, { timeout: size.timeoutMs }, () => {
    const subject = 'kernel == model';
    expectAgreement({ subject, seed: newSeed(subject), ...size, open });
  });
});
