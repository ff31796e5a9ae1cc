// Tortie's own formats: the lines of `tortie monitor --output json`, of `tortie flows --output json`, and questions of
// `tortie verdict`, to which a verdict and a count may be added.
import { hasPorts, isIcmp } from '../../model/flow.ts';
import { parseFlowQuestion } from '../../model/flow-question.ts';
import { addressOf, fieldOf, invalidField, isFields, numberOf, protocolOf, textOf } from './fields.ts';
import { isFlowLog, readFlowLog, recordedFlowOf } from './flow-log.ts';
import { echoRequestType, type Fields, type RecordedEnd, type RecordedFlow, type Skipped } from './recorded-flow.ts';

type Verdict = 'allow' | 'deny';

const MONITOR_KINDS: Readonly<Record<string, Verdict | 'notPolicy' | 'notAFlow'>> = {
  'new-flow': 'allow',
  denied: 'deny',
  'flow-revoked': 'deny',
  // Its flow is reported besides.
  log: 'notAFlow',
  dropped: 'notPolicy',
};

export function isTortieRecord(record: Fields): boolean {
  return 'src' in record || ('hook' in record && 'kind' in record) || isFlowLog(record);
}

/** Throws INVALID_FLOW. */
export function parseTortieRecord(record: Fields): RecordedFlow | Skipped {
  if ('src' in record) return parseQuestion(record);
  return isFlowLog(record) ? recordedFlowOf(readFlowLog(record)) : parseMonitorRecord(record);
}

function parseQuestion(record: Fields): RecordedFlow {
  const { flow } = parseFlowQuestion(record);
  const verdict = textOf(record, 'verdict');
  if (verdict !== undefined && verdict !== 'allow' && verdict !== 'deny') {
    throw invalidField(['verdict'], verdict, 'allow or deny');
  }
  return {
    ...flow,
    source: { address: flow.source },
    destination: { address: flow.destination },
    sourcePort: fieldOf(record, 'srcPort') === undefined ? undefined : flow.sourcePort,
    verdict,
    reporter: 'both',
    count: numberOf(record, Number.MAX_SAFE_INTEGER, 'count') || 1,
  };
}

function parseMonitorRecord(record: Fields): RecordedFlow | Skipped {
  const kind = textOf(record, 'kind') ?? '';
  const outcome = Object.hasOwn(MONITOR_KINDS, kind) ? MONITOR_KINDS[kind] : undefined;
  if (outcome === undefined) throw invalidField(['kind'], kind, Object.keys(MONITOR_KINDS).join(', '));
  if (outcome === 'notPolicy' || outcome === 'notAFlow') return { skipped: outcome };
  const source = endOf(record, 'source');
  const destination = endOf(record, 'destination');
  if (source === undefined || destination === undefined) return { skipped: 'notIp' };
  const protocol = protocolOf(record, 'protocol');
  const type = isIcmp(protocol) ? numberOf(record, 255, 'icmpType') : 0;
  return {
    source,
    destination,
    protocol,
    sourcePort: hasPorts(protocol) ? numberOf(record, 65535, 'sourcePort') : undefined,
    destinationPort: hasPorts(protocol) ? requirePort(record) : 0,
    icmpType: type ?? echoRequestType(protocol),
    icmpCode: isIcmp(protocol) ? (numberOf(record, 255, 'icmpCode') ?? 0) : 0,
    verdict: outcome,
    reporter: isFields(record.ingress) || outcome === 'deny' ? 'destination' : 'source',
    count: 1,
  };
}

function endOf(record: Fields, side: 'source' | 'destination'): RecordedEnd | undefined {
  const address = addressOf(record, side);
  if (address === undefined) return undefined;
  const endpoint = textOf(record, `${side}Endpoint`) ?? '';
  const slash = endpoint.indexOf('/');
  if (slash < 0) return { address };
  const name = endpoint.slice(slash + 1);
  return { address, name: { kind: 'workload', namespace: endpoint.slice(0, slash), name, labels: [] } };
}

function requirePort(record: Fields): number {
  const port = numberOf(record, 65535, 'destinationPort');
  if (port === undefined) throw invalidField(['destinationPort'], undefined, '0-65535');
  return port;
}
