import { describe, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TablePathEvaluator } from '../../../src/tables/path-evaluator.ts';
import { HOST_FLOWS, sizeOfRun } from '../../support/worlds/agreement.ts';
import { expectPathAgreement } from '../../support/worlds/path-agreement.ts';
import { newSeed } from '../../support/worlds/questions.ts';

const size = sizeOfRun(HOST_FLOWS);

describe('compiled lists of host endpoints', () => {
  it(`agree with the reference evaluator on ${size.flows} generated packets`, { timeout: size.timeoutMs }, () => {
    const subject = 'model == tables, past interfaces';
    expectPathAgreement({
      subject,
      seed: newSeed(subject),
      ...size,
      open: (world, interfaces) => {
        const compiler = new TableCompiler();
        const desired = desiredStateOf(world, '*');
        return new TablePathEvaluator(desired, interfaces, compiler, compiler.compile(desired));
      },
    });
  });
});
