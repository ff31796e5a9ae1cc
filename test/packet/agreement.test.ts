import { describe, it } from 'vitest';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { KernelEvaluator } from '../../src/kernel/evaluator.ts';
import { expectAgreement, sizeOfRun } from '../support/worlds/agreement.ts';
import { newSeed } from '../support/worlds/questions.ts';

// Loading the programs takes as long as some hundred flows.
const size = sizeOfRun({ flows: 24_000, flowsPerWorld: 400 });

describe('loaded programs', () => {
  it(`agree with the reference evaluator on ${size.flows} generated flows`, { timeout: size.timeoutMs }, () => {
    const subject = 'kernel == model';
    expectAgreement({
      subject,
      seed: newSeed(subject),
      ...size,
      open: (world) => new KernelEvaluator(desiredStateOf(world, '*')),
    });
  });
});
