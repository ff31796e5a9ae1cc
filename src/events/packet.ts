// Captured packets, decoded: what became of each, where, and its first bytes.
import { CaptureLink, PacketEvent } from '../abi/capture.gen.ts';
import { Event } from '../abi/event.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import { eventAt, KIND_NAMES } from './decode.ts';
import type { FlowEvent } from './event.ts';

const { OFFSET, SIZE } = PacketEvent;
const LENGTH_BYTES = 4;

/** With or without a frame around the packet. */
export type PacketLink = 'ethernet' | 'ip';

export interface CapturedPacket {
  /** `new-flow` also stands for packets of flows that are known. */
  readonly event: FlowEvent;
  readonly isDenied: boolean;
  /** Since the machine started, as CLOCK_MONOTONIC. */
  readonly monotonicNs: bigint;
  readonly link: PacketLink;
  /** That there were. */
  readonly length: number;
  /** The first of them: memory of its own. */
  readonly bytes: Uint8Array;
}

/** Records of a chunk, `[u32 length][record, padded to 8]` each. Throws INTERNAL if a record is not whole. */
export function* decodePackets(chunk: Uint8Array): Generator<CapturedPacket> {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  for (let at = 0; at < chunk.byteLength; ) {
    const start = at + LENGTH_BYTES;
    const length = start <= chunk.byteLength ? view.getUint32(at, true) : 0;
    const captured = length < SIZE ? 0 : view.getUint32(start + OFFSET.captured, true);
    if (length < SIZE + captured || start + length > chunk.byteLength || length < SIZE)
      throw truncated(at, length, chunk);
    yield packetAt(view, start, chunk.slice(start + SIZE, start + SIZE + captured));
    at = start + Math.ceil(length / 8) * 8;
  }
}

function packetAt(view: DataView, at: number, bytes: Uint8Array): CapturedPacket {
  const isDenied = view.getUint32(at + OFFSET.is_denied, true) !== 0;
  const kind = KIND_NAMES[view.getUint8(at + OFFSET.event + Event.OFFSET.kind)] ?? (isDenied ? 'dropped' : 'new-flow');
  return {
    event: eventAt(view, at + OFFSET.event, kind),
    isDenied,
    monotonicNs: view.getBigUint64(at + OFFSET.monotonic_ns, true),
    link: view.getUint32(at + OFFSET.link, true) === CaptureLink.IP ? 'ip' : 'ethernet',
    length: view.getUint32(at + OFFSET.length, true),
    bytes,
  };
}

function truncated(at: number, length: number, chunk: Uint8Array): DataplaneError {
  return new DataplaneError('INTERNAL', 'a captured packet is not whole', {
    operation: 'decode packets',
    target: `chunk of ${chunk.byteLength} bytes`,
    field: `record at byte ${at}`,
    found: `${length} bytes`,
    expected: `at least ${SIZE} bytes, all of them`,
  });
}
