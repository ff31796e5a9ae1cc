// A captured packet with names, and what a file has of it. Pure.
import type { CapturedPacket, PacketLink } from '../../events/packet.ts';
import type { NameLookup } from '../../model/name-lookup.ts';
import { describeEvent, type FlowRecord, type RecordedSide } from '../flow-record.ts';
import type { PcapDirection } from './pcapng.ts';
import type { NamedPacket } from './section.ts';

export interface CapturedRecord {
  readonly record: FlowRecord;
  readonly verdict: 'allow' | 'deny';
  readonly direction: PcapDirection;
  readonly link: PacketLink;
  /** Since 1970. */
  readonly timeNs: bigint;
  /** That there were. */
  readonly length: number;
  /** The first of them. */
  readonly bytes: Uint8Array;
}

/** As the interface sees them: what a workload sends comes in at the host's side of its interface. */
const DIRECTION: Readonly<Record<FlowRecord['hook'], PcapDirection>> = {
  from_workload: 'inbound',
  to_workload: 'outbound',
  to_host: 'inbound',
  forward: 'inbound',
  from_host: 'outbound',
  from_wire: 'inbound',
};

const NS_PER_MS = 1_000_000n;

/** `offsetNs` = from CLOCK_MONOTONIC to the time of day. */
export function describePacket(
  packet: CapturedPacket,
  names: NameLookup,
  { offsetNs, snapBytes }: { readonly offsetNs: bigint; readonly snapBytes: number },
): CapturedRecord {
  const timeNs = packet.monotonicNs + offsetNs;
  return {
    record: describeEvent(packet.event, names, new Date(Number(timeNs / NS_PER_MS))),
    verdict: packet.isDenied ? 'deny' : 'allow',
    direction: DIRECTION[packet.event.hook],
    link: packet.link,
    timeNs,
    length: packet.length,
    bytes: packet.bytes.subarray(0, snapBytes),
  };
}

/** For a file: the comment says why the packet went where it went. */
export function toNamedPacket(captured: CapturedRecord): NamedPacket {
  const { record, link, direction, timeNs, length, bytes } = captured;
  return {
    interface: visible(record.interface),
    link,
    direction,
    timeNs,
    length,
    bytes,
    comment: commentOf(captured),
  };
}

/**
 * `verdict=deny reason=drop_ingress_policy rule=0|default|np:shop/db|deny|1 ...`: the rule is the one that had the last word, in
 * the form of flow logs; egress and ingress are those of the two sides.
 */
export function commentOf({ record, verdict }: Pick<CapturedRecord, 'record' | 'verdict'>): string {
  const { egress, ingress } = record;
  const decider = [ingress, egress].find((side) => side?.verdict === 'deny') ?? ingress ?? egress;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['verdict', verdict],
    ['reason', record.reason],
    ['rule', ruleOf(decider)],
    ['egress', ruleOf(egress)],
    ['ingress', ruleOf(ingress)],
    ['source', record.sourceEndpoint],
    ['destination', record.destinationEndpoint],
    ['hook', record.hook],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${visible(value)}`])).join(' ');
}

function ruleOf(side: RecordedSide | undefined): string | undefined {
  return side?.trace.at(-1);
}

/** Names are others': nothing in them acts on a terminal, or passes for another field. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\s]/gu, '?');
}
