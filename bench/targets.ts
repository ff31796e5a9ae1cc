// What Tortie promises about its speed, row by row, and whether a report keeps it.
import type { BenchReport } from './report.ts';
import { type BenchParams, type BenchResult, type RowKey, rowId } from './results.ts';

export interface Target {
  /** As people say it. */
  readonly text: string;
  readonly row: RowKey;
  /** The target is about row / per. */
  readonly per?: RowKey;
  readonly compare: 'at most' | 'at least';
  readonly limit: number;
  /** What the machine itself costs: no program could be better than this row. */
  readonly floor?: RowKey;
}

export interface TargetOutcome {
  readonly target: Target;
  /** In the row's unit, or a ratio. */
  readonly value: number;
  readonly unit: string;
  readonly isMet: boolean;
  readonly floor: BenchResult | undefined;
}

const key = (section: string, name: string, params: BenchParams = {}): RowKey => ({ section, name, params });
const verdict = (name: string, family: number, rules: number): RowKey => key('verdict', name, { family, rules });
const forward = (name: string, rules?: number): RowKey => key('forward', name, rules === undefined ? {} : { rules });
const tcp = (name: string, who: string): RowKey => key('tcp', name, { who });
const host = (name: string, who: string): RowKey => key('host', name, { who });
const drop = (who: string): RowKey => key('xdp-path', 'drop', { who, sources: 10_000 });
const flood = (name: string, rate: number): RowKey => key('flow-logs', name, { rate });
const CLUSTER = { policies: 75_000, pods: 100_000, namespaces: 25_000 };
const ALL_RULES = [1, 100, 10_000, 100_000];

export const TARGETS: readonly Target[] = [
  {
    ...atMost('established flow, IPv4', verdict('established', 4, 100_000), 12),
    floor: verdict('floor-parse', 4, 100_000),
  },
  {
    ...atMost('established flow, IPv6', verdict('established', 6, 100_000), 16),
    floor: verdict('floor-parse', 6, 100_000),
  },
  ...ALL_RULES.map((rules) => atMost('classify, IPv4', verdict('classify', 4, rules), 15)),
  ...ALL_RULES.map((rules) => atMost('classify, IPv6', verdict('classify', 6, rules), 25)),
  atMost('classify, IPv4: 100,000 rules to 1', verdict('classify', 4, 100_000), 1.1, verdict('classify', 4, 1)),
  atMost('classify, IPv6: 100,000 rules to 1', verdict('classify', 6, 100_000), 1.1, verdict('classify', 6, 1)),
  {
    ...atMost('first packet of a flow', verdict('new-flow', 4, 100_000), 200),
    floor: verdict('floor-memory', 4, 100_000),
  },
  {
    ...atLeast('forwarding: faster than no firewall', forward('none'), 1.25, forward('tortie', 100_000)),
    floor: forward('empty'),
  },
  atLeast('forwarding: faster than iptables', forward('iptables', 10_000), 15, forward('tortie', 10_000)),
  atLeast('forwarding: faster than linear nftables', forward('nft-linear', 10_000), 12, forward('tortie', 10_000)),
  // Of the same round, not median to median: what disturbs a round disturbs both.
  atLeast('TCP throughput to none', tcp('stream of none', 'tortie'), 100),
  atLeast('TCP round trips to none', tcp('rr of none', 'tortie'), 103),
  atLeast('TCP connections to none', tcp('crr of none', 'tortie'), 105),
  atMost('TCP connection p99 to none', tcp('crr-p99 of none', 'tortie'), 100),
  {
    ...atLeast('datagrams into a host to none', host('udp-in of none', 'tortie'), 97),
    floor: host('udp-in of none', 'empty'),
  },
  atLeast('datagrams into a host to nftables', host('udp-in', 'nft-set-ct'), 1, host('udp-in', 'tortie')),
  {
    ...atLeast('connections into a host to none', host('tcp-crr of none', 'tortie'), 97),
    floor: host('tcp-crr of none', 'empty'),
  },
  atLeast('forwarding by a host to nftables', host('forward', 'nft-set-ct'), 1, host('forward', 'tortie')),
  {
    ...atMost('change of one policy, p50', key('change', 'one-policy', { policies: 10_000 }), 3),
    floor: key('change', 'floor-event'),
  },
  {
    ...atMost('change of one policy, p99', key('change', 'one-policy-p99', { policies: 10_000 }), 10),
    floor: key('change', 'floor-event-p99'),
  },
  atMost('change of a big policy', key('change', 'big-policy', { rules: 12_500 }), 500),
  atMost('change of a label, p99', key('change', 'label-p99', { endpoints: 10_000, policies: 1000 }), 10),
  atMost('endpoint added, p99', key('change', 'endpoint-add-p99', { endpoints: 10_000, policies: 1000 }), 10),
  atMost('cold start past parsing', key('scale', 'compute', CLUSTER), 3),
  atMost('memory of a cold start', key('scale', 'compute-rss', CLUSTER), 1000),
  atMost('restart to in sync', key('scale', 'restart', CLUSTER), 5),
  atMost('verdicts changed by a restart', key('scale', 'restart-changed', CLUSTER), 0),
  atMost('sweep of the flow table', key('scale', 'flows', { 'live flows': 1_000_000 }), 1),
  atLeast('new-flow events on half a core', key('scale', 'events'), 100_000),
  atMost('events lost without being counted', key('scale', 'events-uncounted', { rate: 100_000 }), 0),
  atMost('flow told of, from the table into an aggregate', key('flow-logs', 'flow'), 5000),
  atMost('agent that is told of 100,000 flows/s, and its store', flood('flood-core', 100_000), 50),
  atMost('flows lost without being counted', flood('flood-uncounted', 100_000), 0),
  atMost('flows lost without being counted, in a flood', flood('flood-uncounted', 1_000_000), 0),
  atLeast('agent that says it samples, in a flood', flood('flood-sampling', 1_000_000), 1),
  atMost('memory of the agent in a flood', flood('flood-memory', 1_000_000), 268),
  ...['query label', 'query policy', 'query nothing found', 'top pair'].map((name) =>
    atMost(`stored flows, ${name}`, key('flow-store', name, { records: 10_000_000 }), 1000),
  ),
  atMost('cost of flow logs to forwarding', key('flow-logs', 'forward-cost-on', { traffic: 'udp' }), 2),
  atMost('blocked source, IPv4', key('xdp', 'drop', { family: 4, cidrs: 1_000_000 }), 25),
  atMost('blocked source, IPv6', key('xdp', 'drop', { family: 6, cidrs: 1_000_000 }), 25),
  atLeast('drop of a blocked source to a set of nftables', drop('nft-ingress'), 1, drop('tortie')),
  atLeast('connections under a flood that come about', key('xdp-path', 'flood-share', { who: 'tortie' }), 99),
  atMost('blocked from the request on, IPv4', key('xdp', 'add-request', { family: 4, cidrs: 1_000_000 }), 10),
  atMost('blocked from the request on, IPv6', key('xdp', 'add-request', { family: 6, cidrs: 1_000_000 }), 10),
  atMost('idle agent, memory', key('idle', 'rss', { endpoints: 100 }), 120),
  atMost('idle agent, CPU', key('idle', 'cpu', { endpoints: 100 }), 0.3),
];

/** Outcome of each target whose rows were measured. */
export function judgeTargets(report: BenchReport, targets: readonly Target[] = TARGETS): TargetOutcome[] {
  const rows = new Map(report.results.map((row) => [rowId(row), row]));
  return targets.flatMap((target): TargetOutcome[] => {
    const row = rows.get(rowId(target.row));
    const per = target.per && rows.get(rowId(target.per));
    if (row === undefined || (target.per !== undefined && per === undefined)) return [];
    const value = per === undefined ? row.value : row.value / per.value;
    const isMet = target.compare === 'at most' ? value <= target.limit : value >= target.limit;
    const floor = target.floor && rows.get(rowId(target.floor));
    return [{ target, value, unit: per === undefined ? row.unit : 'x', isMet, floor }];
  });
}

function atMost(text: string, row: RowKey, limit: number, per?: RowKey): Target {
  return { text, row, compare: 'at most', limit, ...(per && { per }) };
}

function atLeast(text: string, row: RowKey, limit: number, per?: RowKey): Target {
  return { text, row, compare: 'at least', limit, ...(per && { per }) };
}
