// One flow as a log or a capture tells it: the common form of every format. Names are not resolved here.
import type { IpAddress } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';

/** What the recorder called an end. `unknown` = it did not say what the name is the name of. */
export interface RecordedName {
  readonly kind: 'workload' | 'networkSet' | 'host' | 'network' | 'unknown';
  readonly namespace?: string;
  /** A trailing `*` stands for every workload whose name begins so; of kind network it is `public` or `private`. */
  readonly name: string;
  /** `key=value`: labels that every member had. */
  readonly labels: readonly string[];
}

/** At least one of the two is there. */
export interface RecordedEnd {
  readonly address?: IpAddress;
  readonly name?: RecordedName;
}

export interface RecordedService {
  readonly namespace: string;
  readonly name: string;
}

export interface RecordedFlow {
  readonly source: RecordedEnd;
  readonly destination: RecordedEnd;
  readonly protocol: number;
  /** undefined = not recorded. */
  readonly sourcePort?: number;
  /** 0 for protocols without ports. */
  readonly destinationPort: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** Whose cluster address the destination was, where the record says so. */
  readonly service?: RecordedService;
  /** undefined = not recorded. */
  readonly verdict?: 'allow' | 'deny';
  /** Which end's policy the verdict speaks of: that an egress allows says nothing of the other end. */
  readonly reporter: 'source' | 'destination' | 'both';
  /** Connections that this record stands for; at least 1. */
  readonly count: number;
  /** When it was seen, in milliseconds since 1970; undefined = not recorded. */
  readonly from?: number;
  readonly until?: number;
  /** The log has a record for each packet, so that records of one connection are to be counted once. */
  readonly isOfOnePacket?: boolean;
}

/** Records that say nothing about policy, by why. */
export type SkipReason =
  | 'knownConnection'
  | 'reply'
  | 'notAFlow'
  | 'notPolicy'
  | 'notIp'
  | 'laterFragment'
  | 'icmpError'
  | 'truncated';

/** What each reason means, for people. */
export const SKIP_REASONS: Readonly<Record<SkipReason, string>> = {
  knownConnection: 'more packets of connections that were counted',
  reply: 'replies of flows',
  notAFlow: 'events that are no flows',
  notPolicy: 'drops that policy did not decide',
  notIp: 'frames that are not IP',
  laterFragment: 'later fragments',
  icmpError: 'ICMP errors, which belong to other flows',
  truncated: 'packets cut off before their ports',
};

export interface Skipped {
  readonly skipped: SkipReason;
}

export type Fields = Readonly<Record<string, unknown>>;

/** 8 or 128 for ICMP and ICMPv6, 0 for all others: the type that logs without types most likely mean. */
export function echoRequestType(protocol: number): number {
  if (protocol === PROTOCOL.ICMP) return 8;
  return protocol === PROTOCOL.ICMPV6 ? 128 : 0;
}
