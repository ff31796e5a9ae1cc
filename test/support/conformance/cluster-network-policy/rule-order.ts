// Order of rules: for each direction and protocol a policy whose rules contradict each other, edited until each of them came first.
import type { ConformanceCase, ConformanceGroup, ConformanceStep } from '../case.ts';
import { type ClusterPort, type ClusterRule, type ClusterTier, clusterPolicy } from '../cluster-policy.ts';
import { inTree, type Tree } from '../grove-cluster.ts';

interface Parts {
  readonly subject: Tree;
  /** Contradicted as a whole: Accept, Deny, Pass. */
  readonly whole: Tree;
  /** Contradicted at some ports: Deny, Pass. */
  readonly part: Tree;
  readonly partPorts: readonly ClusterPort[];
  /** Accept at some ports, Deny at all others. */
  readonly rest: Tree;
  readonly restPorts: readonly ClusterPort[];
}

type RuleName = 'accept' | 'deny' | 'pass' | 'denyPart' | 'passPart' | 'acceptRest' | 'denyRest';

function rulesOf({ whole, part, partPorts, rest, restPorts }: Parts): Readonly<Record<RuleName, ClusterRule>> {
  return {
    accept: { action: 'Accept', peers: [inTree(whole)] },
    deny: { action: 'Deny', peers: [inTree(whole)] },
    pass: { action: 'Pass', peers: [inTree(whole)] },
    denyPart: { action: 'Deny', peers: [inTree(part)], ports: partPorts },
    passPart: { action: 'Pass', peers: [inTree(part)], ports: partPorts },
    acceptRest: { action: 'Accept', peers: [inTree(rest)], ports: restPorts },
    denyRest: { action: 'Deny', peers: [inTree(rest)] },
  };
}

interface Direction {
  readonly rules: 'ingress' | 'egress';
  readonly parts: Parts;
  /** Rows of what denyPart and denyRest close, and of what deny closes. */
  readonly partRows: readonly string[];
  readonly restRows: readonly string[];
  readonly wholeRows: readonly string[];
}

const SEQUENCES: Readonly<Record<ClusterTier, readonly (readonly RuleName[])[]>> = {
  Admin: [
    ['accept', 'deny', 'pass', 'denyPart', 'passPart', 'acceptRest', 'denyRest'],
    ['deny', 'accept', 'pass', 'denyPart', 'passPart', 'acceptRest', 'denyRest'],
    ['pass', 'accept', 'deny', 'denyPart', 'passPart', 'acceptRest', 'denyRest'],
    ['pass', 'accept', 'deny', 'passPart', 'denyPart', 'acceptRest', 'denyRest'],
  ],
  Baseline: [
    ['accept', 'deny', 'denyPart', 'acceptRest', 'denyRest'],
    ['deny', 'accept', 'denyPart', 'acceptRest', 'denyRest'],
  ],
};

function stepOf(tier: ClusterTier, directions: readonly Direction[], sequence: readonly RuleName[]): ConformanceStep {
  const rules = directions.map(({ rules: field, parts }) => [field, sequence.map((name) => rulesOf(parts)[name])]);
  const [first] = directions as readonly [Direction];
  const isWholeDenied = sequence[0] === 'deny';
  const isPartDenied = !sequence.includes('passPart') || sequence.indexOf('denyPart') < sequence.indexOf('passPart');
  return {
    apply: [clusterPolicy('ordered', { tier, subject: inTree(first.parts.subject), ...Object.fromEntries(rules) })],
    expect: directions.flatMap(({ partRows, restRows, wholeRows }) => [
      ...(isWholeDenied ? wholeRows : []),
      ...(isPartDenied ? partRows : []),
      ...restRows,
    ]),
  };
}

function orderCase(tier: ClusterTier, name: string, directions: readonly Direction[]): ConformanceCase {
  return {
    name: `${tier}: ${name}`,
    steps: SEQUENCES[tier].map((sequence) => stepOf(tier, directions, sequence)),
  };
}

const TCP_EGRESS: Direction = {
  rules: 'egress',
  parts: {
    subject: 'alder',
    whole: 'birch',
    part: 'cedar',
    partPorts: [{ protocol: 'TCP', port: 80 }],
    rest: 'dogwood',
    restPorts: [{ protocol: 'TCP', port: 8080 }],
  },
  wholeRows: ['deny alder/* -> birch/*'],
  partRows: ['deny alder/* -> cedar/* : TCP80'],
  restRows: ['deny alder/* -> dogwood/*', 'allow alder/* -> dogwood/* : TCP8080'],
};

const TCP_INGRESS: Direction = {
  rules: 'ingress',
  parts: { ...TCP_EGRESS.parts, restPorts: [{ protocol: 'TCP', port: 80 }] },
  wholeRows: ['deny birch/* -> alder/*'],
  partRows: ['deny cedar/* -> alder/* : TCP80'],
  restRows: ['deny dogwood/* -> alder/*', 'allow dogwood/* -> alder/* : TCP80'],
};

const UDP_EGRESS: Direction = {
  rules: 'egress',
  parts: {
    subject: 'dogwood',
    whole: 'birch',
    part: 'cedar',
    partPorts: [{ protocol: 'UDP', port: 5353 }],
    rest: 'alder',
    restPorts: [{ protocol: 'UDP', port: 53 }],
  },
  wholeRows: ['deny dogwood/* -> birch/*'],
  partRows: ['deny dogwood/* -> cedar/* : UDP5353'],
  restRows: ['deny dogwood/* -> alder/*', 'allow dogwood/* -> alder/* : UDP53'],
};

const UDP_INGRESS: Direction = {
  rules: 'ingress',
  parts: UDP_EGRESS.parts,
  wholeRows: ['deny birch/* -> dogwood/*'],
  partRows: ['deny cedar/* -> dogwood/* : UDP5353'],
  restRows: ['deny alder/* -> dogwood/*', 'allow alder/* -> dogwood/* : UDP53'],
};

const SCTP_EGRESS: Direction = {
  rules: 'egress',
  parts: {
    subject: 'birch',
    whole: 'alder',
    part: 'cedar',
    partPorts: [{ protocol: 'SCTP', port: 9003 }],
    rest: 'dogwood',
    restPorts: [{ protocol: 'SCTP', port: 9003 }],
  },
  wholeRows: ['deny birch/* -> alder/*'],
  partRows: ['deny birch/* -> cedar/* : SCTP9003'],
  restRows: ['deny birch/* -> dogwood/*', 'allow birch/* -> dogwood/* : SCTP9003'],
};

const SCTP_INGRESS: Direction = {
  rules: 'ingress',
  parts: SCTP_EGRESS.parts,
  wholeRows: ['deny alder/* -> birch/*'],
  partRows: ['deny cedar/* -> birch/* : SCTP9003'],
  restRows: ['deny dogwood/* -> birch/*', 'allow dogwood/* -> birch/* : SCTP9003'],
};

const MIXED_PART: readonly ClusterPort[] = [
  { protocol: 'TCP', port: 80 },
  { protocol: 'UDP', port: 53 },
  { protocol: 'SCTP', port: 9003 },
];

const MIXED: readonly Direction[] = [
  {
    rules: 'egress',
    parts: {
      ...TCP_EGRESS.parts,
      partPorts: MIXED_PART,
      restPorts: [
        { protocol: 'TCP', port: 8080 },
        { protocol: 'UDP', port: 5353 },
        { protocol: 'SCTP', port: 9003 },
      ],
    },
    wholeRows: ['deny alder/* -> birch/*'],
    partRows: ['deny alder/* -> cedar/* : TCP80 UDP53 SCTP9003'],
    restRows: ['deny alder/* -> dogwood/*', 'allow alder/* -> dogwood/* : TCP8080 UDP5353 SCTP9003'],
  },
  {
    rules: 'ingress',
    parts: {
      ...TCP_EGRESS.parts,
      partPorts: MIXED_PART,
      restPorts: [
        { protocol: 'TCP', port: 80 },
        { protocol: 'UDP', port: 5353 },
        { protocol: 'SCTP', port: 9003 },
      ],
    },
    wholeRows: ['deny birch/* -> alder/*'],
    partRows: ['deny cedar/* -> alder/* : TCP80 UDP53 SCTP9003'],
    restRows: ['deny dogwood/* -> alder/*', 'allow dogwood/* -> alder/* : TCP80 UDP5353 SCTP9003'],
  },
];

const SINGLE: readonly (readonly [string, Direction])[] = [
  ['egress, TCP', TCP_EGRESS],
  ['egress, UDP', UDP_EGRESS],
  ['egress, SCTP', SCTP_EGRESS],
  ['ingress, TCP', TCP_INGRESS],
  ['ingress, UDP', UDP_INGRESS],
  ['ingress, SCTP', SCTP_INGRESS],
];

export const ruleOrder: ConformanceGroup = {
  name: 'order of rules',
  cases: (['Admin', 'Baseline'] as const).flatMap((tier) => [
    ...SINGLE.map(([name, direction]) => orderCase(tier, name, [direction])),
    orderCase(tier, 'both directions, all protocols', MIXED),
  ]),
};
