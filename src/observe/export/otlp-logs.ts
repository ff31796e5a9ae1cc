// Flow logs as OTLP log records: attributes by OpenTelemetry's conventions where there are some, else under `tortie.`. Written as
// text at once: an object for every attribute of every flow would cost ten times as much.
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';
import { type OtlpResource, toNanoseconds, toResource } from './otlp.ts';
import { describeFlow } from './text.ts';

/** SeverityNumber: 9 = INFO, 13 = WARN. */
const SEVERITY = {
  allow: '"severityNumber":9,"severityText":"INFO"',
  deny: '"severityNumber":13,"severityText":"WARN"',
} as const;

/** An ExportLogsServiceRequest, as JSON. */
export function encodeOtlpLogs(logs: readonly FlowLog[], resource: OtlpResource, now: number): string {
  const observed = toNanoseconds(now);
  const scope = JSON.stringify({ name: 'tortie.flows', version: resource.version });
  const records = logs.map((log) => logRecord(log, observed)).join();
  const scopeLogs = `[{"scope":${scope},"logRecords":[${records}]}]`;
  return `{"resourceLogs":[{"resource":${JSON.stringify(toResource(resource))},"scopeLogs":${scopeLogs}}]}`;
}

function logRecord(log: FlowLog, observed: string): string {
  const times = `"timeUnixNano":"${toNanoseconds(log.endTime)}","observedTimeUnixNano":"${observed}"`;
  const body = `"eventName":"tortie.flow","body":{"stringValue":${JSON.stringify(describeFlow(log))}}`;
  const attributes =
    endAttributes('source', log.source) +
    endAttributes('destination', log.destination) +
    serviceAttributes(log) +
    flowAttributes(log) +
    countAttributes(log);
  return `{${times},${SEVERITY[log.action]},${body},"attributes":[${attributes.slice(0, -1)}]}`;
}

function endAttributes(side: 'source' | 'destination', end: FlowEnd): string {
  return (
    text(`${side}.address`, end.address) +
    number(`${side}.port`, end.port === 0 ? undefined : end.port) +
    text(`tortie.${side}.type`, end.type) +
    text(`tortie.${side}.namespace`, end.namespace) +
    text(`tortie.${side}.name`, end.name) +
    text(`tortie.${side}.aggregated_name`, end.aggregatedName) +
    labels(`tortie.${side}.labels`, end.labels)
  );
}

function serviceAttributes({ service }: FlowLog): string {
  if (service === undefined) return '';
  return (
    text('tortie.service.namespace', service.namespace) +
    text('tortie.service.name', service.name) +
    text('tortie.service.port_name', service.portName) +
    number('tortie.service.port', service.port)
  );
}

function flowAttributes(log: FlowLog): string {
  return (
    text('network.transport', log.protocol.toLowerCase()) +
    text('network.type', networkType(log.source.address)) +
    text('tortie.flow.start', new Date(log.startTime).toISOString()) +
    text('tortie.flow.phase', log.phase) +
    text('tortie.flow.reporter', log.reporter) +
    text('tortie.flow.action', log.action) +
    text('tortie.flow.reason', log.reason) +
    text('tortie.flow.state', log.state) +
    number('tortie.flow.tcp_flags', log.tcpFlags) +
    number('tortie.flow.icmp_type', log.icmpType) +
    number('tortie.flow.icmp_code', log.icmpCode) +
    text('tortie.node', log.node) +
    list('tortie.policy.enforced', log.enforced) +
    list('tortie.policy.pending', log.pending)
  );
}

function countAttributes(log: FlowLog): string {
  return (
    number('tortie.flow.packets_in', log.packetsIn) +
    number('tortie.flow.packets_out', log.packetsOut) +
    number('tortie.flow.bytes_in', log.bytesIn) +
    number('tortie.flow.bytes_out', log.bytesOut) +
    number('tortie.flow.started', log.flowsStarted) +
    number('tortie.flow.completed', log.flowsCompleted) +
    number('tortie.flow.live', log.flowsLive)
  );
}

function networkType(address: string): string {
  if (address === '') return '';
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** Keys are this file's own: they need no quoting. Each attribute ends in a comma; what is not known is none. */
function attribute(key: string, value: string): string {
  return `{"key":"${key}","value":${value}},`;
}

function text(key: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : attribute(key, stringValue(value));
}

function number(key: string, value: number | undefined): string {
  return value === undefined ? '' : attribute(key, `{"intValue":"${value}"}`);
}

function list(key: string, values: readonly string[]): string {
  return values.length === 0 ? '' : attribute(key, `{"arrayValue":{"values":[${values.map(stringValue).join()}]}}`);
}

function labels(key: string, values: FlowEnd['labels']): string {
  const entries = Object.keys(values).map(
    (name) => `{"key":${JSON.stringify(name)},"value":${stringValue(values[name] as string)}}`,
  );
  return entries.length === 0 ? '' : attribute(key, `{"kvlistValue":{"values":[${entries.join()}]}}`);
}

function stringValue(value: string): string {
  return `{"stringValue":${JSON.stringify(value)}}`;
}
