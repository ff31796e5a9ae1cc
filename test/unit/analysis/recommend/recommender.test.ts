import { describe, expect, it } from 'vitest';
import { parseRecord } from '../../../../src/analysis/flow-logs/records.ts';
import { EXACT_PORTS } from '../../../../src/analysis/recommend/port-ranges.ts';
import { EXACT_ADDRESSES } from '../../../../src/analysis/recommend/prefixes.ts';
import { enforcedPolicies } from '../../../../src/analysis/recommend/proof.ts';
import { Recommender, type RecommenderOptions } from '../../../../src/analysis/recommend/recommender.ts';
import { DEFAULT_MERGING } from '../../../../src/analysis/recommend/rules.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import { parseFlowQuestion } from '../../../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import type { World } from '../../../../src/model/world.ts';
import {
  classOf,
  type FlowRecord,
  type GeneratedWorld,
  generatedFlow,
  generatedFlows,
  generatedWorld,
  hostYaml,
  podYaml,
  SHOP,
} from '../../../support/recommend/shop.ts';
import { worldFrom } from '../../../support/world-from.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const EXACT = { ports: EXACT_PORTS, addresses: EXACT_ADDRESSES };

function judgeOf(world: World) {
  const evaluator = new ReferenceEvaluator(world);
  return evaluator.evaluate.bind(evaluator);
}

function recommendFor(world: World, records: readonly FlowRecord[], more: Partial<RecommenderOptions> = {}) {
  const recommender = new Recommender({
    world,
    isSubject: () => true,
    openJudge: judgeOf,
    merging: DEFAULT_MERGING,
    tier: 'default',
    order: 1000,
    maxProbes: 2000,
    ...more,
  });
  for (const record of records) {
    const flow = parseRecord(record, undefined);
    if ('skipped' in flow) throw new Error(flow.skipped);
    recommender.add(flow);
  }
  return recommender.finish();
}

const inShop = ({ namespace }: { readonly namespace: string }): boolean => namespace === 'shop';
const flow = (src: string, dst: string, dstPort: number, more: FlowRecord = {}): FlowRecord => ({
  src,
  dst,
  protocol: 'TCP',
  dstPort,
  ...more,
});

describe('Recommender', () => {
  it('names workloads by the labels that are theirs alone, and counts what each rule is made of', () => {
    const { yaml, proof } = recommendFor(
      worldFrom(SHOP),
      [
        flow('10.65.0.10', '10.65.0.20', 9000, { count: 3 }),
        flow('10.65.0.11', '10.65.0.20', 9000),
        flow('10.65.0.10', '10.65.9.53', 53, { protocol: 'UDP', count: 7 }),
        flow('10.65.0.20', '192.0.2.10', 6443),
        flow('198.51.100.7', '10.65.0.10', 443),
      ],
      { isSubject: inShop },
    );
    expect(yaml).toMatchInlineSnapshot(`
      "---
      # shop/api: 1 endpoint.
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata:
        name: recommended-api
        namespace: shop
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'api'"
        types: [Ingress, Egress]
        ingress:
          # shop/web. Seen: 4 flows.
          - action: Allow
            protocol: TCP
            source:
              selector: "app == 'web'"
            destination:
              ports: [9000]
        egress:
          # API server: service default/kubernetes. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            destination:
              services:
                name: kubernetes
                namespace: default
      ---
      # shop/db: 1 endpoint.
      # It was not seen to be spoken to: all of that is denied.
      # It was not seen to speak to anybody: all of that is denied.
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata:
        name: recommended-db
        namespace: shop
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'db'"
        types: [Ingress, Egress]
        ingress: []
        egress: []
      ---
      # shop/web: 2 endpoints.
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata:
        name: recommended-web
        namespace: shop
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'web'"
        types: [Ingress, Egress]
        ingress:
          # https: an address outside. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            source:
              nets: [198.51.100.7/32]
            destination:
              ports: [443]
        egress:
          # DNS: kube-system/kube-dns. Seen: 7 flows.
          # Long answers come by TCP 53, which was not seen unless there is a rule for it.
          - action: Allow
            protocol: UDP
            destination:
              namespaceSelector: "projectcalico.org/name == 'kube-system'"
              selector: "k8s-app == 'kube-dns'"
              ports: [53]
          # shop/api. Seen: 4 flows.
          - action: Allow
            protocol: TCP
            destination:
              selector: "app == 'api'"
              ports: [9000]
      "
    `);
    expect(proof.replay).toEqual({ flows: 5, denied: 0, examples: [] });
    expect(proof.unseen.unexplained).toBe(0);
    expect(proof.unseen.denied).toBe(proof.unseen.probes);
    expect(proof.unseen.probes).toBeGreaterThan(100);
  });

  it('makes no rule of what was denied, and says how much that was', () => {
    const { evidence, yaml } = recommendFor(
      worldFrom(SHOP),
      [flow('10.65.0.10', '10.65.0.30', 5432, { verdict: 'deny' }), flow('10.65.0.10', '10.65.0.20', 9000)],
      { isSubject: inShop },
    );
    expect(evidence).toEqual({ reports: 2, flows: 1, conversations: 1, denied: 1, unused: {} });
    expect(yaml).not.toContain('5432');
  });

  it('leaves out what it cannot tell apart, with the reason', () => {
    const end = { type: 'net', namespace: '', name: 'pub', aggregatedName: 'pub', address: '', port: 0, labels: {} };
    const web = { ...end, type: 'wep', namespace: 'shop', name: 'web-7d9-aaaaa', address: '10.65.0.10' };
    const log = { reporter: 'src', action: 'allow', protocol: 'TCP', source: web, startTime: 1, endTime: 2 };
    const { evidence } = recommendFor(worldFrom(SHOP), [
      { ...log, destination: { ...end, port: 443 } },
      { ...log, destination: { ...web, name: 'gone-1', address: '10.65.7.7', port: 80 } },
    ]);
    expect(evidence.unused).toEqual({ noAddress: 1, unknownEnd: 1 });
    const internet = { ...log, destination: { ...end, port: 443 } };
    const { yaml, proof } = recommendFor(worldFrom(SHOP), [internet], { isPublicNamed: true, isSubject: inShop });
    expect(yaml).toContain('nets: [0.0.0.0/0]\n        notNets: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]');
    expect(proof).toMatchObject({ replay: { flows: 1, denied: 0 }, unseen: { unexplained: 0 } });
    expect(proof.unseen.widened).toBeGreaterThan(0);
  });

  it('says which policies in force would deny before it, and which let through what was not seen', () => {
    const policy = (name: string, order: number, rule: string): string => `---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop}
spec: {order: ${order}, selector: app == 'api', types: [Ingress], ingress: [${rule}]}
`;
    const early = policy('no-9000', 1, '{action: Deny, protocol: TCP, destination: {ports: [9000]}}');
    const wide = policy('any-udp', 2, '{action: Allow, protocol: UDP}');
    const { proof } = recommendFor(worldFrom(SHOP + early + wide), [flow('10.65.0.10', '10.65.0.20', 9000)], {
      isSubject: inShop,
    });
    expect(proof.replay.denied).toBe(0);
    expect(proof.inContext.replay).toMatchObject({
      denied: 1,
      examples: [{ direction: 'ingress', rule: 'default|np:shop/no-9000|deny|0' }],
    });
    expect(proof.inContext.unseen.unexplained).toBeGreaterThan(0);
    expect(proof.inContext.unseen.examples[0]?.rule).toBe('default|np:shop/any-udp|allow|0');
  });

  it('refuses a tier that passes what its policies do not decide', () => {
    const tier =
      '---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: soft}\nspec: {order: 5, defaultAction: Pass}\n';
    const attempt = (name: string) => () => recommendFor(worldFrom(SHOP + tier), [], { tier: name });
    expect(attempt('soft')).toThrow(/passes what no policy of it decides/);
    expect(attempt('none')).toThrow(/no such tier/);
    expect(() => recommendFor(worldFrom(SHOP), [], { isSubject: () => false })).toThrow(/no endpoint is meant/);
  });

  it('names a workload apart from one that has its labels and one more', () => {
    const more = podYaml({
      namespace: 'shop',
      name: 'api-canary',
      address: '10.65.0.21',
      labels: { app: 'api', role: 'canary' },
    });
    const { yaml, proof } = recommendFor(worldFrom(SHOP + more), [flow('10.65.0.10', '10.65.0.20', 9000)], {
      isSubject: inShop,
    });
    expect(yaml).toContain("app == 'api' && !has(role)");
    expect(yaml).toContain("role == 'canary'");
    expect(proof.unseen.unexplained).toBe(0);
  });

  it('makes a global policy for an endpoint of a host, which governs no workload with its labels', () => {
    const hosts =
      hostYaml('n1', { role: 'worker', app: 'web' }, ['192.0.2.21']) +
      hostYaml('n2', { role: 'other' }, ['192.0.2.22']);
    const records = [
      flow('10.65.0.10', '192.0.2.21', 9100, { count: 2 }),
      flow('192.0.2.22', '192.0.2.21', 22),
      flow('192.0.2.21', '10.65.0.20', 9000),
      flow('192.0.2.21', '198.51.100.7', 443),
    ];
    const { yaml, proof, policies, evidence } = recommendFor(worldFrom(SHOP + hosts), records, {
      isSubject: () => false,
      isHostSubject: ({ name }) => name === 'n1',
    });
    expect(yaml).toMatchInlineSnapshot(`
      "---
      # Host endpoint n1.
      apiVersion: projectcalico.org/v3
      kind: StagedGlobalNetworkPolicy
      metadata:
        name: recommended-n1
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'web' && !has(projectcalico.org/namespace)"
        types: [Ingress, Egress]
        ingress:
          # shop/web. Seen: 2 flows.
          - action: Allow
            protocol: TCP
            source:
              namespaceSelector: "projectcalico.org/name == 'shop'"
              selector: "app == 'web'"
            destination:
              ports: [9100]
          # node: host n2. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            source:
              namespaceSelector: "global()"
              selector: "role == 'other'"
            destination:
              ports: [22]
        egress:
          # shop/api. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            destination:
              namespaceSelector: "projectcalico.org/name == 'shop'"
              selector: "app == 'api'"
              ports: [9000]
          # https: an address outside. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            destination:
              nets: [198.51.100.7/32]
              ports: [443]
      "
    `);
    expect(policies).toEqual([{ name: 'recommended-n1', workload: 'n1', endpoints: 1, rules: 4 }]);
    expect(evidence).toMatchObject({ flows: 5, unused: {} });
    expect(proof.replay).toEqual({ flows: 4, denied: 0, examples: [] });
    expect(proof.unseen).toMatchObject({ unexplained: 0, widened: 0, examples: [] });
    expect(proof.unseen.denied).toBeGreaterThan(100);
    // Together with what is in force: ports that are never closed let through what nobody was seen to send.
    expect(proof.inContext.unseen.examples[0]?.rule).toContain('__FAILSAFE__');
  });

  it('knows an endpoint of a host by what its interfaces have, which no selector of its peers knows', () => {
    const hosts = hostYaml('n1', { role: 'one' }, []) + hostYaml('n2', { role: 'two' }, ['192.0.2.22']);
    const found: Record<string, readonly string[]> = {
      n1: ['192.0.2.21', '2001:db8::21'],
      n2: ['192.0.2.22', '2001:db8::22'],
    };
    const records = [
      flow('198.51.100.7', '192.0.2.21', 22),
      flow('2001:db8::22', '2001:db8::21', 9100),
      flow('192.0.2.22', '192.0.2.21', 9100),
    ];
    const { yaml, proof, policies, evidence } = recommendFor(worldFrom(SHOP + hosts), records, {
      isSubject: () => false,
      isHostSubject: () => true,
      addressesOf: ({ name }) => (found[name] ?? []).flatMap((text) => parseAddress(text) ?? []),
    });
    expect(policies.map(({ name, rules }) => [name, rules])).toEqual([
      ['recommended-n1', 3],
      ['recommended-n2', 2],
    ]);
    expect(evidence).toMatchObject({ flows: 3, unused: {} });
    expect(yaml).toContain('nets: [192.0.2.22/32]');
    expect(yaml).toContain('nets: ["2001:db8::22/128"]');
    expect(proof.replay).toEqual({ flows: 3, denied: 0, examples: [] });
    expect(proof.unseen).toMatchObject({ unexplained: 0, examples: [] });
  });

  it('says what an endpoint of a host lacks to be recommended for', () => {
    const attempt = (yaml: string) => () =>
      recommendFor(worldFrom(SHOP + yaml), [], { isSubject: () => false, isHostSubject: () => true });
    expect(attempt(hostYaml('n1', { role: 'worker' }, []))).toThrow(
      'recommend host endpoint n1: has no addresses (flows are told by address: list them in its expectedIPs)',
    );
    const alike = hostYaml('n1', { role: 'a' }, ['192.0.2.21']) + hostYaml('n2', { role: 'a' }, ['192.0.2.22']);
    expect(attempt(alike)).toThrow('recommend host endpoint n1: has no labels that name it alone');
  });

  it.each([
    ['exactly what was seen', EXACT],
    ['what was seen and what its comments say', DEFAULT_MERGING],
  ])('lets through %s, in generated worlds, by the reference evaluator', (_, merging) => {
    const seed = newSeed('recommend');
    let replayed = 0;
    let unseen = 0;
    for (let index = 0; index < 30; index++) {
      const random = new Random(seed, index);
      const generated = generatedWorld(random);
      const records = generatedFlows(random, generated, random.between(1, 60));
      const { yaml, proof, evidence } = recommendFor(generated.world, records, { merging });
      const place = `world ${index} of seed ${seed}`;
      expect(proof.replay, place).toMatchObject({ denied: 0, examples: [] });
      expect(proof.unseen, place).toMatchObject({ unexplained: 0, examples: [] });
      expect(evidence.reports + (evidence.unused.elsewhere ?? 0), place).toBe(records.length);
      replayed += checkSeen(yaml, generated, records, place);
      if (merging === EXACT) unseen += checkUnseen(yaml, generated, records, random, place);
    }
    expect(replayed).toBeGreaterThan(300);
    if (merging === EXACT) expect(unseen).toBeGreaterThan(1000);
  });
});

/** Without any of the code that proves: the policies alone, the flows one by one. */
function checkSeen(yaml: string, { world }: GeneratedWorld, records: readonly FlowRecord[], place: string): number {
  const judge = judgeOf({ ...world, policies: new Map(enforcedPolicies(yaml).map((policy) => [policy.key, policy])) });
  for (const record of records) {
    const { egress, ingress } = judge(parseFlowQuestion(record).flow);
    expect([egress?.verdict ?? 'allow', ingress?.verdict ?? 'allow'], `${JSON.stringify(record)} in ${place}`).toEqual([
      'allow',
      'allow',
    ]);
  }
  return records.length;
}

/** Between the ends of the flows: what no two of their kinds were seen to say is denied at each workload's end. */
function checkUnseen(
  yaml: string,
  { world, addresses, outside }: GeneratedWorld,
  records: readonly FlowRecord[],
  random: Random,
  place: string,
): number {
  const judge = judgeOf({ ...world, policies: new Map(enforcedPolicies(yaml).map((policy) => [policy.key, policy])) });
  const keyOf = ({ src, dst, protocol, dstPort, icmpType }: FlowRecord): string =>
    [classOf(world, String(src)), classOf(world, String(dst)), protocol, dstPort, icmpType].join('|');
  const seen = new Set(records.map(keyOf));
  const ends = [...addresses, ...outside];
  let checked = 0;
  for (let tries = 0; tries < 200; tries++) {
    const record = generatedFlow(random, random.pick(ends), random.pick(ends));
    if (record === undefined || seen.has(keyOf(record))) continue;
    const { egress, ingress } = judge(parseFlowQuestion(record).flow);
    if (egress === null && ingress === null) continue;
    checked += 1;
    expect([egress?.verdict ?? 'deny', ingress?.verdict ?? 'deny'], `${JSON.stringify(record)} in ${place}`).toEqual([
      'deny',
      'deny',
    ]);
  }
  return checked;
}
