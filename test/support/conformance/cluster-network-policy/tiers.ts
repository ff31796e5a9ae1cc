// Tiers: priority inside one, policies of equal priority, and how Admin, NetworkPolicy and Baseline follow one another.
import { type ConformanceCase, type ConformanceGroup, oneStep } from '../case.ts';
import { type ClusterAction, type ClusterTier, clusterPolicy } from '../cluster-policy.ts';
import { inTree, podsOfTree, type Tree } from '../grove-cluster.ts';
import { labelled, networkPolicy } from '../network-policy.ts';

const TIERS: readonly ClusterTier[] = ['Admin', 'Baseline'];
const BETWEEN_ALDER_AND_CEDAR = ['deny cedar/* -> alder/*', 'deny alder/* -> cedar/*'];

/** One rule in each direction, between alder and cedar. */
function alderAndCedar(name: string, tier: ClusterTier, priority: number, ingress: ClusterAction, egress = ingress) {
  const peers = [podsOfTree('cedar')];
  const subject = podsOfTree('alder');
  return clusterPolicy(name, {
    tier,
    priority,
    subject,
    ingress: [{ action: ingress, peers }],
    egress: [{ action: egress, peers }],
  });
}

const KUBERNETES_POLICY = networkPolicy('alder', 'only-cedar', {
  ingress: [{ peers: [{ namespaceSelector: labelled({ tree: 'cedar' }) }] }],
  egress: [{ peers: [{ namespaceSelector: labelled({ tree: 'cedar' }) }] }],
});
/** What KUBERNETES_POLICY closes. */
const OTHERS = ['deny birch/*, dogwood/*, alder/* -> alder/*', 'deny alder/* -> birch/*, dogwood/*'];

const priority: ConformanceCase = {
  name: 'Admin: the lower priority number comes first, and its Pass hands over to the next tier',
  steps: [
    {
      apply: [
        alderAndCedar('denies', 'Admin', 50, 'Deny'),
        alderAndCedar('passes', 'Admin', 60, 'Pass'),
        alderAndCedar('accepts', 'Baseline', 10, 'Accept'),
      ],
      expect: BETWEEN_ALDER_AND_CEDAR,
    },
    { apply: [alderAndCedar('passes', 'Admin', 40, 'Pass')], expect: [] },
  ],
};

const integration: ConformanceCase = {
  name: 'NetworkPolicy decides what Admin passes, Baseline decides what no NetworkPolicy is about',
  steps: [
    {
      apply: [
        alderAndCedar('admin', 'Admin', 10, 'Deny'),
        KUBERNETES_POLICY,
        alderAndCedar('baseline', 'Baseline', 10, 'Deny'),
      ],
      expect: [...BETWEEN_ALDER_AND_CEDAR, ...OTHERS],
    },
    {
      apply: [alderAndCedar('admin', 'Admin', 10, 'Pass', 'Deny')],
      expect: ['deny alder/* -> cedar/*', ...OTHERS],
    },
    { apply: [alderAndCedar('admin', 'Admin', 10, 'Pass')], expect: OTHERS },
    { remove: [KUBERNETES_POLICY], expect: BETWEEN_ALDER_AND_CEDAR },
  ],
};

const adminOverNetworkPolicy = oneStep(
  'Admin: Accept wins over a NetworkPolicy that allows nothing',
  [alderAndCedar('admin', 'Admin', 10, 'Accept'), networkPolicy('alder', 'nothing', { ingress: [], egress: [] })],
  ['deny birch/*, dogwood/*, alder/* -> alder/*', 'deny alder/* -> birch/*, dogwood/*'],
);

const adminOverBaseline = oneStep(
  'Admin: Accept wins over Baseline',
  [alderAndCedar('admin', 'Admin', 1000, 'Accept'), alderAndCedar('baseline', 'Baseline', 0, 'Deny')],
  [],
);

function samePriority(tier: ClusterTier): ConformanceCase {
  const pair = (subject: Tree, peer: Tree, port: number) => {
    const rules = [{ action: 'Deny' as const, peers: [inTree(peer)], ports: [{ protocol: 'TCP' as const, port }] }];
    const parts = { tier, priority: 15, subject: inTree(subject), ingress: rules, egress: rules };
    return clusterPolicy(`${subject}-${peer}`, parts);
  };
  return oneStep(
    `${tier}: all policies of one priority apply, each to its own subject`,
    [pair('alder', 'cedar', 80), pair('alder', 'dogwood', 80), pair('dogwood', 'cedar', 8080)],
    [
      'deny cedar/*, dogwood/* -> alder/* : TCP80',
      'deny alder/* -> cedar/*, dogwood/* : TCP80',
      'deny cedar/* -> dogwood/* : TCP8080',
      'deny dogwood/* -> cedar/* : TCP8080',
    ],
  );
}

export const tiers: ConformanceGroup = {
  name: 'tiers and priorities',
  cases: [priority, ...TIERS.map(samePriority), integration, adminOverNetworkPolicy, adminOverBaseline],
};
