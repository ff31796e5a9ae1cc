import { describe, expect, it } from 'vitest';
import { parseFlowQuestion } from '../../../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import { judge } from '../../../support/judge.ts';
import { worldFrom } from '../../../support/world-from.ts';

const WORKLOAD = `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: w, namespace: web}
spec:
  orchestrator: cni
  node: n
  ipNetworks: [10.0.0.1]
  ports:
  - {name: media, protocol: UDPLite, port: 5004}
  - {name: media, protocol: UDP, port: 5006}
  - {name: old, protocol: 136, port: 9}
`;
const policy = (rule: string): string => `${WORKLOAD}---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: web}
spec: {ingress: [${rule}]}
`;
const flow = (protocol: string | number, dstPort: number, srcPort = 40_000) => {
  return { src: '192.0.2.1', dst: '10.0.0.1', protocol, dstPort, srcPort };
};

describe('a rule about UDPLite', () => {
  it.each([
    ['protocol: UDPLite', flow('UDPLite', 1), 'allow'],
    ['protocol: UDPLite', flow('UDP', 1), 'deny'],
    ['protocol: 136, destination: {ports: [5004]}', flow(136, 5004), 'allow'],
    ['protocol: 136, destination: {ports: [5004]}', flow(136, 5005), 'deny'],
    ['protocol: 136, destination: {ports: [5004]}', flow('UDP', 5004), 'deny'],
    ['protocol: udplite, destination: {ports: ["1:65535"]}', flow('UDPLite', 65535), 'allow'],
    ['protocol: udplite, destination: {ports: ["1:65535"]}', flow('UDPLite', 0), 'deny'],
    ['protocol: UDPLite, destination: {notPorts: ["5000:5010"]}', flow('UDPLite', 5004), 'deny'],
    ['protocol: UDPLite, destination: {notPorts: ["5000:5010"]}', flow('UDPLite', 4999), 'allow'],
    ['protocol: UDPLite, source: {ports: [40000]}', flow('UDPLite', 1), 'allow'],
    ['protocol: UDPLite, source: {notPorts: [40000]}', flow('UDPLite', 1), 'deny'],
    ['protocol: UDPLite, destination: {ports: [media]}', flow('UDPLite', 5004), 'allow'],
    ['protocol: UDPLite, destination: {ports: [media]}', flow('UDPLite', 5006), 'deny'],
    ['protocol: UDPLite, destination: {ports: [media, 7]}', flow('UDPLite', 7), 'allow'],
    ['protocol: UDPLite, destination: {notPorts: [media]}', flow('UDPLite', 5004), 'deny'],
    ['protocol: UDP, destination: {ports: [media]}', flow('UDPLite', 5004), 'deny'],
    ['notProtocol: UDPLite', flow('UDPLite', 5004), 'deny'],
  ])('{%s} says of %j: %s', (rule, question, verdict) => {
    expect(judge(policy(`{action: Allow, ${rule}}`), question)[0]?.verdict).toBe(verdict);
  });
});

describe('a named port without protocol', () => {
  it.each([
    [flow('UDPLite', 5004), 'allow'],
    [flow('UDP', 5006), 'allow'],
    [flow('UDP', 5004), 'deny'],
    [flow('TCP', 5004), 'deny'],
    [flow('UDPLite', 9), 'allow'],
    [flow('ICMP', 0), 'deny'],
  ])('is of whichever protocol the endpoint defines it for: %j', (question, verdict) => {
    const world = worldFrom(policy('{action: Allow, destination: {ports: [media, old]}}'));
    const { flow: asked } = parseFlowQuestion(question);
    expect(new ReferenceEvaluator(world).evaluate(asked).verdict).toBe(verdict);
  });
});
