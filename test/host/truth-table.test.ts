// Every ordered pair of workloads, outsiders and the host, every kind of probe, both families, with real sockets and the agent
// running: what gets through is what the reference evaluator says of the same manifests.
import { afterAll, beforeAll, describe } from 'vitest';
import type { Agent } from '../../tools/lab/agent.ts';
import { PolicyTruth } from './support/policy-truth.ts';
import { Setting } from './support/setting.ts';
import { LISTENERS, OUTSIDERS, POLICIES, testTruth, WORKLOADS } from './support/truth-suite.ts';

describe('a policy set of every kind', () => {
  let setting: Setting;
  let truth: PolicyTruth;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, outsiders: OUTSIDERS, listeners: LISTENERS });
    setting.manifests.copyFrom(POLICIES);
    truth = new PolicyTruth(setting.manifests.path);
    agent = await setting.startAgent();
  });

  afterAll(async () => {
    await setting?.close();
  });

  testTruth(() => ({ setting, truth, agent }));
});
