import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../../src/model/address.ts';
import type { EntityMatch, Policy } from '../../../../src/model/policy.ts';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { objectOf, parseOne } from './parsed.ts';

const document = (spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: web}\nspec: ${spec}`;
const policyOf = (spec: string): Policy => objectOf('policy', document(spec));
const OWN = 'projectcalico.org/namespace == "web" && projectcalico.org/orchestrator == "k8s"';

function peerText({ selector, nets, notNets }: EntityMatch): string {
  if (selector !== undefined) return formatSelector(selector);
  return [...nets.map(formatCidr), ...notNets.map((net) => `!${formatCidr(net)}`)].join(' ') || 'any';
}

describe('a Kubernetes policy', () => {
  it('stands in tier default at order 1000 under its own kind', () => {
    const policy = policyOf('{podSelector: {matchLabels: {app: a}}}');
    expect(policy).toMatchObject({ key: 'KubernetesNetworkPolicy/web/p', tier: 'default', order: 1000, staged: false });
    expect(formatSelector(policy.selector)).toBe(
      '(projectcalico.org/orchestrator == "k8s" && app == "a" && projectcalico.org/namespace == "web")',
    );
  });

  it.each([
    ['{podSelector: {}}', true, false],
    ['{podSelector: {}, egress: []}', true, false],
    ['{podSelector: {}, egress: [{}]}', true, true],
    ['{podSelector: {}, policyTypes: [Egress]}', false, true],
    ['{podSelector: {}, policyTypes: [Ingress], egress: [{}]}', true, false],
  ])('with spec %s governs ingress %s, egress %s', (spec, ingress, egress) => {
    expect(policyOf(spec).governs).toEqual({ ingress, egress });
  });

  it('turns expressions into selectors', () => {
    const expressions = [
      '{key: a, operator: In, values: [y, x]}',
      '{key: b, operator: NotIn, values: [z]}',
      '{key: c, operator: Exists}',
      '{key: d, operator: DoesNotExist}',
    ];
    const policy = policyOf(`{podSelector: {matchExpressions: [${expressions.join(', ')}]}}`);
    expect(formatSelector(policy.selector)).toContain('a in {"x", "y"} && b not in {"z"} && has(c) && !has(d)');
  });

  it.each([
    ['{podSelector: {}}', `(${OWN})`],
    ['{podSelector: {matchLabels: {a: b}}}', `(${OWN} && a == "b")`],
    ['{namespaceSelector: {}}', '(has(projectcalico.org/namespace) && projectcalico.org/orchestrator == "k8s")'],
    ['{namespaceSelector: {matchLabels: {e: p}}}', '(pcns.e == "p" && projectcalico.org/orchestrator == "k8s")'],
    [
      '{namespaceSelector: {matchLabels: {e: p}}, podSelector: {matchLabels: {a: b}}}',
      '(pcns.e == "p" && projectcalico.org/orchestrator == "k8s" && a == "b")',
    ],
    ['{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}', '10.0.0.0/8 !10.1.0.0/16'],
  ])('turns the peer %s into %s', (peer, expected) => {
    const { ingress, egress } = policyOf(
      `{podSelector: {}, ingress: [{from: [${peer}]}], egress: [{to: [${peer}]}]}`,
    ).rules;
    expect(ingress.map(({ source }) => peerText(source))).toEqual([expected]);
    expect(egress.map(({ destination }) => peerText(destination))).toEqual([expected]);
    expect(ingress.map(({ destination }) => peerText(destination))).toEqual(['any']);
  });

  it.each([
    ['[]', [[undefined, '']]],
    ['[{}]', [[6, '']]],
    ['[{protocol: UDP}]', [[17, '']]],
    ['[{port: 80}]', [[6, '80-80']]],
    ['[{port: 81}, {port: 80}, {port: 90, endPort: 100}, {port: 95}]', [[6, '80-81 90-100']]],
    [
      '[{port: 80}, {port: 53, protocol: UDP}, {port: http}]',
      [
        [6, '80-80 http'],
        [17, '53-53'],
      ],
    ],
    ['[{port: 80}, {protocol: TCP}]', [[6, '']]],
    ['[{port: 80}, {}]', [[6, '']]],
    [
      '[{port: 80, protocol: 6}, {port: 81, protocol: tcp}, {port: 1, protocol: "17"}]',
      [
        [6, '80-81'],
        [17, '1-1'],
      ],
    ],
    [
      '[{port: dns, protocol: UDPLite}, {port: 7, protocol: SCTP}]',
      [
        [132, '7-7'],
        [136, 'dns'],
      ],
    ],
  ])('turns the ports %s into one rule for each protocol', (ports, expected) => {
    const { rules } = policyOf(`{podSelector: {}, ingress: [{ports: ${ports}}]}`);
    const found = rules.ingress.map(({ protocol, destination }) => [
      protocol,
      destination.ports.map((port) => (port.kind === 'named' ? port.name : `${port.first}-${port.last}`)).join(' '),
    ]);
    expect(found).toEqual(expected);
  });

  it('is nothing when staged for deletion, and staged otherwise', () => {
    const staged = (action: string): string =>
      `apiVersion: projectcalico.org/v3\nkind: StagedKubernetesNetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, stagedAction: ${action}}`;
    expect(parseOne(staged('Delete')).objects).toEqual([]);
    expect(parseOne(staged('Set')).objects).toMatchObject([
      { key: 'StagedKubernetesNetworkPolicy/default/p', staged: true, order: 1000 },
    ]);
  });

  it('has at most 16384 rules of one direction', () => {
    const rule = (peers: number): string => {
      const from = Array(peers).fill('{podSelector: {}}').join(', ');
      return `{from: [${from}], ports: [{port: 1}, {port: 1, protocol: UDP}, {port: 2}, {port: 1, protocol: SCTP}]}`;
    };
    const most = Array(8).fill(rule(682)).join(', ');
    expect(policyOf(`{podSelector: {}, ingress: [${most}]}`).rules.ingress).toHaveLength(16_368);
    const { objects, errors } = parseOne(document(`{podSelector: {}, ingress: [${most}, ${rule(6)}]}`));
    expect(objects).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'LIMIT_EXCEEDED', field: 'spec.ingress', found: '16386 pairs of peer and protocol' },
    ]);
  });
});
