import { describe, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import { expectAgreement, sizeOfRun } from '../../support/worlds/agreement.ts';
import { newSeed } from '../../support/worlds/questions.ts';

const size = sizeOfRun({ flows: 100_000, flowsPerWorld: 200 });

describe('compiled tables', () => {
  it(`agree with the reference evaluator on ${size.flows} generated flows`, { timeout: size.timeoutMs }, () => {
    const subject = 'model == tables';
    expectAgreement({
      subject,
      seed: newSeed(subject),
      ...size,
      open: (world) => {
        const compiler = new TableCompiler();
        const desired = desiredStateOf(world, '*');
        return new TableEvaluator(desired, compiler, compiler.compile(desired));
      },
    });
  });
});
