import { describe, expect, it } from 'vitest';
import { RULE_IDS } from '../../../../src/analysis/lint/catalogue.ts';
import { HOST_CASES } from './host-endpoint-cases.ts';
import { linesOf, lintText, podManifest, SHOP, webPolicy } from './linted.ts';

interface Case {
  readonly name: string;
  readonly documents: readonly string[];
  readonly expected: readonly string[];
}

const gnp = (name: string, spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ${name}}\nspec: {${spec}}`;
const knp = (name: string, spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {${spec}}`;
const tier = (name: string, spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {${spec}}`;
/** Lets DNS and ports out, so that only what a case is about is found. */
const OPEN = 'egress: [{action: Allow, protocol: UDP, destination: {ports: [53]}}]';

const cases: readonly Case[] = [
  {
    name: 'a healthy policy',
    documents: [SHOP, webPolicy('ingress: [{action: Allow, protocol: TCP, destination: {ports: [80]}}]')],
    expected: [],
  },
  {
    name: 'a rule behind a wider one',
    documents: [
      SHOP,
      webPolicy(
        'ingress: [{action: Deny, protocol: TCP}, {action: Allow, protocol: TCP, destination: {ports: [80]}}, {action: Allow, protocol: UDP}]',
      ),
    ],
    expected: ['unreachable-rule np/shop/p spec.ingress[1]'],
  },
  {
    name: 'a rule behind two that cover it together',
    documents: [
      SHOP,
      webPolicy(
        'ingress: [{action: Allow, protocol: TCP, destination: {ports: ["1:99"]}}, {action: Allow, protocol: TCP, destination: {ports: ["100:200"]}}, {action: Deny, protocol: TCP, destination: {ports: ["90:110"]}}]',
      ),
    ],
    expected: ['unreachable-rule np/shop/p spec.ingress[2]'],
  },
  {
    name: 'a rule behind an earlier tier that ends evaluation',
    documents: [
      SHOP,
      tier('first', 'order: 1'),
      gnp('all', 'tier: first, selector: app == "web", types: [Ingress]'),
      webPolicy('ingress: [{action: Allow, protocol: TCP}]'),
    ],
    expected: ['unreachable-rule np/shop/p spec.ingress[0]'],
  },
  {
    name: 'a peer of a Kubernetes policy that another policy has allowed before',
    documents: [
      SHOP,
      webPolicy('order: 1, ingress: [{action: Allow}]'),
      knp(
        'k',
        'podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}, {ipBlock: {cidr: 10.9.0.0/16}}], ports: [{port: 80}, {port: 53, protocol: UDP}]}]',
      ),
    ],
    expected: [
      'allow-all-by-accident np/shop/p spec.ingress[0]',
      'unreachable-rule knp/shop/k spec.ingress[0].from[0]',
      'unreachable-rule knp/shop/k spec.ingress[0].from[1]',
    ],
  },
  {
    name: 'a selector that nothing matches, of a rule and of a policy',
    documents: [
      SHOP,
      webPolicy('ingress: [{action: Allow, source: {selector: role == "ofice"}}]'),
      knp('k', 'podSelector: {matchLabels: {app: wbe}}'),
    ],
    expected: [
      'policy-selects-nothing knp/shop/k spec.podSelector',
      'rule-matches-nothing np/shop/p spec.ingress[0].source.selector',
    ],
  },
  {
    name: 'a service without backends and a port that nothing names',
    documents: [
      SHOP,
      webPolicy(
        `egress: [{action: Allow, destination: {services: {name: pay}}}, {action: Allow, protocol: TCP, destination: {ports: [grcp]}}, {action: Allow, protocol: UDP, destination: {ports: [53]}}]`,
      ),
    ],
    expected: [
      'rule-matches-nothing np/shop/p spec.egress[0].destination.services',
      'rule-matches-nothing np/shop/p spec.egress[1].destination.ports',
    ],
  },
  {
    name: 'conditions that exclude each other',
    documents: [
      SHOP,
      webPolicy(
        'ingress: [{action: Allow, protocol: TCP, notProtocol: TCP}, {action: Allow, source: {selector: app == "api", nets: [10.7.0.0/16]}}]',
      ),
    ],
    expected: ['rule-matches-nothing np/shop/p spec.ingress[0]', 'rule-matches-nothing np/shop/p spec.ingress[1]'],
  },
  {
    name: 'a rule for IPv6 where there is none',
    documents: [SHOP, webPolicy('ingress: [{action: Allow, protocol: ICMPv6}]')],
    expected: ['rule-for-absent-family np/shop/p spec.ingress[0]'],
  },
  {
    name: 'a Log rule that comes too late',
    documents: [
      SHOP,
      webPolicy('ingress: [{action: Allow, protocol: TCP}, {action: Log, protocol: TCP, destination: {ports: [80]}}]'),
    ],
    expected: ['log-never-fires np/shop/p spec.ingress[1]'],
  },
  {
    name: 'a Log rule that makes the rule before it matter',
    documents: [SHOP, webPolicy('ingress: [{action: Deny, protocol: TCP, destination: {ports: [80]}}, {action: Log}]')],
    expected: [],
  },
  {
    name: 'a rule before a Log rule, whose packets are logged already',
    documents: [
      SHOP,
      webPolicy(
        'ingress: [{action: Log, protocol: TCP}, {action: Deny, protocol: TCP, destination: {ports: [80]}}, {action: Log}]',
      ),
    ],
    expected: ['redundant-rule np/shop/p spec.ingress[1]'],
  },
  {
    name: 'a rule before a Log rule, some of whose packets are logged already',
    documents: [
      SHOP,
      webPolicy(
        'ingress: [{action: Log, destination: {ports: [80]}, protocol: TCP}, {action: Deny, protocol: TCP}, {action: Log}]',
      ),
    ],
    expected: [],
  },
  {
    name: 'Pass without a profile behind it, and in a profile',
    documents: [
      SHOP.replaceAll(/kind: Pod[\s\S]*/g, ''),
      'apiVersion: projectcalico.org/v3\nkind: WorkloadEndpoint\nmetadata: {name: n1-k8s-a-eth0, namespace: shop, labels: {app: web}}\nspec: {node: n1, orchestrator: k8s, pod: a, endpoint: eth0, ipNetworks: [10.0.0.9/32], profiles: [own]}',
      'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: own}\nspec: {egress: [{action: Pass}]}',
      webPolicy('ingress: [{action: Pass, protocol: TCP}, {action: Allow, protocol: UDP}]'),
    ].map((text) => text.replace(/---\s*apiVersion: v1\s*$/, '')),
    expected: [
      'pass-into-nothing profile/own spec.egress[0]',
      'pass-into-nothing np/shop/p spec.ingress[0]',
      'redundant-rule profile/own spec.egress[0]',
    ],
  },
  {
    name: 'an empty peer that means everybody',
    documents: [
      SHOP,
      webPolicy(
        'ingress: [{action: Allow, protocol: TCP, source: {selector: ""}}, {action: Allow, protocol: UDP, source: {}}]',
      ),
      webPolicy('ingress: [{action: Allow}]', 'q'),
      gnp('g', 'selector: app == "api", order: 1, ingress: [{action: Allow, source: {notSelector: app == "web"}}]'),
      knp('k', 'podSelector: {matchLabels: {app: api}}, ingress: [{from: [], ports: [{port: 1}]}]'),
    ],
    expected: [
      'allow-all-by-accident gnp/g spec.ingress[0].source.notSelector',
      'allow-all-by-accident knp/shop/k spec.ingress[0].from',
      'allow-all-by-accident np/shop/p spec.ingress[0].source.selector',
      'allow-all-by-accident np/shop/p spec.ingress[1].source',
      'allow-all-by-accident np/shop/q spec.ingress[0]',
      'redundant-rule np/shop/p spec.ingress[0]',
      'redundant-rule np/shop/p spec.ingress[1]',
    ],
  },
  {
    name: 'rules of a direction that types leave out',
    documents: [
      SHOP,
      webPolicy(`types: [Egress], ingress: [{action: Allow, protocol: TCP}], ${OPEN}`),
      knp('k', 'podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress], egress: [{}]'),
    ],
    expected: [
      'egress-rules-without-egress-type knp/shop/k spec.egress',
      'ingress-rules-without-ingress-type np/shop/p spec.ingress',
    ],
  },
  {
    name: 'two policies that say the same',
    documents: [
      SHOP,
      webPolicy('order: 1, ingress: [{action: Allow, protocol: TCP}]', 'a'),
      webPolicy('order: 2, ingress: [{action: Allow, protocol: TCP}]', 'b'),
    ],
    expected: ['duplicate-policy np/shop/b'],
  },
  {
    name: 'no way to a name server',
    documents: [SHOP, webPolicy('egress: [{action: Allow, protocol: TCP, destination: {ports: [443]}}]')],
    expected: ['dns-blocked np/shop/p'],
  },
  { name: 'no way out at all, which is meant', documents: [SHOP, webPolicy('types: [Egress]')], expected: [] },
  {
    name: 'nobody in, nobody out',
    documents: [SHOP, webPolicy('types: [Ingress, Egress]')],
    expected: ['isolated-from-everything np/shop/p'],
  },
  {
    name: 'a namespace and a service account that are not among the manifests',
    documents: [podManifest('a', 'a', '10.0.0.1').replace('nodeName', 'serviceAccountName: robot, nodeName')],
    expected: ['isolated-from-everything pod/shop/a', 'missing-profile pod/shop/a', 'missing-profile pod/shop/a'],
  },
  {
    name: 'tiers that are missing, without order or empty',
    documents: [SHOP, tier('first', ''), webPolicy('tier: fisrt, ingress: [{action: Allow, protocol: TCP}]')],
    expected: ['tier-unknown np/shop/p spec.tier', 'tier-empty tier/first', 'tier-without-order tier/first spec'],
  },
  {
    name: 'CIDRs with host bits, refused and cut off',
    documents: [
      SHOP,
      gnp('g', 'ingress: [{action: Allow, source: {nets: [10.1.2.3/16]}}]'),
      knp('k', 'podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/16}}]}]'),
    ],
    expected: [
      'cidr-with-host-bits globalnetworkpolicy g spec.ingress[0].source.nets[0]',
      'cidr-with-host-bits knp/shop/k spec.ingress[0].from[0].ipBlock.cidr',
    ],
  },
  {
    name: 'networks of two families and an unknown field',
    documents: [
      gnp('g', 'ingress: [{action: Allow, source: {nets: [10.0.0.0/8, "fd00::/8"]}}]'),
      gnp('h', 'selctor: all()'),
    ],
    expected: [
      'net-in-two-families globalnetworkpolicy g spec.ingress[0].source.nets[1]',
      'refused-object globalnetworkpolicy h spec.selctor',
    ],
  },
  {
    name: 'labels that differ in case or by a slip',
    documents: [
      SHOP,
      webPolicy(
        `ingress: [{action: Allow, protocol: TCP, source: {selector: "app in {'api', 'wbe'} || App == 'nobody'"}}]`,
      ),
    ],
    expected: ['label-typo np/shop/p spec.ingress[0]', 'names-differ-only-by-case np/shop/p spec.ingress[0]'],
  },
  {
    name: 'rules of a policy that selects nothing, compared by their text',
    documents: [
      webPolicy(
        'ingress: [{action: Allow, protocol: TCP}, {action: Deny, protocol: TCP, destination: {ports: [80]}}, {action: Log, protocol: TCP}, {action: Allow, protocol: TCP, notProtocol: TCP}]',
      ),
    ],
    expected: [
      'log-never-fires np/shop/p spec.ingress[2]',
      'rule-matches-nothing np/shop/p spec.ingress[3]',
      'unreachable-rule np/shop/p spec.ingress[1]',
    ],
  },
  {
    name: 'suppressions that do not hold',
    documents: [
      SHOP,
      webPolicy('ingress: [{action: Allow, protocol: TCP}]').replace(
        'namespace: shop}',
        'namespace: shop, annotations: {lint.tortie.dev/ignore: "dns-blocked: old; redundant-rul: x; tier-empty"}}',
      ),
    ],
    expected: ['metadata', 'metadata', 'metadata'].map((_, index) => {
      const rules = ['suppression-of-unknown-rule', 'suppression-unused', 'suppression-without-reason'];
      return `${rules[index]} np/shop/p metadata.annotations["lint.tortie.dev/ignore"]`;
    }),
  },
];

describe('lint', () => {
  it.each(cases)('finds what is wrong with $name', ({ documents, expected }) => {
    expect(linesOf(lintText(...documents)).sort()).toEqual([...expected].sort());
  });

  it('has a case for every rule', () => {
    const found = new Set(
      [...cases, ...HOST_CASES].flatMap(({ expected }) => expected.map((line) => line.split(' ')[0])),
    );
    expect([...found].sort()).toEqual([...RULE_IDS].sort());
  });

  it('says who takes the packets of a rule, and where that is written', () => {
    const report = lintText(
      SHOP,
      webPolicy('ingress: [{action: Deny, protocol: TCP}, {action: Allow, protocol: TCP, destination: {ports: [80]}}]'),
    );
    const finding = report.findings.find(({ rule }) => rule === 'unreachable-rule');
    expect(finding?.message).toBe(
      'ingress rule 1 never decides anything: all its packets are decided before, by rule 0 (deny)',
    );
    expect(finding?.related).toEqual([
      { message: 'rule 0 (deny)', location: { file: 'f.yaml', line: expect.any(Number) } },
    ]);
  });

  it('suppresses with a reason, and shows the reason', () => {
    const policy = webPolicy('types: [Ingress, Egress]').replace(
      'namespace: shop}',
      'namespace: shop, annotations: {lint.tortie.dev/ignore: "isolated-from-everything: quarantine: see ticket"}}',
    );
    const { findings } = lintText(SHOP, policy);
    expect(findings.map(({ rule, suppressed }) => [rule, suppressed])).toEqual([
      ['isolated-from-everything', 'quarantine: see ticket'],
    ]);
  });

  it('says once that there are no endpoints', () => {
    expect(lintText(webPolicy('ingress: [{action: Allow, protocol: TCP}]')).remarks).toHaveLength(1);
    expect(lintText(SHOP).remarks).toEqual([]);
  });

  it('judges staged policies as if they were enforced, and enforced ones without them', () => {
    const staged = webPolicy('order: 1, ingress: [{action: Deny}, {action: Allow, protocol: TCP}]', 's').replace(
      'kind: ',
      'kind: Staged',
    );
    const report = lintText(SHOP, staged, webPolicy('order: 2, ingress: [{action: Allow, protocol: TCP}]'));
    expect(linesOf(report)).toEqual(['unreachable-rule snp/shop/s spec.ingress[1]']);
  });
});
