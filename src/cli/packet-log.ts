// The report of a single packet as far as it is a flow log: what filters of flows ask about.
import { DataplaneError } from '../base/errors.ts';
import { conditionsOf, type FlowCondition, type FlowFilter } from '../observe/flow-query/filter.ts';
import { FILTER_OPTIONS, filterOfOptions, type GivenFilters } from '../observe/flow-query/filter-options.ts';
import type { FlowRecord } from '../observe/flow-record.ts';
import type { FlowEnd, FlowLog } from '../observe/flows/flow-log.ts';

/** What the report of a packet does not say, as options and as fields of expressions are called. */
const UNKNOWN: ReadonlySet<string> = new Set(['label', 'from-label', 'to-label', 'node', 'service', 'state']);

/** Throws USAGE for filters that ask what is not known of a packet, and INVALID_FILTER. */
export function packetFilter(given: GivenFilters, target: string): FlowFilter {
  const filter = filterOfOptions(given);
  const unknown = conditionsOf(filter)
    .map(subjectOf)
    .find((subject) => UNKNOWN.has(subject));
  if (unknown === undefined) return filter;
  const asked = FILTER_OPTIONS.find(({ name }) => UNKNOWN.has(name) && given(name).length > 0);
  throw new DataplaneError('USAGE', 'is not known of single packets', {
    operation: 'show',
    target,
    field: asked === undefined ? '--filter' : `--${asked.name}`,
    found: unknown,
    hint: 'tortie flows --follow --verdict deny knows labels, nodes and services',
  });
}

function subjectOf(condition: FlowCondition): string {
  return condition.kind === 'text' ? condition.field : condition.kind;
}

export function packetLog(record: FlowRecord, action: 'allow' | 'deny'): FlowLog {
  const side =
    [record.ingress, record.egress].find((one) => one?.verdict === action) ?? record.ingress ?? record.egress;
  return {
    startTime: 0,
    endTime: 0,
    node: '',
    reporter: side !== undefined && side === record.egress ? 'src' : 'dst',
    action,
    source: endOf(record.sourceEndpoint, record.source, record.sourcePort),
    destination: endOf(record.destinationEndpoint, record.destination, record.destinationPort),
    protocol: record.protocol,
    enforced: side?.trace ?? [],
    pending: side?.pending?.trace ?? [],
    reason: record.reason,
    packetsIn: 1,
    packetsOut: 0,
    bytesIn: record.length,
    bytesOut: 0,
    flowsStarted: 0,
    flowsCompleted: 0,
    flowsLive: 0,
  };
}

function endOf(endpoint: string | undefined, address: string, port = 0): FlowEnd {
  const slash = endpoint?.indexOf('/') ?? -1;
  const name = endpoint?.slice(slash + 1) ?? '';
  const namespace = endpoint?.slice(0, Math.max(slash, 0)) ?? '';
  return {
    type: endpoint === undefined ? 'net' : 'wep',
    namespace,
    name,
    aggregatedName: name,
    address,
    port,
    labels: {},
  };
}
