import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { type FlowQuestion, formatAnswer, parseFlowQuestion } from '../../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import type { FlowVerdict } from '../../../src/model/verdict.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import type { Manifest } from '../../support/worlds/manifests.ts';
import { worldOf } from '../../support/worlds/questions.ts';

/** A difference between engines that was found once: the smallest manifests and the flow that showed it. */
interface Case {
  readonly name: string;
  readonly manifests: readonly Manifest[];
  readonly flow: Readonly<Record<string, unknown>>;
  readonly ingress: readonly string[];
  readonly isLogged: boolean;
}

const v3 = 'projectcalico.org/v3';
const logFrom = (source: Manifest, more: Manifest = {}): Manifest => ({
  apiVersion: v3,
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'a' },
  spec: { ingress: [{ action: 'Log', source, ...more }] },
});
const workload = (name: string, address: string, ports: readonly Manifest[] = []): Manifest => ({
  apiVersion: v3,
  kind: 'WorkloadEndpoint',
  metadata: { namespace: 'web', name },
  spec: { orchestrator: 'cni', workload: name, node: 'node1', ipNetworks: [address], ports },
});

const cases: readonly Case[] = [
  {
    name: 'a range of UDPLite ports',
    manifests: [workload('w', '172.16.0.2'), logFrom({}, { protocol: 136, destination: { ports: ['443:42699'] } })],
    flow: { src: '10.1.1.255', dst: '172.16.0.2', protocol: 136, srcPort: 30235, dstPort: 13130 },
    ingress: ['0|default|gnp:a|deny|-1'],
    isLogged: true,
  },
  {
    name: 'a named UDPLite port as the source, without protocol',
    manifests: [
      workload('w', '2001:db8::100'),
      workload('peer', 'fd00::2', [{ name: 'http', protocol: 'udplite', port: 65534 }]),
      logFrom({ ports: ['http'] }),
    ],
    flow: { src: 'fd00::2', dst: '2001:db8::100', protocol: 136, srcPort: 65534, dstPort: 53 },
    ingress: ['0|default|gnp:a|deny|-1'],
    isLogged: true,
  },
  {
    name: 'a named UDPLite port that is not meant, without protocol',
    manifests: [
      workload('w', '172.16.0.2', [{ name: 'http', protocol: 136, port: 80 }]),
      logFrom({}, { destination: { notPorts: ['http'] } }),
    ],
    flow: { src: '10.1.1.255', dst: '172.16.0.2', protocol: 'UDPLite', srcPort: 1, dstPort: 80 },
    ingress: ['0|default|gnp:a|deny|-1'],
    isLogged: false,
  },
];

describe('a difference between engines that was found once', () => {
  it.each(cases)('is gone: $name', ({ manifests, flow, ingress, isLogged }) => {
    const world = worldOf(manifests);
    const { flow: asked }: FlowQuestion = parseFlowQuestion(flow);
    const compiler = new TableCompiler();
    const desired = desiredStateOf(world, '*');
    const found = new TableEvaluator(desired, compiler, compiler.compile(desired)).evaluate(asked);
    for (const verdict of [new ReferenceEvaluator(world).evaluate(asked), found]) {
      expect(traceOf(verdict)).toEqual(ingress);
      expect(verdict.ingress?.isLogged).toBe(isLogged);
    }
  });

  it('is gone: rules of equal number in both directions, whose lines differ', () => {
    const rules = [{ action: 'Pass' }];
    const world = worldOf([
      workload('w', '172.16.0.2'),
      workload('peer', '172.16.0.3'),
      { ...logFrom({}), spec: { ingress: rules, egress: rules } },
    ]);
    const { flow } = parseFlowQuestion({ src: '172.16.0.2', dst: '172.16.0.3', protocol: 'TCP', dstPort: 80 });
    const compiler = new TableCompiler();
    const desired = desiredStateOf(world, '*');
    const found = new TableEvaluator(desired, compiler, compiler.compile(desired)).evaluate(flow);
    expect(found).toEqual(new ReferenceEvaluator(world).evaluate(flow));
    expect(found.ingress?.trace[0]?.location?.line).not.toBe(found.egress?.trace[0]?.location?.line);
  });
});

function traceOf(verdict: FlowVerdict): unknown {
  return (formatAnswer(null, verdict).ingress as { trace: unknown }).trace;
}
