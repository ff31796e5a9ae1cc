// The questions and answers of `tortie verdict`: one JSON object a line each way. This format is stable; see
// docs/verdict.md.
import { type Family, formatAddress } from './address.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL, protocolName, V6_EXTENSION_HEADERS } from './flow.ts';
import { addressField, type Fields, invalidFlow, numberField, wholeNumber } from './question-fields.ts';
import { formatTrace } from './trace.ts';
import type { FlowVerdict, SideVerdict } from './verdict.ts';

/** A flow as people and tools write it. */
export interface FlowQuestion {
  readonly id: unknown;
  readonly flow: Flow;
}

/** Kernels choose ephemeral ports from here on (net.ipv4.ip_local_port_range). */
const DEFAULT_SOURCE_PORT = 32768;
const ECHO_REQUEST: Readonly<Record<number, number>> = { [PROTOCOL.ICMP]: 8, [PROTOCOL.ICMPV6]: 128 };

const PROTOCOL_NAMES: ReadonlyMap<string, number> = new Map(
  Object.entries(PROTOCOL).map(([name, number]) => [name.toLowerCase(), number]),
);

/** Throws INVALID_FLOW naming the field. sourcePort defaults to 32768, icmpType to echo request, icmpCode to 0. */
export function parseFlowQuestion(question: unknown): FlowQuestion {
  if (typeof question !== 'object' || question === null || Array.isArray(question)) {
    throw invalidFlow(undefined, undefined, 'is not an object', question, 'an object with src, dst and protocol');
  }
  const fields = question as Fields;
  const id = fields.id ?? null;
  const source = addressField(fields, 'src');
  const destination = addressField(fields, 'dst');
  if (source.family !== destination.family) {
    throw invalidFlow(id, 'dst', 'is of another address family than src', fields.dst, `an IPv${source.family} address`);
  }
  const protocol = protocolField(fields, source.family);
  const withPorts = hasPorts(protocol);
  const withIcmp = isIcmp(protocol);
  const flow: Flow = {
    source,
    destination,
    protocol,
    sourcePort: withPorts ? numberField(fields, 'srcPort', 65535, DEFAULT_SOURCE_PORT) : 0,
    destinationPort: withPorts ? numberField(fields, 'dstPort', 65535, undefined) : 0,
    icmpType: withIcmp ? numberField(fields, 'icmpType', 255, ECHO_REQUEST[protocol]) : 0,
    icmpCode: withIcmp ? numberField(fields, 'icmpCode', 255, 0) : 0,
  };
  return { id, flow };
}

/** Number of a protocol given by name, any case, or as a number 0-255; undefined for anything else. */
export function protocolNumber(value: unknown): number | undefined {
  if (typeof value === 'string') return PROTOCOL_NAMES.get(value.toLowerCase()) ?? wholeNumber(value, 255);
  return wholeNumber(value, 255);
}

/** A flow as a question, without its id. */
export interface FlowText {
  readonly src: string;
  readonly dst: string;
  readonly protocol: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

/** The question that parseFlowQuestion reads the flow from. */
export function formatQuestion(flow: Flow): FlowText {
  const { source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode } = flow;
  return {
    src: formatAddress(source),
    dst: formatAddress(destination),
    protocol: protocolName(protocol),
    ...(hasPorts(protocol) ? { srcPort: sourcePort, dstPort: destinationPort } : {}),
    ...(isIcmp(protocol) ? { icmpType, icmpCode } : {}),
  };
}

/** The answer to a question, as one JSON-ready object. */
export function formatAnswer(id: unknown, { verdict, egress, ingress }: FlowVerdict): Record<string, unknown> {
  return { id, verdict, egress: formatSide(egress), ingress: formatSide(ingress) };
}

function formatSide(side: SideVerdict | null): Record<string, unknown> | null {
  if (side === null) return null;
  const { endpoint, verdict, trace, pending } = side;
  const shown = { endpoint, verdict, trace: formatTrace(trace) };
  if (pending === undefined) return shown;
  return { ...shown, pending: { verdict: pending.verdict, trace: formatTrace(pending.trace) } };
}

function protocolField(fields: Fields, family: Family): number {
  const protocol = protocolNumber(fields.protocol);
  if (protocol === undefined) {
    throw invalidFlow(
      fields.id,
      'protocol',
      'is not a protocol',
      fields.protocol,
      'TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or 0-255',
    );
  }
  if (family === 6 && V6_EXTENSION_HEADERS.has(protocol)) {
    throw invalidFlow(fields.id, 'protocol', 'is an IPv6 extension header', fields.protocol, 'the protocol behind it');
  }
  return protocol;
}
