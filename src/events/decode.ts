// Ring-buffer chunks -> typed events.
import { decodeEvent, type Event, EventKind, Hook, reasonName } from '../abi/event.gen.ts';
import type { IpAddress } from '../model/address.ts';
import type { FlowEvent, EventKind as KindName } from './event.ts';

const KIND_NAMES: ReadonlyMap<number, KindName> = new Map([
  [EventKind.NEW_FLOW, 'new-flow'],
  [EventKind.DENIED, 'denied'],
  [EventKind.FLOW_REVOKED, 'flow-revoked'],
  [EventKind.LOG, 'log'],
  [EventKind.DROPPED, 'dropped'],
]);

/** Records of a chunk, `[u32 length][record, padded to 8]` each. Records of an unknown kind are left out. */
export function decodeEvents(chunk: Uint8Array): FlowEvent[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const events: FlowEvent[] = [];
  for (let at = 0; at + 4 <= chunk.byteLength; ) {
    const length = view.getUint32(at, true);
    const event = toFlowEvent(decodeEvent(view, at + 4));
    if (event !== undefined) events.push(event);
    at += 4 + Math.ceil(length / 8) * 8;
  }
  return events;
}

function toFlowEvent(event: Event): FlowEvent | undefined {
  const kind = KIND_NAMES.get(event.kind);
  if (kind === undefined) return undefined;
  return {
    kind,
    reason: reasonName(event.reason).toLowerCase(),
    hook: event.hook === Hook.FROM_WORKLOAD ? 'from_workload' : 'to_workload',
    ifindex: event.ifindex,
    source: toAddress(event.family, event.source.word),
    destination: toAddress(event.family, event.destination.word),
    protocol: event.protocol,
    sourcePort: event.source_port,
    destinationPort: event.destination_port,
    icmpType: event.icmp_type,
    icmpCode: event.icmp_code,
    egressWord: event.egress_word,
    ingressWord: event.ingress_word,
    generation: event.generation,
    length: event.length,
  };
}

function toAddress(family: number, words: readonly number[]): IpAddress | undefined {
  if (family === 4) return { family: 4, words: [words[3] as number] };
  return family === 6 ? { family: 6, words } : undefined;
}
