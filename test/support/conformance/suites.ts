// The table of suites: which cases there are, by suite and group.
import type { ConformanceCase, ConformanceSuite } from './case.ts';
import { clusterPorts } from './cluster-network-policy/ports.ts';
import { ruleOrder } from './cluster-network-policy/rule-order.ts';
import { subjectsAndPeers } from './cluster-network-policy/subjects-and-peers.ts';
import { tiers } from './cluster-network-policy/tiers.ts';
import { actions, example } from './cyclonus/actions.ts';
import { conflicts } from './cyclonus/conflicts.ts';
import { anyPeer, multiplePeers, namespaceNames, peerBlocks, peerPods } from './cyclonus/peers.ts';
import { anyPort, multiplePorts, portRanges, singlePorts, unservedPorts } from './cyclonus/ports.ts';
import { rules, targets } from './cyclonus/targets.ts';
import { GROVE } from './grove-cluster.ts';
import { blocks } from './kubernetes/blocks.ts';
import { changes } from './kubernetes/changes.ts';
import { isolation } from './kubernetes/isolation.ts';
import { peers } from './kubernetes/peers.ts';
import { ports } from './kubernetes/ports.ts';
import { XYZ } from './xyz-cluster.ts';

export const KUBERNETES: ConformanceSuite = {
  name: 'Kubernetes NetworkPolicy',
  cluster: XYZ,
  groups: [isolation, peers, ports, blocks, changes],
};

export const CYCLONUS: ConformanceSuite = {
  name: 'Cyclonus',
  cluster: XYZ,
  groups: [
    targets,
    rules,
    anyPeer,
    peerPods,
    namespaceNames,
    peerBlocks,
    multiplePeers,
    anyPort,
    singlePorts,
    multiplePorts,
    portRanges,
    unservedPorts,
    conflicts,
    actions,
    example,
  ],
};

export const CLUSTER_NETWORK_POLICY: ConformanceSuite = {
  name: 'ClusterNetworkPolicy',
  cluster: GROVE,
  groups: [ruleOrder, subjectsAndPeers, clusterPorts, tiers],
};

export function casesOf({ groups }: ConformanceSuite): readonly ConformanceCase[] {
  return groups.flatMap(({ cases }) => cases);
}
