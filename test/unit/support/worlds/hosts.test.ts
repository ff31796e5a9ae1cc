import { beforeAll, describe, expect, it } from 'vitest';
import { resolveInterfaces } from '../../../../src/model/host-interfaces.ts';
import { isHostDiscovery } from '../../../../src/model/link-scope.ts';
import { ReferencePathEvaluator } from '../../../../src/model/reference/path-evaluator.ts';
import { END_TIER, FAILSAFE_TIER } from '../../../../src/model/trace.ts';
import { hostQuestionOf } from '../../../support/worlds/hosts.ts';
import { worldOf } from '../../../support/worlds/questions.ts';

// Always the same worlds: this is about the generators, and what is rare must not be missing by chance.
const SEED = 1;
const WORLDS = 150;
const PACKETS = 200;

describe('generated packets past interfaces', () => {
  const counts = new Map<string, number>();
  const note = (name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);

  beforeAll(() => {
    for (let index = 0; index < WORLDS; index++) {
      const { manifests, interfaces, questions } = hostQuestionOf(SEED, index, PACKETS);
      const world = worldOf(manifests);
      const { own, any, overlaps, unbound } = resolveInterfaces(world.hostEndpoints.values(), interfaces);
      if (own.size > 0) note('own endpoint');
      if ([...own.values()].some(({ interfaceName }) => interfaceName === '')) note('endpoint by address');
      if (any !== undefined) note('endpoint of any interface');
      if (overlaps.length > 0) note('overlap');
      if (unbound.length > 0) note('unbound');
      const model = new ReferencePathEvaluator(world, interfaces);
      for (const question of questions) {
        const { verdict, stages } = model.evaluatePath(question);
        note(`${question.path.kind} ${verdict}`);
        if (stages.length === 0) note('no stage');
        const { flow, path } = question;
        const isFromWorkload = path.kind !== 'from-host' && path.in.startsWith('cali');
        if (isHostDiscovery(flow, { kind: path.kind, isFromWorkload })) {
          note(`discovery ${path.kind}, ${stages.length === 0 ? 'not judged' : `${stages[0]?.stage} ${verdict}`}`);
        }
        for (const { stage, direction, verdict: said, trace, pending, isLogged } of stages) {
          note(`${stage} ${direction} ${said}`);
          if (isLogged) note('logged');
          if (pending !== undefined && pending.verdict !== said) note(`pending ${stage}`);
          const last = trace.at(-1);
          if (last?.tier === FAILSAFE_TIER) note(`${stage} ${direction} by ${last.name} failsafe`);
          if (last?.tier === END_TIER && trace.length > 1) note(`${stage} end after tiers`);
        }
      }
    }
  }, 120_000);

  it.each([
    ['own endpoint', 50],
    ['endpoint by address', 10],
    ['endpoint of any interface', 40],
    ['overlap', 10],
    ['unbound', 10],
    ['no stage', 500],
    ['discovery to-host, not judged', 50],
    ['discovery from-host, not judged', 50],
    ['discovery forward, not judged', 50],
    ['discovery to-host, egress deny', 10],
    ['discovery to-host, egress allow', 10],
    ['logged', 100],
  ])('come with "%s" often enough', (name, least) => {
    expect(counts.get(name) ?? 0).toBeGreaterThanOrEqual(least);
  });

  const decisions = [
    ...['to-host', 'from-host', 'forward'].flatMap((kind) => [`${kind} allow`, `${kind} deny`]),
    ...['ingress', 'egress'].flatMap((direction) => [
      `normal ${direction} allow`,
      `normal ${direction} deny`,
      `forward ${direction} allow`,
      `forward ${direction} deny`,
      `${direction} ${direction} allow`,
      `${direction} ${direction} deny`,
      ...['allow', 'deny', 'next'].map((said) => `untracked ${direction} ${said}`),
    ]),
    ...['allow', 'deny', 'next'].flatMap((said) => [`preDnat ingress ${said}`, `endpointToHost egress ${said}`]),
    ...['normal', 'forward', 'preDnat', 'untracked'].map((stage) => `pending ${stage}`),
    ...['forward', 'preDnat', 'untracked'].map((stage) => `${stage} end after tiers`),
    'normal ingress by inbound failsafe',
    'normal egress by outbound failsafe',
    'preDnat ingress by inbound failsafe',
    'untracked ingress by inbound failsafe',
    'untracked ingress by outbound failsafe',
    'untracked egress by outbound failsafe',
    'untracked egress by inbound failsafe',
  ];

  it.each(decisions)('meet "%s"', (name) => {
    expect(counts.get(name) ?? 0).toBeGreaterThanOrEqual(10);
  });
});
