// Tortie's own flow logs: lines of `tortie flows --output json`, and the same as objects at hand.
import { parseAddress } from '../../model/address.ts';
import { hasPorts, isIcmp } from '../../model/flow.ts';
import { fieldOf, invalidField, isFields, numberOf, protocolOf, textOf } from './fields.ts';
import {
  echoRequestType,
  type Fields,
  type RecordedEnd,
  type RecordedFlow,
  type RecordedName,
  type RecordedService,
} from './recorded-flow.ts';

/** What analysis reads of an end of a flow log. */
export interface LoggedEnd {
  readonly type: 'wep' | 'hep' | 'ns' | 'net';
  readonly namespace: string;
  readonly name: string;
  readonly aggregatedName: string;
  /** '' = not recorded. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What analysis reads of a flow log; those of observe/flows have it all. */
export interface LoggedFlow {
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  readonly node: string;
  readonly reporter: 'src' | 'dst';
  readonly action: 'allow' | 'deny';
  readonly source: LoggedEnd;
  readonly destination: LoggedEnd;
  readonly protocol: string;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly service?: RecordedService;
  readonly enforced: readonly string[];
  readonly pending: readonly string[];
  readonly reason?: string;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly flowsStarted: number;
  readonly flowsLive: number;
}

const TYPES = ['wep', 'hep', 'ns', 'net'] as const;
const KINDS: Readonly<Record<LoggedEnd['type'], RecordedName['kind']>> = {
  wep: 'workload',
  hep: 'host',
  ns: 'networkSet',
  net: 'network',
};
const NETWORKS: Readonly<Record<string, string>> = { pvt: 'private', pub: 'public' };
const MAX = Number.MAX_SAFE_INTEGER;

export function isFlowLog(record: Fields): boolean {
  return isFields(record.source) && isFields(record.destination) && 'reporter' in record && 'action' in record;
}

/** Every field checked. Throws INVALID_FLOW. */
export function readFlowLog(record: Fields): LoggedFlow {
  const number = (name: string): number => numberOf(record, MAX, name) ?? 0;
  const optional = (name: string, maximum: number) => {
    const value = numberOf(record, maximum, name);
    return value === undefined ? {} : { [name]: value };
  };
  const reason = textOf(record, 'reason');
  const service = serviceOf(record);
  return {
    startTime: number('startTime'),
    endTime: number('endTime'),
    node: textOf(record, 'node') ?? '',
    reporter: choice(record, 'reporter', ['src', 'dst'] as const),
    action: choice(record, 'action', ['allow', 'deny'] as const),
    source: endOf(record, 'source'),
    destination: endOf(record, 'destination'),
    protocol: String(fieldOf(record, 'protocol') ?? ''),
    ...optional('icmpType', 255),
    ...optional('icmpCode', 255),
    ...(service === undefined ? {} : { service }),
    enforced: textsOf(record, 'enforced'),
    pending: textsOf(record, 'pending'),
    ...(reason === undefined ? {} : { reason }),
    packetsIn: number('packetsIn'),
    packetsOut: number('packetsOut'),
    bytesIn: number('bytesIn'),
    bytesOut: number('bytesOut'),
    flowsStarted: number('flowsStarted'),
    flowsLive: number('flowsLive'),
  };
}

/** Throws INVALID_FLOW for a protocol that is none. */
export function recordedFlowOf(log: LoggedFlow): RecordedFlow {
  const protocol = protocolOf({ protocol: log.protocol }, 'protocol');
  return {
    source: recordedEnd(log.source),
    destination: recordedEnd(log.destination),
    protocol,
    ...(hasPorts(protocol) && log.source.port > 0 ? { sourcePort: log.source.port } : {}),
    destinationPort: hasPorts(protocol) ? log.destination.port : 0,
    icmpType: isIcmp(protocol) ? (log.icmpType ?? echoRequestType(protocol)) : 0,
    icmpCode: isIcmp(protocol) ? (log.icmpCode ?? 0) : 0,
    ...(log.service === undefined ? {} : { service: { namespace: log.service.namespace, name: log.service.name } }),
    verdict: log.action,
    reporter: log.reporter === 'src' ? 'source' : 'destination',
    count: flowCount(log),
    from: log.startTime,
    until: log.endTime,
  };
}

/** Flows that the record stands for: those that began in its interval; of denied packets each is one try. */
export function flowCount({ action, flowsStarted, packetsIn, packetsOut }: LoggedFlow): number {
  if (flowsStarted > 0) return flowsStarted;
  return action === 'deny' ? Math.max(1, packetsIn + packetsOut) : 1;
}

function recordedEnd({ type, namespace, name, aggregatedName, address, labels }: LoggedEnd): RecordedEnd {
  const parsed = address === '' ? undefined : parseAddress(address);
  const kind = KINDS[type];
  const called = name === '' || name === '-' ? aggregatedName : name;
  return {
    ...(parsed === undefined ? {} : { address: parsed }),
    name: {
      kind,
      ...(namespace === '' || namespace === '-' ? {} : { namespace }),
      name: kind === 'network' ? (NETWORKS[called] ?? called) : called,
      labels: Object.entries(labels).map((pair) => pair.join('=')),
    },
  };
}

function endOf(record: Fields, side: 'source' | 'destination'): LoggedEnd {
  const end = record[side];
  if (!isFields(end)) throw invalidField([side], end, 'an end of a flow');
  const address = textOf(end, 'address') ?? '';
  if (address !== '' && parseAddress(address) === undefined) throw invalidField(['address'], address, 'an IP address');
  const labels = isFields(end.labels) ? Object.entries(end.labels) : [];
  return {
    type: choice(end, 'type', TYPES),
    namespace: textOf(end, 'namespace') ?? '',
    name: textOf(end, 'name') ?? '',
    aggregatedName: textOf(end, 'aggregatedName') ?? '',
    address,
    port: numberOf(end, 65_535, 'port') ?? 0,
    labels: Object.fromEntries(labels.filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
  };
}

function serviceOf(record: Fields): RecordedService | undefined {
  const service = fieldOf(record, 'service');
  if (service === undefined) return undefined;
  if (!isFields(service)) throw invalidField(['service'], service, 'namespace and name of a service');
  const name = textOf(service, 'name');
  if (name === undefined) throw invalidField(['service'], service, 'namespace and name of a service');
  return { namespace: textOf(service, 'namespace') ?? '', name };
}

function textsOf(record: Fields, name: string): readonly string[] {
  const value = record[name] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalidField([name], value, 'a list of texts');
}

function choice<T extends string>(record: Fields, name: string, known: readonly T[]): T {
  const value = record[name];
  const found = known.find((one) => one === value);
  if (found === undefined) throw invalidField([name], value, known.join(', '));
  return found;
}
