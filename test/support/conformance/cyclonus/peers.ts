// Peers of the base policy's rule, one by one and every two of them together: what two peers allow is what either does.
import { type ConformanceCase, type ConformanceGroup, oneStep } from '../case.ts';
import { ANY, dualBlocks, labelled, type PolicyPeer } from '../network-policy.ts';
import { placeOf } from '../xyz-cluster.ts';
import { baseWith, DIRECTIONS, type Direction, rowsWith } from './base-policy.ts';

interface PeerItem {
  readonly name: string;
  readonly peers: readonly PolicyPeer[];
  /** The other pods that it selects for a policy in x. */
  readonly pods: readonly string[];
}

const C = labelled({ pod: 'c' });
const X = labelled({ ns: 'x' });
const EVERYONE = ['x/b', 'x/c', 'y/a', 'y/b', 'y/c', 'z/a', 'z/b', 'z/c'];

const POD_PEERS: readonly PeerItem[] = [
  { name: 'all pods of the own namespace', peers: [{ podSelector: ANY }], pods: ['x/b', 'x/c'] },
  { name: 'c of the own namespace', peers: [{ podSelector: C }], pods: ['x/c'] },
  { name: 'all namespaces', peers: [{ namespaceSelector: ANY }], pods: EVERYONE },
  { name: 'all pods of all namespaces', peers: [{ podSelector: ANY, namespaceSelector: ANY }], pods: EVERYONE },
  {
    name: 'c of all namespaces',
    peers: [{ podSelector: C, namespaceSelector: ANY }],
    pods: ['x/c', 'y/c', 'z/c'],
  },
  { name: 'namespace x', peers: [{ namespaceSelector: X }], pods: ['x/b', 'x/c'] },
  { name: 'all pods of namespace x', peers: [{ podSelector: ANY, namespaceSelector: X }], pods: ['x/b', 'x/c'] },
  { name: 'c of namespace x', peers: [{ podSelector: C, namespaceSelector: X }], pods: ['x/c'] },
];

const BLOCK_PEERS: readonly PeerItem[] = [
  {
    name: 'the block around z/c',
    peers: dualBlocks(placeOf('z/c'), 8),
    pods: ['x/b', 'x/c', 'y/b', 'y/c', 'z/a', 'z/c'],
  },
  {
    name: 'the block around z/c but for the small block around it',
    peers: dualBlocks(placeOf('z/c'), 8, 4),
    pods: ['x/b', 'y/c', 'z/a'],
  },
];

const PEERS = [...POD_PEERS, ...BLOCK_PEERS];

function peerCase(direction: Direction, items: readonly PeerItem[]): ConformanceCase {
  const allowed = new Set(items.flatMap(({ pods }) => pods));
  return oneStep(
    `${direction}: ${items.map(({ name }) => name).join(', and ')}`,
    [baseWith(direction, { peers: items.flatMap(({ peers }) => peers) })],
    rowsWith(direction, [...allowed].join(', '), 'TCP80'),
  );
}

function pairs(items: readonly PeerItem[]): PeerItem[][] {
  return items.flatMap((first, index) => items.slice(index + 1).map((second) => [first, second]));
}

export const anyPeer: ConformanceGroup = {
  name: 'rule: any peer',
  cases: DIRECTIONS.map((direction) =>
    oneStep(
      `${direction}: an empty list of peers`,
      [baseWith(direction, { peers: [] })],
      rowsWith(direction, '*', 'TCP80'),
    ),
  ),
};

export const peerPods: ConformanceGroup = {
  name: 'peer-pods',
  cases: DIRECTIONS.flatMap((direction) => POD_PEERS.map((item) => peerCase(direction, [item]))),
};

export const peerBlocks: ConformanceGroup = {
  name: 'peer-ipblock',
  cases: DIRECTIONS.flatMap((direction) => BLOCK_PEERS.map((item) => peerCase(direction, [item]))),
};

export const multiplePeers: ConformanceGroup = {
  name: 'rule: two peers',
  cases: DIRECTIONS.flatMap((direction) => pairs(PEERS).map((pair) => peerCase(direction, pair))),
};

export const namespaceNames: ConformanceGroup = {
  name: 'peer-pods: namespace by its name',
  cases: DIRECTIONS.map((direction) =>
    oneStep(
      `${direction}: namespace z by the label that the API server gives it`,
      [baseWith(direction, { peers: [{ namespaceSelector: labelled({ 'kubernetes.io/metadata.name': 'z' }) }] })],
      rowsWith(direction, 'z/*', 'TCP80'),
    ),
  ),
};
