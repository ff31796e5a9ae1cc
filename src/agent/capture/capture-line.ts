// Captured packets as lines of JSON, on their way from the agent to whoever asked.
import type { CapturedRecord } from '../../observe/capture/captured-record.ts';

/** A packet as a line has it: what JSON does not know is text. */
export interface PacketLine extends Omit<CapturedRecord, 'bytes' | 'timeNs'> {
  /** Decimal digits. */
  readonly timeNs: string;
  /** Base64. */
  readonly bytes: string;
}

export interface CaptureStatistics {
  /** Over the rate, of all captures since this one began. */
  readonly suppressed: number;
  /** Likewise: the kernel's buffer was full. */
  readonly lost: number;
  /** Of this capture: whoever asked read too slowly. */
  readonly unsent: number;
}

/** The first line says whose packets come; the last one, when the capture's time is over, that it has ended. */
export type CaptureLine =
  | { readonly endpoints: readonly string[] | null; readonly snapBytes: number; readonly seconds: number }
  | { readonly packet: PacketLine }
  | { readonly statistics: CaptureStatistics; readonly isEnd: boolean };

export function toPacketLine({ bytes, timeNs, ...rest }: CapturedRecord): PacketLine {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return { ...rest, timeNs: String(timeNs), bytes: text };
}

export function fromPacketLine({ bytes, timeNs, ...rest }: PacketLine): CapturedRecord {
  return { ...rest, timeNs: BigInt(timeNs), bytes: new Uint8Array(Buffer.from(bytes, 'base64')) };
}
