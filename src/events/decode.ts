// Ring-buffer chunks -> typed events.
import { Event, EventKind, Hook, Reason, reasonName } from '../abi/event.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import type { IpAddress } from '../model/address.ts';
import type { FlowEvent, HookName, EventKind as KindName } from './event.ts';

const { OFFSET } = Event;
const LENGTH_BYTES = 4;

export const KIND_NAMES: Readonly<Partial<Record<number, KindName>>> = {
  [EventKind.NEW_FLOW]: 'new-flow',
  [EventKind.DENIED]: 'denied',
  [EventKind.FLOW_REVOKED]: 'flow-revoked',
  [EventKind.LOG]: 'log',
  [EventKind.DROPPED]: 'dropped',
};

const HOOK_NAMES: Readonly<Partial<Record<number, HookName>>> = {
  [Hook.FROM_WORKLOAD]: 'from_workload',
  [Hook.TO_WORKLOAD]: 'to_workload',
  [Hook.TO_HOST]: 'to_host',
  [Hook.FORWARD]: 'forward',
  [Hook.FROM_HOST]: 'from_host',
  [Hook.FROM_WIRE]: 'from_wire',
};

const REASON_NAMES = Array.from({ length: Reason.COUNT }, (_, reason) => reasonName(reason).toLowerCase());

/**
 * Records of a chunk, `[u32 length][record, padded to 8]` each. Records of an unknown kind are left out, and those of others
 * than `wanted`. Throws INTERNAL if the chunk ends inside a record, or a record is shorter than an event.
 */
export function decodeEvents(chunk: Uint8Array, wanted?: ReadonlySet<KindName>): FlowEvent[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const events: FlowEvent[] = [];
  for (let at = 0; at < chunk.byteLength; ) {
    const start = at + LENGTH_BYTES;
    const length = start <= chunk.byteLength ? view.getUint32(at, true) : 0;
    if (length < Event.SIZE || start + length > chunk.byteLength) throw truncated(at, length, chunk.byteLength);
    const event = toFlowEvent(view, start, wanted);
    if (event !== undefined) events.push(event);
    at = start + Math.ceil(length / 8) * 8;
  }
  return events;
}

function truncated(at: number, length: number, size: number): DataplaneError {
  return new DataplaneError('INTERNAL', 'an event is not whole', {
    operation: 'decode events',
    target: `chunk of ${size} bytes`,
    field: `record at byte ${at}`,
    found: `${length} bytes, ${Math.max(0, size - at - LENGTH_BYTES)} of them here`,
    expected: `at least ${Event.SIZE} bytes, all of them`,
  });
}

/** The record at an offset, read field by field: the struct in between would be made for nothing. */
function toFlowEvent(view: DataView, at: number, wanted?: ReadonlySet<KindName>): FlowEvent | undefined {
  const kind = KIND_NAMES[view.getUint8(at + OFFSET.kind)];
  return kind === undefined || wanted?.has(kind) === false ? undefined : eventAt(view, at, kind);
}

/** The struct at an offset, as an event of that kind. */
export function eventAt(view: DataView, at: number, kind: KindName): FlowEvent {
  const family = view.getUint8(at + OFFSET.family);
  return {
    kind,
    reason: nameOfReason(view.getUint8(at + OFFSET.reason)),
    hook: HOOK_NAMES[view.getUint8(at + OFFSET.hook)] ?? 'from_workload',
    ifindex: view.getUint32(at + OFFSET.ifindex, true),
    source: toAddress(family, view, at + OFFSET.source),
    destination: toAddress(family, view, at + OFFSET.destination),
    protocol: view.getUint8(at + OFFSET.protocol),
    sourcePort: view.getUint16(at + OFFSET.source_port),
    destinationPort: view.getUint16(at + OFFSET.destination_port),
    icmpType: view.getUint8(at + OFFSET.icmp_type),
    icmpCode: view.getUint8(at + OFFSET.icmp_code),
    tcpFlags: view.getUint8(at + OFFSET.tcp_flags),
    egressWord: view.getUint32(at + OFFSET.egress_word, true),
    ingressWord: view.getUint32(at + OFFSET.ingress_word, true),
    isReply: view.getUint8(at + OFFSET.is_reply) !== 0,
    generation: view.getUint32(at + OFFSET.generation, true),
    length: view.getUint32(at + OFFSET.length, true),
    outIfindex: view.getUint32(at + OFFSET.out_ifindex, true),
  };
}

function nameOfReason(reason: number): string {
  return REASON_NAMES[reason] ?? reasonName(reason).toLowerCase();
}

/** IPv4 is stored as ::ffff:a.b.c.d. */
function toAddress(family: number, view: DataView, at: number): IpAddress | undefined {
  if (family === 4) return { family: 4, words: [view.getUint32(at + 12)] };
  if (family !== 6) return undefined;
  return {
    family: 6,
    words: [view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12)],
  };
}
