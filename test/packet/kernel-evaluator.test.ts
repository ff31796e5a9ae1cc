import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { KernelEvaluator } from '../../src/kernel/evaluator.ts';
import { parseFlowQuestion } from '../../src/model/flow-question.ts';
import { worldFrom } from '../support/world-from.ts';

const POD = `
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.1 }] }
`;

const question = { src: '10.0.0.1', dst: '192.0.2.1', protocol: 'UDP', dstPort: 53 };

function policy(action: string): string {
  return `
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: { name: all }
spec: { types: [Egress], egress: [{ action: ${action}, destination: { nets: [192.0.2.0/24] } }] }
`;
}

it('goes by the state that it was given last, and by nothing of those before', () => {
  const stateOf = (manifests: string) => desiredStateOf(worldFrom(manifests), '*');
  const other = POD.replace('10.0.0.1', '10.0.0.2').replace('web', 'api');
  const kernel = new KernelEvaluator(stateOf(POD + policy('Deny')), { endpoints: 2 });
  const { flow } = parseFlowQuestion(question);
  const { flow: fromOther } = parseFlowQuestion({ ...question, src: '10.0.0.2' });
  const judged = () => [flow, fromOther].map((one) => kernel.evaluate(one).egress?.verdict);
  try {
    expect(judged()).toEqual(['deny', undefined]);
    kernel.load(stateOf(POD + policy('Allow')));
    expect(judged()).toEqual(['allow', undefined]);
    kernel.load(stateOf(other + policy('Deny')));
    expect(judged()).toEqual([undefined, 'deny']);
    kernel.load(stateOf(`${POD}---${other}${policy('Allow')}`));
    expect(judged()).toEqual(['allow', 'allow']);
  } finally {
    kernel.close();
  }
});

it('judges any number of flows with the descriptors that it opened at first', () => {
  const kernel = new KernelEvaluator(desiredStateOf(worldFrom(POD), '*'));
  const { flow } = parseFlowQuestion(question);
  try {
    kernel.evaluate(flow);
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 2000; count += 1) kernel.evaluate(flow);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  } finally {
    kernel.close();
  }
});
