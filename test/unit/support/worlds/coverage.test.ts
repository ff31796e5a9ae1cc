import { beforeAll, describe, expect, it } from 'vitest';
import { tryParseSelector } from '../../../../src/model/selector/parser.ts';
import { Census } from '../../../support/worlds/census.ts';
import { questionOf, worldOf } from '../../../support/worlds/questions.ts';
import { fieldsOfManifest, fieldsOfSchemas, valuesOf } from '../../../support/worlds/schema-paths.ts';

// Always the same worlds: this is about the generators, and what is rare must not be missing by chance.
const SEED = 1;
const WORLDS = 2000;
const JUDGED_WORLDS = 250;
const FLOWS_PER_WORLD = 100;
/** Ten seconds on a quiet machine. */
const TIMEOUT_MS = 300_000;

/** What has no place in a world that is valid and can be enforced, or is no policy but somebody's settings. */
const NEVER_MADE = [
  /\.http(?:\.|$)/,
  /\.ingress\[\]\.destination\.services/,
  /\.egress\[\]\.source\.services/,
  /^FelixConfiguration /,
  /^KubeControllersConfiguration /,
  /^PacketCapture /,
  /^ClusterNetworkPolicy .*\.(?:nodes|domainNames)/,
];

describe('generated worlds', () => {
  const fields = new Set<string>();
  const values = new Map<string, Set<unknown>>();
  const selectors = new Set<string>();
  const protocols = new Set<number>();
  const ports = new Set<number>();

  beforeAll(() => {
    for (let index = 0; index < WORLDS; index++) {
      const { manifests, flows } = questionOf(SEED, index, FLOWS_PER_WORLD);
      for (const { protocol, destinationPort } of flows) {
        protocols.add(protocol);
        ports.add(destinationPort);
      }
      for (const manifest of manifests) {
        for (const field of fieldsOfManifest(manifest)) fields.add(field);
        for (const { key, value } of valuesOf(manifest)) {
          if (typeof value === 'object' && value !== null) continue;
          values.set(key, (values.get(key) ?? new Set()).add(value));
          if (/selector$/i.test(key)) selectors.add(String(value));
        }
      }
    }
  }, TIMEOUT_MS);

  it('have every field of every kind', () => {
    const wanted = [...fieldsOfSchemas()].filter((field) => !NEVER_MADE.some((pattern) => pattern.test(field)));
    expect(wanted.filter((field) => !fields.has(field))).toEqual([]);
    expect(wanted.length).toBeGreaterThan(300);
  });

  const kinds: readonly (readonly [key: string, wanted: readonly unknown[]])[] = [
    ['action', ['Allow', 'Deny', 'Pass', 'Log', 'Accept', 'allow', 'DENY']],
    ['stagedAction', ['Set', 'Delete', 'Learn', 'Ignore']],
    ['operator', ['In', 'NotIn', 'Exists', 'DoesNotExist']],
    ['phase', ['Running', 'Pending', 'Failed', 'Succeeded', 'Completed']],
    ['orchestrator', ['k8s', 'openstack', 'cni']],
    ['ready', [true, false, null]],
    ['serving', [true, false, null]],
    ['nets', ['0.0.0.0/0', '::/0', '10.1.1.64/32', 'fd00:1:ff::1/128']],
    ['networks', ['0.0.0.0/0', '::/0']],
    ['ports', ['http', 1, 65535, '1:65535', '80']],
    ['order', [-1.5, 0, 1.5, 1000]],
    ['priority', [0, 1, 1000]],
    ['protocol', ['TCP', 'UDP', 'SCTP', 'UDPLite', 'ICMP', 'ICMPv6', 'icmp', 'udplite', '6', 1, 6, 17, 58, 132, 136]],
    ['notProtocol', ['TCP', 'ICMPv6', 136]],
    ['types', ['Ingress', 'Egress']],
    ['policyTypes', ['Ingress', 'Egress']],
    ['defaultAction', ['Pass', 'Deny']],
    ['tier', ['default', 'missing', 'kube-admin', 'Admin', 'Baseline']],
    ['profiles', ['absent', 'custom', 'kns.nsa', 'ksa.nsa.builder', 'projectcalico-default-allow']],
    ['namespaceSelector', ['all()', 'global()']],
  ];

  it.each(kinds)('have every kind of %s', (key, wanted) => {
    expect([...(values.get(key) ?? [])]).toEqual(expect.arrayContaining([...wanted]));
  });

  it('name nearly every protocol number in rules', () => {
    const numbers = [...(values.get('protocol') ?? [])].filter((value) => typeof value === 'number');
    expect(numbers.length).toBeGreaterThan(240);
  });

  it('have flows of every protocol, to the first and the last port', () => {
    expect(protocols.size).toBe(256);
    expect([...ports]).toEqual(expect.arrayContaining([0, 1, 65534, 65535]));
  });

  it('use every operator of the selector language', () => {
    const kinds = new Set<string>();
    const add = (node: { kind: string; operand?: unknown; operands?: readonly unknown[] }): void => {
      kinds.add(node.kind);
      for (const operand of [node.operand, ...(node.operands ?? [])]) if (operand !== undefined) add(operand as never);
    };
    for (const text of selectors) {
      const result = tryParseSelector(text);
      if ('selector' in result) add(result.selector);
    }
    expect([...kinds].sort()).toEqual([
      'all',
      'and',
      'contains',
      'endsWith',
      'equals',
      'global',
      'has',
      'in',
      'not',
      'notEquals',
      'notIn',
      'or',
      'startsWith',
    ]);
  });
});

describe('generated flows', () => {
  const census = new Census();

  beforeAll(() => {
    for (let index = 0; index < JUDGED_WORLDS; index++) {
      const { manifests, flows } = questionOf(SEED, index, FLOWS_PER_WORLD);
      census.addFlows(worldOf(manifests), flows);
    }
  }, TIMEOUT_MS);

  it.each([
    ['side allow by rule', 0.1],
    ['side deny by rule', 0.05],
    ['side deny by end of tier', 0.15],
    ['side allow by profile', 0.1],
    ['side deny by profile', 0.05],
    ['side deny by no profile', 0.01],
    ['side logged', 0.02],
    ['pending', 0.15],
    ['pending allow, now deny', 0.01],
    ['pending deny, now allow', 0.02],
  ])('end in "%s" often enough', (name, share) => {
    expect(census.count(name) / census.count('side')).toBeGreaterThan(share);
  });

  it('mostly have a side to judge', () => {
    expect(census.count('side none')).toBeLessThan(0.1 * JUDGED_WORLDS * FLOWS_PER_WORLD);
    expect(census.count('side before policy')).toBeGreaterThan(0);
  });

  it.each(['np', 'gnp', 'knp', 'kcnp', 'snp', 'sgnp', 'sknp', 'pro'])('are decided by policies of kind %s', (kind) => {
    expect(census.count(`decided by ${kind}`)).toBeGreaterThan(100);
  });

  it('meet rules with every condition that there is', () => {
    const conditions = ['ipVersion', 'protocol', 'notProtocol', 'icmp', 'icmp.code', 'notIcmp'];
    for (const side of ['source', 'destination']) {
      const fields = ['nets', 'notNets', 'selector', 'notSelector', 'ports', 'notPorts', 'service'];
      conditions.push(...[...fields, 'ports by name', 'notPorts by name'].map((field) => `${side}.${field}`));
    }
    expect(conditions.filter((condition) => census.count(`matched ${condition}`) < 5)).toEqual([]);
  });
});
