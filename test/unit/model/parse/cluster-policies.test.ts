import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../../src/model/address.ts';
import type { EntityMatch, Policy, Rule } from '../../../../src/model/policy.ts';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { judge } from '../../../support/judge.ts';
import { objectOf, parseOne } from './parsed.ts';

const document = (spec: string, name = 'p', version = 'v1alpha2'): string =>
  `apiVersion: policy.networking.k8s.io/${version}\nkind: ClusterNetworkPolicy\nmetadata: {name: ${name}}\nspec: ${spec}`;
const SUBJECT = 'tier: Admin, priority: 10, subject: {namespaces: {}}';
const policyOf = (spec: string): Policy => objectOf('policy', document(spec));
const ingressOf = (rule: string): readonly Rule[] => policyOf(`{${SUBJECT}, ingress: [${rule}]}`).rules.ingress;
const egressOf = (rule: string): readonly Rule[] => policyOf(`{${SUBJECT}, egress: [${rule}]}`).rules.egress;

const POD = 'projectcalico.org/orchestrator == "k8s"';
const IN_A_NAMESPACE = 'has(projectcalico.org/namespace)';

function textOf({ selector, nets, ports }: EntityMatch): string {
  const portTexts = ports.map((port) => (port.kind === 'named' ? port.name : `${port.first}-${port.last}`));
  return (
    [selector && formatSelector(selector), ...nets.map(formatCidr), ...portTexts].filter(Boolean).join(' ') || 'any'
  );
}

describe('a cluster network policy', () => {
  it.each([
    ['Admin', 'kube-admin'],
    ['Baseline', 'kube-baseline'],
  ])('of tier %s stands in tier %s in the order of its priority', (tier, expected) => {
    const policy = policyOf(`{tier: ${tier}, priority: 1000, subject: {namespaces: {}}}`);
    expect(policy).toMatchObject({
      key: 'ClusterNetworkPolicy//p',
      kind: 'ClusterNetworkPolicy',
      name: 'p',
      tier: expected,
      order: 1000,
      staged: false,
    });
    expect(policy.namespace).toBeUndefined();
  });

  it('is read in each version of its API', () => {
    const spec = `{${SUBJECT}}`;
    expect(objectOf('policy', document(spec, 'p', 'v1beta1'))).toEqual(objectOf('policy', document(spec)));
  });

  it.each([
    ['{namespaces: {}}', `(${POD} && ${IN_A_NAMESPACE})`],
    ['{namespaces: {matchLabels: {e: p}}}', `(${POD} && pcns.e == "p")`],
    [
      '{pods: {namespaceSelector: {matchExpressions: [{key: e, operator: NotIn, values: [b, a]}]}, podSelector: {matchLabels: {app: a}}}}',
      `(${POD} && app == "a" && pcns.e not in {"a", "b"})`,
    ],
    ['{pods: {podSelector: {}}}', `(${POD} && ${IN_A_NAMESPACE})`],
  ])('with subject %s governs pods alone', (subject, expected) => {
    const { selector } = policyOf(`{tier: Admin, priority: 0, subject: ${subject}}`);
    expect(formatSelector(selector)).toBe(expected);
  });

  const RULE = '{action: Accept, from: [{namespaces: {}}]}';
  it.each([
    ['', false, false],
    ['ingress: [], egress: []', false, false],
    [`ingress: [${RULE}]`, true, false],
    [`egress: [${RULE.replace('from', 'to')}]`, false, true],
  ])('with rules "%s" governs ingress %s, egress %s', (rules, ingress, egress) => {
    expect(policyOf(`{${SUBJECT}, ${rules}}`).governs).toEqual({ ingress, egress });
  });

  it.each([
    ['Accept', 'allow'],
    ['Deny', 'deny'],
    ['Pass', 'pass'],
  ])('does %s as %s', (action, expected) => {
    expect(ingressOf(`{name: r, action: ${action}, from: [{namespaces: {}}]}`)).toMatchObject([{ action: expected }]);
  });

  it.each([
    ['{namespaces: {}}', `(${IN_A_NAMESPACE} && ${POD})`],
    ['{namespaces: {matchLabels: {e: p}}}', `(pcns.e == "p" && ${POD})`],
    ['{pods: {podSelector: {matchLabels: {a: b}}}}', `(${IN_A_NAMESPACE} && ${POD} && a == "b")`],
    [
      '{pods: {namespaceSelector: {matchLabels: {e: p}}, podSelector: {matchLabels: {a: b}}}}',
      `(pcns.e == "p" && ${POD} && a == "b")`,
    ],
  ])('has pods alone as peer %s', (peer, expected) => {
    expect(ingressOf(`{action: Deny, from: [${peer}]}`).map(({ source }) => textOf(source))).toEqual([expected]);
    expect(egressOf(`{action: Deny, to: [${peer}]}`).map(({ destination }) => textOf(destination))).toEqual([expected]);
  });

  it('has networks of both families as egress peer', () => {
    const rules = egressOf('{action: Deny, to: [{networks: [10.0.0.0/8, "fd00::/8"]}]}');
    expect(rules.map(({ destination }) => textOf(destination))).toEqual(['10.0.0.0/8 fd00::/8']);
    expect(rules[0]?.source.nets).toEqual([]);
  });

  it('has a rule for each protocol and peer: named ports first, then by the names of the protocols', () => {
    const protocols = [
      '{udp: {destinationPort: {number: 53}}}',
      '{tcp: {destinationPort: {range: {start: 81, end: 90}}}}',
      '{tcp: {destinationPort: {number: 80}}}',
      '{destinationNamedPort: dns}',
      '{sctp: {destinationPort: {number: 9}}}',
      '{destinationNamedPort: web}',
    ];
    const rules = ingressOf(
      `{action: Accept, from: [{namespaces: {}}, {pods: {podSelector: {}}}], protocols: [${protocols.join(', ')}]}`,
    );
    expect(rules.map(({ protocol, destination }) => `${protocol} ${textOf(destination)}`)).toEqual([
      'undefined dns web',
      'undefined dns web',
      '132 9-9',
      '132 9-9',
      '6 80-90',
      '6 80-90',
      '17 53-53',
      '17 53-53',
    ]);
  });

  it.each([
    [`{${SUBJECT}, egress: [{action: Accept, to: [{namespaces: {}}, {nodes: {}}]}]}`, 'spec.egress[0].to[1].nodes'],
    [
      `{${SUBJECT}, egress: [{action: Deny, to: [{domainNames: ["*.example.com"]}]}]}`,
      'spec.egress[0].to[0].domainNames',
    ],
  ])('with a peer that cannot be told from others is refused whole: %s', (spec, field) => {
    const { objects, errors } = parseOne(document(spec));
    expect(objects).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'UNSUPPORTED_FIELD', field, message: expect.stringContaining('not supported') },
    ]);
  });
});

describe('cluster network policies', () => {
  const pod = (name: string, namespace: string, address: string, port: string): string => `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}
spec: {nodeName: n, containers: [{ports: [{name: web, containerPort: 8080, protocol: ${port}}]}]}
status: {podIP: ${address}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}, labels: {team: ${namespace}}}
`;
  const pods = pod('a', 'one', '10.0.0.1', 'TCP') + pod('b', 'two', '10.0.0.2', 'UDP');
  const flow = (protocol: string, dstPort: number, src = '10.0.0.1') => ({ src, dst: '10.0.0.2', protocol, dstPort });
  const rule = (action: string, more = ''): string =>
    `{action: ${action}, from: [{namespaces: {matchLabels: {team: one}}}]${more}}`;
  const spec = (tier: string, priority: number, rules: string): string =>
    `{tier: ${tier}, priority: ${priority}, subject: {pods: {podSelector: {matchLabels: {app: b}}}}, ingress: [${rules}]}`;
  const isolation = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: isolate, namespace: two}
spec: {podSelector: {}, policyTypes: [Ingress]}
`;

  it.each([
    ['Admin Accept before a NetworkPolicy', [spec('Admin', 1, rule('Accept'))], true, ['0|kube-admin|kcnp:p0|allow|0']],
    [
      'Admin Pass to a NetworkPolicy',
      [spec('Admin', 1, rule('Pass'))],
      true,
      ['0|kube-admin|kcnp:p0|pass|0', '1|default|knp:two/isolate|deny|-1'],
    ],
    [
      'Admin Pass to Baseline',
      [spec('Admin', 1, rule('Pass')), spec('Baseline', 1, rule('Deny'))],
      false,
      ['0|kube-admin|kcnp:p0|pass|0', '1|kube-baseline|kcnp:p1|deny|0'],
    ],
    [
      'a NetworkPolicy before Baseline',
      [spec('Baseline', 1, rule('Accept'))],
      true,
      ['0|default|knp:two/isolate|deny|-1'],
    ],
    [
      'the lower priority number',
      [spec('Admin', 9, rule('Deny')), spec('Admin', 8, rule('Accept'))],
      false,
      ['0|kube-admin|kcnp:p1|allow|0'],
    ],
    [
      'of equal priorities the first name',
      [spec('Admin', 8, rule('Deny')), spec('Admin', 8, rule('Accept'))],
      false,
      ['0|kube-admin|kcnp:p0|deny|0'],
    ],
    [
      'the rule written first',
      [spec('Admin', 8, `${rule('Accept')}, ${rule('Deny')}`)],
      false,
      ['0|kube-admin|kcnp:p0|allow|0'],
    ],
    [
      'the default of the tier, which passes',
      [spec('Admin', 8, rule('Deny').replace('team: one', 'team: three'))],
      false,
      ['0|kube-admin|kcnp:p0|pass|-1', '1|__PROFILE__|pro:kns.two|allow|0'],
    ],
  ])('decide by %s', (_name, specs, isIsolated, trace) => {
    const policies = specs.map((text, index) => `---\n${document(text, `p${index}`)}\n`).join('');
    const [answer] = judge(pods + policies + (isIsolated ? isolation : ''), flow('TCP', 80));
    expect(answer?.ingress?.trace).toEqual(trace);
  });

  it('find a named port in the protocol that it is defined for', () => {
    const named = rule('Deny', ', protocols: [{destinationNamedPort: web}]');
    const manifests = `${pods}---\n${document(spec('Admin', 1, named))}\n`;
    const verdicts = judge(manifests, flow('UDP', 8080), flow('TCP', 8080), flow('UDP', 8081));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['deny', 'allow', 'allow']);
  });

  it('do not take a network set for a pod of its namespace', () => {
    const set = `---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: s, namespace: one}
spec: {nets: [192.0.2.0/24]}
`;
    const manifests = `${pods}${set}---\n${document(spec('Admin', 1, rule('Deny')))}\n`;
    const verdicts = judge(manifests, flow('TCP', 80), flow('TCP', 80, '192.0.2.1'));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['deny', 'allow']);
  });
});
