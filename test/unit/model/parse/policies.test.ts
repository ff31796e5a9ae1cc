import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../../src/model/address.ts';
import type { Policy, Rule } from '../../../../src/model/policy.ts';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { objectOf, parseOne } from './parsed.ts';

const document = (kind: string, spec: string): string => {
  const metadata = kind.includes('Global') ? '{name: p}' : '{name: p, namespace: web}';
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}`;
};
const policyOf = (kind: string, spec: string): Policy => objectOf('policy', document(kind, spec));
const ruleOf = (rule: string, kind = 'NetworkPolicy'): Rule =>
  policyOf(kind, `{egress: [${rule}]}`).rules.egress[0] as Rule;

describe('a Calico policy', () => {
  it('has the defaults of its kind', () => {
    expect(policyOf('GlobalNetworkPolicy', '{}')).toMatchObject({
      key: 'GlobalNetworkPolicy//p',
      kind: 'GlobalNetworkPolicy',
      tier: 'default',
      order: undefined,
      selector: { kind: 'all' },
      governs: { ingress: true, egress: false },
      rules: { ingress: [], egress: [] },
      staged: false,
      doNotTrack: false,
      preDnat: false,
      applyOnForward: false,
      performanceHints: [],
    });
  });

  it('is scoped to its namespace', () => {
    const policy = policyOf('NetworkPolicy', '{selector: "app == \'a\'", tier: security, order: 5}');
    expect(policy).toMatchObject({ key: 'NetworkPolicy/web/p', namespace: 'web', tier: 'security', order: 5 });
    expect(formatSelector(policy.selector)).toBe('(app == "a" && projectcalico.org/namespace == "web")');
  });

  it.each([
    ['{}', true, false],
    ['{ingress: [{action: Allow}]}', true, false],
    ['{egress: [{action: Allow}]}', false, true],
    ['{ingress: [{action: Allow}], egress: [{action: Allow}]}', true, true],
    ['{ingress: [], egress: []}', true, false],
    ['{types: [Egress], ingress: [{action: Allow}]}', false, true],
    ['{types: []}', true, false],
  ])('with spec %s governs ingress %s, egress %s', (spec, ingress, egress) => {
    expect(policyOf('NetworkPolicy', spec).governs).toEqual({ ingress, egress });
  });

  it('is staged when its kind says so', () => {
    expect(policyOf('StagedNetworkPolicy', '{stagedAction: Learn}')).toMatchObject({
      staged: true,
      kind: 'StagedNetworkPolicy',
    });
    expect(policyOf('StagedGlobalNetworkPolicy', '{}').staged).toBe(true);
  });

  const STAGED_KINDS = ['StagedNetworkPolicy', 'StagedGlobalNetworkPolicy', 'StagedKubernetesNetworkPolicy'];
  it.each(STAGED_KINDS)('is the same %s for every stagedAction but Delete', (kind) => {
    const plain = policyOf(kind, '{}');
    for (const action of ['Set', 'Learn', 'Ignore']) {
      expect(policyOf(kind, `{stagedAction: ${action}}`)).toEqual(plain);
    }
    expect(parseOne(document(kind, '{stagedAction: Delete}'))).toEqual({ objects: [], errors: [] });
  });

  it('carries its hints', () => {
    const hints = '{performanceHints: [AssumeNeededOnEveryNode]}';
    expect(policyOf('GlobalNetworkPolicy', hints).performanceHints).toEqual(['AssumeNeededOnEveryNode']);
  });

  it('is frozen through and through', () => {
    const policy = policyOf('NetworkPolicy', '{ingress: [{action: Allow, source: {nets: [10.0.0.0/8]}}]}');
    expect(Object.isFrozen(policy.rules.ingress[0]?.source.nets[0]?.words)).toBe(true);
    expect(Object.isFrozen(policy.selector)).toBe(true);
  });

  it('knows the line of every rule', () => {
    const text = `${document('NetworkPolicy', '')}\n  ingress:\n  - action: Allow\n\n  # note\n  - action: Deny\n`;
    const policy = objectOf('policy', text);
    expect(policy.location).toEqual({ file: 'f.yaml', line: 1 });
    expect(policy.rules.ingress.map(({ location }) => location.line)).toEqual([6, 9]);
  });

  it.each([
    ['selector', '{selector: "a ="}', 'spec.selector', 'does not parse at column 3 of "a ="'],
    [
      'rule selector',
      '{ingress: [{action: Allow, source: {notSelector: "("}}]}',
      'spec.ingress[0].source.notSelector',
      'found the end',
    ],
    ['service-account selector', '{serviceAccountSelector: "x"}', 'spec.serviceAccountSelector', 'an operator'],
    [
      'selector with global()',
      '{selector: global()}',
      'spec.selector',
      'global() can only be used in an EntityRule namespaceSelector',
    ],
    [
      'rule selector with global()',
      '{ingress: [{action: Allow, source: {selector: "has(a) && global()"}}]}',
      'spec.ingress[0].source.selector',
      'global() can only be used',
    ],
    [
      'global() beside others',
      '{ingress: [{action: Allow, source: {namespaceSelector: "global() || has(a)"}}]}',
      'spec.ingress[0].source.namespaceSelector',
      'global() cannot be combined with other selectors',
    ],
  ])('with a bad %s is refused', (_name, spec, field, message) => {
    const { objects, errors } = parseOne(document('NetworkPolicy', spec));
    expect(objects).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'INVALID_SELECTOR', field, line: 4, file: 'f.yaml', message: expect.stringContaining(message) },
    ]);
  });

  it('with a layer-7 rule is refused', () => {
    const { objects, errors } = parseOne(
      document('NetworkPolicy', '{ingress: [{action: Allow, http: {methods: [GET]}}]}'),
    );
    expect(objects).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'NEEDS_LAYER7', field: 'spec.ingress[0].http', message: expect.stringContaining('needs layer 7') },
    ]);
  });

  it('may have global( in a label value', () => {
    expect(parseOne(document('NetworkPolicy', `{selector: "a == 'global('"}`)).errors).toEqual([]);
  });
});

describe('a Calico rule', () => {
  it.each([
    ['{action: allow}', { action: 'allow', protocol: undefined, ipVersion: undefined }],
    ['{action: PASS}', { action: 'pass' }],
    ['{action: Log, protocol: icmp}', { action: 'log', protocol: 1, ipVersion: 4 }],
    ['{action: Deny, protocol: ICMPv6}', { protocol: 58, ipVersion: 6 }],
    ['{action: Deny, protocol: 58}', { protocol: 58, ipVersion: undefined }],
    ['{action: Deny, protocol: 1, ipVersion: 4}', { protocol: 1, ipVersion: 4 }],
    ['{action: Deny, notProtocol: ICMP}', { protocol: undefined, notProtocol: 1, ipVersion: undefined }],
    ['{action: Deny, protocol: UDPLite}', { protocol: 136 }],
    ['{action: Deny, protocol: udplite, destination: {ports: [1]}}', { protocol: 136 }],
    ['{action: Deny, protocol: "255", notProtocol: sCtP}', { protocol: 255, notProtocol: 132 }],
    ['{action: Deny, protocol: ICMP, icmp: {type: 8}}', { icmp: { type: 8 } }],
    ['{action: Deny, notICMP: {type: 8, code: 1}}', { notIcmp: { type: 8, code: 1 } }],
  ])('%s parses', (text, expected) => {
    expect(ruleOf(text)).toMatchObject(expected);
  });

  it('has ports as numbers, ranges and names', () => {
    const rule = ruleOf(
      '{action: Allow, protocol: TCP, destination: {ports: [80, "81", "90:100", http]}, source: {notPorts: [dns]}}',
    );
    expect(rule.destination.ports).toEqual([
      { kind: 'range', first: 80, last: 80 },
      { kind: 'range', first: 81, last: 81 },
      { kind: 'range', first: 90, last: 100 },
      { kind: 'named', name: 'http' },
    ]);
    expect(rule.source.notPorts).toEqual([{ kind: 'named', name: 'dns' }]);
  });

  it('has nets of either family', () => {
    const { source } = ruleOf('{action: Allow, source: {nets: ["2001:DB8::/32"], notNets: ["2001:db8:1::/48"]}}');
    expect(source.nets.map(formatCidr)).toEqual(['2001:db8::/32']);
    expect(source.notNets.map(formatCidr)).toEqual(['2001:db8:1::/48']);
  });

  it('merges selectors of one side', () => {
    const { source } = ruleOf(
      '{action: Allow, source: {selector: has(a), notSelector: has(b)}}',
      'GlobalNetworkPolicy',
    );
    expect(source.notSelector).toBeUndefined();
    expect(source.selector && formatSelector(source.selector)).toBe('(has(a) && !has(b))');
  });

  it('takes a service without namespace from the policy', () => {
    expect(ruleOf('{action: Allow, destination: {services: {name: s}}}').destination.service).toEqual({
      namespace: 'web',
      name: 's',
    });
    const other = '{action: Allow, destination: {services: {name: s, namespace: n}}}';
    expect(ruleOf(other, 'GlobalNetworkPolicy').destination.service).toEqual({ namespace: 'n', name: 's' });
  });
});
