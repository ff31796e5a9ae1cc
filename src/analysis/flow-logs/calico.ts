// Calico's flow logs: flows of the Goldmane API in either JSON spelling, as its emitter posts them, as whisker-backend
// serves them, and the lines of flow-log files with their `*_aggr` names.
import { hasPorts } from '../../model/flow.ts';
import { addressOf, fieldOf, invalidField, isFields, numberOf, protocolOf, textOf } from './fields.ts';
import {
  echoRequestType,
  type Fields,
  type RecordedEnd,
  type RecordedFlow,
  type RecordedName,
} from './recorded-flow.ts';

/** By name, by file-log abbreviation and by number of Goldmane's EndpointType. */
const END_KINDS: ReadonlyMap<string, RecordedName['kind']> = new Map([
  ['workloadendpoint', 'workload'],
  ['wep', 'workload'],
  ['1', 'workload'],
  ['hostendpoint', 'host'],
  ['hep', 'host'],
  ['2', 'host'],
  ['networkset', 'networkSet'],
  ['ns', 'networkSet'],
  ['3', 'networkSet'],
  ['network', 'network'],
  ['net', 'network'],
  ['4', 'network'],
]);
const VERDICTS: ReadonlyMap<string, 'allow' | 'deny'> = new Map([
  ['allow', 'allow'],
  ['1', 'allow'],
  ['deny', 'deny'],
  ['2', 'deny'],
]);
const REPORTERS: ReadonlyMap<string, 'source' | 'destination'> = new Map([
  ['src', 'source'],
  ['1', 'source'],
  ['dst', 'destination'],
  ['2', 'destination'],
]);
/** Goldmane and the file logs, and whisker. */
const NETWORKS: ReadonlyMap<string, 'public' | 'private'> = new Map([
  ['pub', 'public'],
  ['pvt', 'private'],
  ['public network', 'public'],
  ['private network', 'private'],
]);
const GLOBAL_NAMESPACES: ReadonlySet<string> = new Set(['', '-', 'Global']);
const MAX = Number.MAX_SAFE_INTEGER;

export function isCalicoRecord(record: Fields): boolean {
  const key = keyOf(record);
  return ['source_name', 'sourceName', 'source_name_aggr', 'dest_name', 'destName'].some((name) => name in key);
}

/** Throws INVALID_FLOW. The verdict is of the reporting end alone: a deny there is a deny of the flow. */
export function parseCalicoRecord(outer: Fields): RecordedFlow {
  const record = keyOf(outer);
  const protocol = protocolOf(record, 'proto', 'protocol');
  return {
    source: endOf(record, 'source'),
    destination: endOf(record, 'dest'),
    protocol,
    sourcePort: hasPorts(protocol) ? numberOf(record, 65535, 'source_port', 'source_port_num') : undefined,
    destinationPort: hasPorts(protocol) ? (numberOf(record, 65535, 'dest_port', 'destPort', 'dest_port_num') ?? 0) : 0,
    icmpType: echoRequestType(protocol),
    icmpCode: 0,
    verdict: choice(record, 'action', VERDICTS),
    reporter: choice(record, 'reporter', REPORTERS) ?? 'both',
    count: countOf(record),
  };
}

/** Goldmane keeps what identifies a flow in a message of its own. */
function keyOf(record: Fields): Fields {
  const key = fieldOf(record, 'Key', 'key');
  return isFields(key) ? { ...record, ...key } : record;
}

function endOf(record: Fields, side: 'source' | 'dest'): RecordedEnd {
  const address = addressOf(record, `${side}_ip`);
  const name = textOf(record, `${side}_name`, `${side}_name_aggr`, `${side}Name`);
  const given = fieldOf(record, `${side}_type`, `${side}Type`);
  const kind = given === undefined ? 'unknown' : (END_KINDS.get(String(given).toLowerCase()) ?? 'unknown');
  const network = name === undefined ? undefined : NETWORKS.get(name.toLowerCase());
  const labels = labelsOf(fieldOf(record, `${side}_labels`, `${side}Labels`));
  if (network !== undefined && (kind === 'network' || kind === 'unknown')) {
    return { address, name: { kind: 'network', name: network, labels: [] } };
  }
  if (name === undefined && address === undefined) throw invalidField([`${side}_name`], undefined, 'a name');
  if (name === undefined) return { address };
  const namespace = textOf(record, `${side}_namespace`, `${side}Namespace`) ?? '';
  return {
    address,
    name: { kind, name, labels, namespace: GLOBAL_NAMESPACES.has(namespace) ? undefined : namespace },
  };
}

/** A list, a list under `labels`, or one text joined with ` | `. */
function labelsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' | ').filter((label) => label !== '');
  const list = isFields(value) ? value.labels : value;
  return Array.isArray(list) ? list.filter((label) => typeof label === 'string') : [];
}

function choice<T>(record: Fields, name: string, known: ReadonlyMap<string, T>): T | undefined {
  const value = fieldOf(record, name);
  if (value === undefined || value === 0) return undefined;
  const found = known.get(String(value).toLowerCase());
  if (found === undefined) throw invalidField([name], value, [...known.keys()].join(', '));
  return found;
}

/** Connections where the log counts them; a record of a flow that only went on, or of denied packets, is one. */
function countOf(record: Fields): number {
  return (
    numberOf(record, MAX, 'num_connections_started', 'numConnectionsStarted', 'num_flows_started') ||
    numberOf(record, MAX, 'num_connections_live', 'numConnectionsLive', 'num_flows') ||
    1
  );
}
