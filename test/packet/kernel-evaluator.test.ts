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

it('judges any number of flows with the descriptors that it opened at first', () => {
  const kernel = new KernelEvaluator(desiredStateOf(worldFrom(POD), '*'));
  const { flow } = parseFlowQuestion({ src: '10.0.0.1', dst: '192.0.2.1', protocol: 'UDP', dstPort: 53 });
  try {
    kernel.evaluate(flow);
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 2000; count += 1) kernel.evaluate(flow);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  } finally {
    kernel.close();
  }
});
