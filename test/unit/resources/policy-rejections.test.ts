// Policies, apart from their rules, that Calico refuses, with the message it gives, and those that it allows.
import { describe, expect, it } from 'vitest';
import { describeRejections, errorsOf, gnp, ingress, manifest, np, type Rejection } from './rejections.ts';

const IN = 'spec.ingress[0]';

const policies: readonly Rejection[] = [
  [
    gnp('{preDNAT: true, doNotTrack: true, applyOnForward: true}'),
    'INVALID_FIELD',
    'spec',
    'preDNAT and doNotTrack cannot both be true',
  ],
  [
    gnp('{preDNAT: true, applyOnForward: true, egress: [{action: Allow}]}'),
    'INVALID_FIELD',
    'spec.egress',
    'preDNAT policy cannot have any egress rules',
  ],
  [
    manifest('StagedGlobalNetworkPolicy', '{preDNAT: true, applyOnForward: true, types: [Egress]}'),
    'INVALID_FIELD',
    'spec.types',
    "preDNAT policy cannot have 'Egress' type",
  ],
  [
    gnp('{doNotTrack: true}'),
    'INVALID_FIELD',
    'spec',
    'applyOnForward must be true if either preDNAT or doNotTrack is true',
  ],
  [
    gnp('{preDNAT: true}'),
    'INVALID_FIELD',
    'spec',
    'applyOnForward must be true if either preDNAT or doNotTrack is true',
  ],
  [np('{types: [Ingress, Ingress]}'), 'INVALID_FIELD', 'spec.types', 'type specified more than once'],
  [
    np('{performanceHints: [AssumeNeededOnEveryNode, AssumeNeededOnEveryNode]}'),
    'INVALID_FIELD',
    'spec.performanceHints[1]',
    'specified more than once',
  ],
  [np('{performanceHints: [Fast]}'), 'INVALID_FIELD', 'spec.performanceHints[0]', 'one of AssumeNeededOnEveryNode'],
  [np('{tier: a.b}'), 'INVALID_FIELD', 'spec.tier', 'DNS label'],
  [
    np(`{ingress: [${Array(1025).fill('{action: Allow}')}]}`),
    'INVALID_FIELD',
    'spec.ingress',
    'found 1025 items, expected at most 1024 items',
  ],
  [
    manifest('Profile', `{egress: [${Array(1025).fill('{action: Allow}')}]}`),
    'INVALID_FIELD',
    'spec.egress',
    'found 1025 items, expected at most 1024 items',
  ],
  [
    manifest('StagedNetworkPolicy', '{stagedAction: Delete, order: 1}'),
    'INVALID_FIELD',
    'spec.order',
    'Spec fields, except Tier, should all be zero-value if stagedAction is Delete',
  ],
  [
    manifest('StagedGlobalNetworkPolicy', '{stagedAction: Delete, ingress: [{action: Allow}]}'),
    'INVALID_FIELD',
    'spec.ingress',
    'Spec fields, except Tier, should all be zero-value if stagedAction is Delete',
  ],
  [
    manifest('StagedKubernetesNetworkPolicy', '{stagedAction: Delete, podSelector: {matchLabels: {a: b}}}'),
    'INVALID_FIELD',
    'spec.podSelector',
    'Spec fields should all be zero-value if stagedAction is Delete',
  ],
  [
    manifest('StagedNetworkPolicy', '{stagedAction: Remove}'),
    'INVALID_FIELD',
    'spec.stagedAction',
    'one of Set, Delete',
  ],
  [
    ingress('{action: Allow, metadata: {annotations: {"a b": c}}}'),
    'INVALID_FIELD',
    `${IN}.metadata.annotations["a b"]`,
    'invalid annotation key',
  ],
];

describeRejections('policies', policies);

describe('not rejected', () => {
  it.each([
    ['performanceHints', gnp('{performanceHints: [AssumeNeededOnEveryNode]}')],
    ['stagedAction Delete with a tier', manifest('StagedNetworkPolicy', '{stagedAction: Delete, tier: a}')],
    [
      'stagedAction Delete with what says nothing',
      manifest('StagedGlobalNetworkPolicy', '{stagedAction: Delete, selector: "", ingress: [], doNotTrack: false}'),
    ],
    [
      'stagedAction Delete with an empty podSelector',
      manifest('StagedKubernetesNetworkPolicy', '{stagedAction: Delete, podSelector: {}}'),
    ],
  ])('%s', (_name, text) => {
    expect(errorsOf(text).map(({ message }) => message)).toEqual([]);
  });
});
