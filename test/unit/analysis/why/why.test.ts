import { describe, expect, it } from 'vitest';
import { loadManifests } from '../../../../src/agent/offline.ts';
import { parseEntry } from '../../../../src/analysis/why/entries.ts';
import { turnOf } from '../../../../src/analysis/why/turn.ts';
import { type Changes, type Past, whyOf } from '../../../../src/analysis/why/why.ts';
import { parseFlowQuestion } from '../../../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import type { World } from '../../../../src/model/world.ts';
import { generatedFlow, generatedWorld, SHOP } from '../../../support/recommend/shop.ts';
import { worldFrom } from '../../../support/world-from.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const shop = loadManifests('examples/three-tier/manifests').world;
const WEB_TO_DB = { src: '10.65.0.10', dst: '10.65.0.30', protocol: 'TCP', dstPort: 5432 };

function why(world: World, question: object, more: { past?: Past; changes?: Changes } = {}) {
  const { flow } = parseFlowQuestion(question);
  return whyOf({ world, flow, verdict: new ReferenceEvaluator(world).evaluate(flow), ...more });
}

describe('whyOf', () => {
  it('names both ends with tier, policy, rule and place', () => {
    const { verdict, sides } = why(shop, { ...WEB_TO_DB, src: '10.65.0.20' });
    expect(verdict).toBe('allow');
    expect(sides.map(({ direction, endpoint, trace }) => [direction, endpoint, trace.at(-1)])).toEqual([
      [
        'egress',
        'shop/api-1',
        expect.objectContaining({
          tier: 'default',
          policy: 'np:shop/api',
          ruleIndex: 0,
          where: '30-application.yaml:59',
          sentence: expect.stringContaining('5432'),
        }),
      ],
      ['ingress', 'shop/db-1', expect.objectContaining({ policy: 'knp:shop/db', where: '40-database.yaml:15' })],
    ]);
  });

  it('names the policy of a host at an end that is no workload, and proposes nothing there', () => {
    const host = `---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: n1-eth0, labels: {role: node}}
spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.21]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: nodes}
spec:
  selector: role == 'node'
  types: [Ingress]
  ingress:
    - {action: Allow, protocol: TCP, destination: {ports: [9100]}}
---
apiVersion: projectcalico.org/v3
kind: StagedGlobalNetworkPolicy
metadata: {name: closed}
spec: {selector: role == 'node', order: 1, types: [Ingress], ingress: [{action: Deny}]}
`;
    const world = worldFrom(SHOP + host);
    const ask = (src: string, dst: string, dstPort: number) => why(world, { src, dst, protocol: 'TCP', dstPort });
    const allowed = ask('198.51.100.7', '192.0.2.21', 9100);
    expect(allowed).toMatchObject({
      verdict: 'allow',
      sides: [
        {
          direction: 'ingress',
          endpoint: 'host n1-eth0',
          trace: [{ policy: 'gnp:nodes', action: 'allow', ruleIndex: 0, where: expect.stringMatching(/:\d+$/) }],
          staged: { verdict: 'deny', trace: [{ policy: 'sgnp:closed' }] },
        },
      ],
    });
    expect(allowed.turn).toBeUndefined();
    expect(ask('198.51.100.7', '192.0.2.21', 80)).toMatchObject({ verdict: 'deny', sides: [{ verdict: 'deny' }] });
    // Of its own workload, its policy is not asked.
    expect(ask('10.65.0.10', '192.0.2.21', 80).sides.map(({ endpoint }) => endpoint)).toEqual(['shop/web-7d9-aaaaa']);
    const { flow } = parseFlowQuestion({ src: '198.51.100.7', dst: '192.0.2.21', protocol: 'TCP', dstPort: 80 });
    const verdict = new ReferenceEvaluator(world).evaluate(flow);
    expect(whyOf({ world, flow, verdict, host: { isLocal: () => false } }).sides).toEqual([]);
  });

  it('knows a host by the addresses of its interfaces before those that its endpoints list', () => {
    const world = worldFrom(`---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: outside, labels: {side: outside}}
spec: {node: n1, interfaceName: eth0}
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: inside, labels: {side: inside}}
spec: {node: n1, interfaceName: eth1, expectedIPs: [192.0.2.21, 192.0.2.22]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: outside}
spec: {selector: side == 'outside', types: [Ingress], ingress: [{action: Allow, protocol: TCP, destination: {ports: [9100]}}]}
`);
    const found = new Map([['outside', ['192.0.2.21', '2001:db8::21']]]);
    const ask = (src: string, dst: string, dstPort = 9100) => {
      const { flow } = parseFlowQuestion({ src, dst, protocol: 'TCP', dstPort });
      const verdict = new ReferenceEvaluator(world).evaluate(flow);
      const { sides } = whyOf({ world, flow, verdict, host: { isLocal: () => true, found } });
      return sides.map(({ direction, endpoint, verdict: said }) => `${direction} ${endpoint} ${said}`);
    };
    expect(ask('198.51.100.7', '192.0.2.21')).toEqual(['ingress host outside allow']);
    expect(ask('2001:db8::7', '2001:db8::21', 80)).toEqual(['ingress host outside deny']);
    expect(ask('2001:db8::21', '2001:db8::7')).toEqual(['egress host outside deny']);
    expect(ask('198.51.100.7', '192.0.2.22')).toEqual(['ingress host inside deny']);
    // By the loopback.
    found.set('inside', ['192.0.2.22']);
    expect(ask('192.0.2.22', '192.0.2.21')).toEqual([]);
  });

  it('says what would turn a denial, one policy for each end that denies, and proves it', () => {
    const { verdict, turn } = why(shop, WEB_TO_DB);
    expect(verdict).toBe('deny');
    expect(turn).toMatchObject({ to: 'allow', isEnough: true });
    expect(turn?.steps.map(({ direction, because, decides }) => [direction, because, decides])).toEqual([
      ['egress', 'missing', 'default|gnp:default-deny|deny|-1'],
      ['ingress', 'missing', 'default|gnp:default-deny|deny|-1'],
    ]);
    expect(turn?.steps[1]?.yaml).toContain('ports: [5432]');
  });

  it('turns an allow with one policy that leaves everything else alone', () => {
    const world = worldFrom(SHOP);
    const question = { src: '10.65.0.10', dst: '10.65.0.20', protocol: 'TCP', dstPort: 9000 };
    const { verdict, turn } = why(world, question);
    expect(verdict).toBe('allow');
    expect(turn).toMatchObject({ to: 'deny', isEnough: true });
    expect(turn?.steps).toHaveLength(1);
    expect(turn?.steps[0]?.yaml).toContain('- action: Pass');
  });

  it('shows what was decided at the time, and what was changed since', () => {
    const change = { revision: 7, time: '2026-11-22T10:00:00.000Z', verb: 'apply', who: { kind: 'agent' } };
    const changes: Changes = {
      introduced: (id) => (id === 'KubernetesNetworkPolicy/shop/db' ? change : undefined),
      since: (id, time) => (id === 'KubernetesNetworkPolicy/shop/db' && time < Date.parse(change.time) ? [change] : []),
    };
    const past: Past = {
      time: Date.parse('2026-11-22T09:00:00Z'),
      verdict: 'deny',
      direction: 'ingress',
      enforced: ['0|security|gnp:security-baseline|pass|5', '1|default|knp:shop/db|deny|-1'],
      pending: [],
      reason: 'drop_ingress_policy',
    };
    const { recorded, sides } = why(shop, { ...WEB_TO_DB, src: '10.65.0.20' }, { past, changes });
    expect(recorded).toMatchObject({
      isSameNow: false,
      isPolicy: true,
      changed: [{ policy: 'knp:shop/db', revision: 7 }],
    });
    expect(recorded?.enforced.map(({ where }) => where)).toEqual([
      '20-security.yaml:54',
      expect.stringMatching(/^40-/),
    ]);
    expect(sides[1]?.trace.at(-1)?.change).toEqual(change);
  });

  it('says that policy did not decide what was dropped for another reason', () => {
    const past: Past = { verdict: 'deny', enforced: [], pending: [], reason: 'drop_spoofed' };
    expect(why(shop, WEB_TO_DB, { past }).recorded).toMatchObject({ isPolicy: false, reason: 'drop_spoofed' });
  });

  it('says what staged policies would do', () => {
    const staged = `---
apiVersion: projectcalico.org/v3
kind: StagedNetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {selector: app == 'api', types: [Ingress], ingress: []}
`;
    const { sides } = why(worldFrom(SHOP + staged), {
      src: '10.65.0.10',
      dst: '10.65.0.20',
      protocol: 'TCP',
      dstPort: 1,
    });
    expect(sides[1]).toMatchObject({
      verdict: 'allow',
      staged: { verdict: 'deny', trace: [{ policy: 'snp:shop/closed', ruleIndex: -1 }] },
    });
  });
});

describe('turnOf', () => {
  it('turns every verdict of generated worlds, by the reference evaluator', () => {
    const seed = newSeed('why');
    let turned = 0;
    for (let index = 0; index < 15; index++) {
      const random = new Random(seed, index);
      const { world, addresses, outside } = generatedWorld(random);
      for (let tries = 0; tries < 4; tries++) {
        const question = generatedFlow(random, random.pick(addresses), random.pick([...addresses, ...outside]));
        if (question === undefined) continue;
        const { flow } = parseFlowQuestion(question);
        const turn = turnOf(world, flow);
        expect(turn?.isEnough, `${JSON.stringify(question)} in world ${index} of seed ${seed}`).toBe(true);
        turned += 1;
      }
    }
    expect(turned).toBeGreaterThan(10);
  });

  it('has nothing to say of a flow between strangers', () => {
    const { flow } = parseFlowQuestion({ src: '203.0.113.1', dst: '203.0.113.2', protocol: 'TCP', dstPort: 80 });
    expect(turnOf(shop, flow)).toBeUndefined();
  });
});

describe('parseEntry', () => {
  it('reads entries of traces with and without their position, and nothing else', () => {
    const entry = { tier: 'default', policy: 'np:ns/name', action: 'allow', ruleIndex: 2 };
    expect(parseEntry('0|default|np:ns/name|allow|2')).toEqual(entry);
    expect(parseEntry('default|np:ns/name|allow|2')).toEqual(entry);
    for (const text of ['', 'a|b|c', '0|default|np|allow|2', '0|default|np:a|allow|x', 'x|0|default|np:a|allow|1'])
      expect(parseEntry(text)).toBeUndefined();
  });
});
