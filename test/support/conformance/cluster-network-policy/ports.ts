// Ports of cluster-wide rules: ranges of each protocol, the ends of a range, and names.
import { type ConformanceCase, type ConformanceGroup, oneStep, type Protocol } from '../case.ts';
import { type ClusterRule, type ClusterTier, clusterPolicy } from '../cluster-policy.ts';
import { inTree, type Tree } from '../grove-cluster.ts';
import { expression } from '../network-policy.ts';

const TIERS: readonly ClusterTier[] = ['Admin', 'Baseline'];
const EVERY_TREE = { namespaces: expression('tree', 'Exists') };

function acceptRange(tree: Tree, protocol: Protocol, first: number, last: number): ClusterRule {
  return { action: 'Accept', peers: [inTree(tree)], ports: [{ protocol, first, last }] };
}

function rangesCase(tier: ClusterTier): ConformanceCase {
  const rules: ClusterRule[] = [
    acceptRange('birch', 'TCP', 80, 8080),
    acceptRange('dogwood', 'UDP', 53, 5353),
    acceptRange('cedar', 'SCTP', 9003, 9005),
    { action: 'Deny', peers: [EVERY_TREE] },
  ];
  return oneStep(
    `${tier}: accepts a range of ports of one protocol for each peer, and denies all else`,
    [clusterPolicy('ranges', { tier, subject: inTree('alder'), egress: rules, ingress: rules })],
    [
      'deny alder/* -> *',
      'allow alder/* -> birch/* : TCP',
      'allow alder/* -> dogwood/* : UDP',
      'allow alder/* -> cedar/* : SCTP',
      'deny birch/*, cedar/*, dogwood/* -> alder/*',
      'allow birch/* -> alder/* : TCP',
      'allow dogwood/* -> alder/* : UDP',
      'allow cedar/* -> alder/* : SCTP',
    ],
  );
}

function endsCase(tier: ClusterTier): ConformanceCase {
  const rules: ClusterRule[] = [
    acceptRange('birch', 'TCP', 81, 8080),
    acceptRange('birch', 'UDP', 1, 5352),
    acceptRange('birch', 'SCTP', 9004, 9005),
    { action: 'Deny', peers: [EVERY_TREE] },
  ];
  return oneStep(
    `${tier}: begins and ends a range at its ends`,
    [clusterPolicy('range-ends', { tier, subject: inTree('alder'), egress: rules })],
    ['deny alder/* -> *', 'allow alder/* -> birch/* : TCP8080 UDP53 SCTP9005'],
  );
}

function namedEgressCase(tier: ClusterTier): ConformanceCase {
  return oneStep(
    `${tier}: a named port of egress is that of the destination, with its protocol`,
    [
      clusterPolicy('named-egress', {
        tier,
        subject: inTree('alder'),
        egress: [
          { action: 'Accept', peers: [inTree('dogwood')], ports: [{ name: 'web' }] },
          { action: 'Deny', peers: [inTree('dogwood')] },
        ],
      }),
    ],
    ['deny alder/* -> dogwood/*', 'allow alder/* -> dogwood/* : TCP80'],
  );
}

function namedIngressCase(tier: ClusterTier): ConformanceCase {
  return oneStep(
    `${tier}: a named port of ingress is that of the subject, with its protocol`,
    [
      clusterPolicy('named-ingress', {
        tier,
        subject: inTree('dogwood'),
        ingress: [
          { action: 'Accept', peers: [inTree('alder')], ports: [{ name: 'dns' }, { name: 'signal-alt' }] },
          { action: 'Deny', peers: [inTree('alder')] },
        ],
      }),
    ],
    ['deny alder/* -> dogwood/*', 'allow alder/* -> dogwood/* : UDP53 SCTP9005'],
  );
}

export const clusterPorts: ConformanceGroup = {
  name: 'ports',
  cases: TIERS.flatMap((tier) => [rangesCase(tier), endsCase(tier), namedEgressCase(tier), namedIngressCase(tier)]),
};
