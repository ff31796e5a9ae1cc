// Hubble's flows, as `hubble observe -o json` and its exporter write them: one record for each place a packet passed.
import { hasPorts } from '../../model/flow.ts';
import { addressOf, fieldOf, invalidField, isFields, numberOf, textOf } from './fields.ts';
import type { Fields, RecordedEnd, RecordedFlow, Skipped } from './recorded-flow.ts';

interface Layer4 {
  readonly protocol: number;
  readonly fields: Fields;
}

const PROTOCOLS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132, ICMPv4: 1, ICMPv6: 58 };
const ALLOWED: ReadonlySet<string> = new Set(['FORWARDED', 'REDIRECTED', 'AUDIT']);
/** Reasons that mean policy; numbers stood there before names did. */
const POLICY_DROPS: ReadonlySet<string> = new Set([
  'POLICY_DENIED',
  'POLICY_DENY',
  'AUTH_REQUIRED',
  '133',
  '181',
  '189',
]);
/** Labels that Cilium derives from somewhere else than the pod. */
const DERIVED_LABEL = /^io\.(?:cilium|kubernetes)\./;

export function isHubbleRecord(record: Fields): boolean {
  return 'IP' in record || 'l4' in record || HUBBLE_EVENTS.some((name) => name in record);
}

const HUBBLE_EVENTS = ['node_status', 'lost_events', 'agent_event', 'debug_event'];

/** Throws INVALID_FLOW. */
export function parseHubbleRecord(record: Fields): RecordedFlow | Skipped {
  if (!isFields(record.IP) || record.Type === 'L7' || record.Type === 'SOCK') return { skipped: 'notAFlow' };
  if (record.is_reply === true || record.reply === true) return { skipped: 'reply' };
  const verdict = verdictOf(record);
  if (verdict === undefined) return { skipped: 'notAFlow' };
  if (verdict === 'notPolicy') return { skipped: 'notPolicy' };
  const layer4 = layer4Of(record);
  if (layer4 === undefined) return { skipped: 'notAFlow' };
  const { protocol, fields } = layer4;
  const withPorts = hasPorts(protocol);
  return {
    source: endOf(record, 'source'),
    destination: endOf(record, 'destination'),
    protocol,
    sourcePort: withPorts ? (numberOf(fields, 65535, 'source_port') ?? 0) : undefined,
    destinationPort: withPorts ? (numberOf(fields, 65535, 'destination_port') ?? 0) : 0,
    icmpType: withPorts ? 0 : (numberOf(fields, 255, 'type') ?? 0),
    icmpCode: withPorts ? 0 : (numberOf(fields, 255, 'code') ?? 0),
    verdict,
    reporter: verdict === 'allow' && record.traffic_direction === 'EGRESS' ? 'source' : 'destination',
    count: 1,
    isOfOnePacket: true,
  };
}

function verdictOf(record: Fields): 'allow' | 'deny' | 'notPolicy' | undefined {
  const verdict = textOf(record, 'verdict') ?? '';
  if (ALLOWED.has(verdict)) return 'allow';
  if (verdict === 'ERROR') return 'notPolicy';
  if (verdict !== 'DROPPED') return undefined;
  const reason = fieldOf(record, 'drop_reason_desc', 'drop_reason');
  return reason === undefined || POLICY_DROPS.has(String(reason)) ? 'deny' : 'notPolicy';
}

function layer4Of(record: Fields): Layer4 | undefined {
  const { l4 } = record;
  if (!isFields(l4)) return undefined;
  for (const [name, protocol] of Object.entries(PROTOCOLS)) {
    const fields = l4[name];
    if (isFields(fields)) return { protocol, fields };
  }
  return undefined;
}

function endOf(record: Fields, side: 'source' | 'destination'): RecordedEnd {
  const address = addressOf(record.IP as Fields, side);
  if (address === undefined) throw invalidField([`IP.${side}`], undefined, 'an IP address');
  const end = record[side];
  if (!isFields(end)) return { address };
  const name = textOf(end, 'pod_name');
  if (name === undefined) return { address };
  const namespace = textOf(end, 'namespace');
  return { address, name: { kind: 'workload', namespace, name, labels: labelsOf(end.labels) } };
}

function labelsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter((label) => typeof label === 'string')
    .filter((label) => label.startsWith('k8s:'))
    .map((label) => label.slice('k8s:'.length))
    .filter((label) => !DERIVED_LABEL.test(label));
}
