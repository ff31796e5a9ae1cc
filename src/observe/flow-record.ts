// Events with names: what `tortie monitor` shows, one JSON-ready object each.
import type { FlowEvent } from '../events/event.ts';
import { formatAddress, type IpAddress } from '../model/address.ts';
import { protocolName } from '../model/flow.ts';
import type { NameLookup } from '../model/name-lookup.ts';
import { formatTrace } from '../model/trace.ts';

export interface FlowRecord {
  /** ISO 8601, when the agent read the event. */
  readonly time: string;
  readonly kind: FlowEvent['kind'];
  readonly reason: string;
  readonly interface: string;
  readonly hook: FlowEvent['hook'];
  readonly source: string;
  readonly sourceEndpoint?: string;
  readonly destination: string;
  readonly destinationEndpoint?: string;
  readonly protocol: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** undefined = that side was not judged. */
  readonly egress?: RecordedSide;
  readonly ingress?: RecordedSide;
  readonly generation: number;
  readonly length: number;
}

export interface RecordedSide {
  readonly verdict: 'allow' | 'deny';
  readonly trace: readonly string[];
  /** What would hold if every staged policy were enforced; undefined = no staged policy governs. */
  readonly pending?: { readonly verdict: 'allow' | 'deny'; readonly trace: readonly string[] };
}

/** Adds names to an event. */
export function describeEvent(event: FlowEvent, names: NameLookup, time: Date): FlowRecord {
  const isIcmp = protocolName(event.protocol).startsWith('ICMP');
  return {
    time: time.toISOString(),
    kind: event.kind,
    reason: event.reason,
    interface: names.interfaceName(event.ifindex) ?? `#${event.ifindex}`,
    hook: event.hook,
    source: formatOptional(event.source),
    sourceEndpoint: event.source && names.endpointAt(event.source),
    destination: formatOptional(event.destination),
    destinationEndpoint: event.destination && names.endpointAt(event.destination),
    protocol: protocolName(event.protocol),
    ...(isIcmp
      ? { icmpType: event.icmpType, icmpCode: event.icmpCode }
      : { sourcePort: event.sourcePort, destinationPort: event.destinationPort }),
    egress: describeWord(event.egressWord, names),
    ingress: describeWord(event.ingressWord, names),
    generation: event.generation,
    length: event.length,
  };
}

function formatOptional(address: IpAddress | undefined): string {
  return address === undefined ? '' : formatAddress(address);
}

function describeWord(word: number, names: NameLookup): RecordedSide | undefined {
  if (word === 0) return undefined;
  const { verdict, trace, pending } = names.verdict(word);
  if (pending === undefined) return { verdict, trace: formatTrace(trace) };
  return { verdict, trace: formatTrace(trace), pending: { ...pending, trace: formatTrace(pending.trace) } };
}
