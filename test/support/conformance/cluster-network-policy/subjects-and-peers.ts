// Subjects and peers: by namespace labels, by pod labels with or without a namespace, by networks; and what a policy leaves alone.
import { type ConformanceCase, type ConformanceGroup, oneStep } from '../case.ts';
import { podOf } from '../cluster.ts';
import { type ClusterTier, clusterPolicy } from '../cluster-policy.ts';
import { GROVE, inTree, podsOfTree, type Tree } from '../grove-cluster.ts';
import { expression, labelled } from '../network-policy.ts';
import { podsIn } from '../state.ts';

const TIERS: readonly ClusterTier[] = ['Admin', 'Baseline'];

function podOfTree(tree: Tree, member: string) {
  return { pods: { namespaceSelector: labelled({ tree }), podSelector: labelled({ member }) } };
}

function hostPrefixes(...pods: string[]): string[] {
  const addresses = podsIn(pods.map((name) => podOf(GROVE, name))).flatMap((pod) => pod.addresses);
  return addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
}

function isolationCases(tier: ClusterTier): ConformanceCase[] {
  const subject = inTree('alder');
  const deny = [{ action: 'Deny' as const, peers: [inTree('cedar')] }];
  return [
    oneStep(
      `${tier}: ingress rules leave egress alone`,
      [clusterPolicy('ingress-only', { tier, subject, ingress: deny })],
      ['deny cedar/* -> alder/*'],
    ),
    oneStep(
      `${tier}: egress rules leave ingress alone`,
      [clusterPolicy('egress-only', { tier, subject, egress: deny })],
      ['deny alder/* -> cedar/*'],
    ),
  ];
}

function podSelectorCase(tier: ClusterTier): ConformanceCase {
  const peers = (tree: Tree) => [
    { action: 'Deny' as const, peers: [{ pods: { podSelector: labelled({ tree }) } }] },
    { action: 'Deny' as const, peers: [podOfTree('dogwood', 'dogwood-0')] },
  ];
  return oneStep(
    `${tier}: selects pods by their labels alone and together with those of their namespace`,
    [
      clusterPolicy('pods-of-all-namespaces', {
        tier,
        priority: 20,
        subject: { pods: { podSelector: labelled({ tree: 'alder' }) } },
        egress: peers('birch'),
        ingress: peers('cedar'),
      }),
      clusterPolicy('one-pod', {
        tier,
        priority: 21,
        subject: podOfTree('birch', 'birch-0'),
        egress: [{ action: 'Deny', peers: [inTree('cedar')] }],
      }),
    ],
    [
      'deny alder/* -> birch/*, dogwood/dogwood-0',
      'deny cedar/*, dogwood/dogwood-0 -> alder/*',
      'deny birch/birch-0 -> cedar/*',
    ],
  );
}

function networksCase(tier: ClusterTier): ConformanceCase {
  const rules = [
    { action: 'Accept' as const, peers: [podsOfTree('cedar')] },
    { action: 'Deny' as const, peers: [{ networks: ['0.0.0.0/0', '::/0'] }] },
  ];
  const twoPods = { networks: hostPrefixes('birch/birch-0', 'dogwood/dogwood-0') };
  const policy = (egress: readonly object[]) =>
    clusterPolicy('networks', { tier, priority: 85, subject: podsOfTree('alder'), egress: egress as typeof rules });
  return {
    name: `${tier}: denies all networks but for pods, then also but for two addresses`,
    steps: [
      { apply: [policy(rules)], expect: ['deny alder/* -> *', 'allow alder/* -> cedar/*'] },
      {
        apply: [policy([{ action: 'Accept', peers: [twoPods] }, ...rules])],
        expect: ['deny alder/* -> *', 'allow alder/* -> cedar/*, birch/birch-0, dogwood/dogwood-0'],
      },
    ],
  };
}

function oneFamilyCase(tier: ClusterTier): ConformanceCase {
  return oneStep(
    `${tier}: a network says nothing about the other address family`,
    [
      clusterPolicy('one-family', {
        tier,
        subject: inTree('alder'),
        egress: [{ action: 'Deny', peers: [{ networks: ['::/0'] }] }],
      }),
    ],
    ['deny alder/* -> * : v6'],
  );
}

function omittedNamespaceCase(tier: ClusterTier): ConformanceCase {
  return oneStep(
    `${tier}: a pod peer without a namespace selector is in any namespace, the own one too`,
    [
      clusterPolicy('any-namespace', {
        tier,
        subject: inTree('alder'),
        ingress: [{ action: 'Deny', peers: [{ pods: { podSelector: expression('tree', 'Exists') } }] }],
      }),
    ],
    ['deny * -> alder/*'],
  );
}

function everyNamespaceCase(tier: ClusterTier): ConformanceCase {
  return oneStep(
    `${tier}: empty selectors mean every pod`,
    [
      clusterPolicy('everyone', {
        tier,
        subject: { namespaces: {} },
        ingress: [{ action: 'Deny', peers: [{ namespaces: {} }], ports: [{ protocol: 'TCP', port: 80 }] }],
      }),
    ],
    ['deny * -> * : TCP80'],
  );
}

export const subjectsAndPeers: ConformanceGroup = {
  name: 'subjects and peers',
  cases: TIERS.flatMap((tier) => [
    ...isolationCases(tier),
    podSelectorCase(tier),
    networksCase(tier),
    oneFamilyCase(tier),
    omittedNamespaceCase(tier),
    everyNamespaceCase(tier),
  ]),
};
