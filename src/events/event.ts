// What the programs reported, decoded: addresses and numbers, no names of policies yet.
import type { IpAddress } from '../model/address.ts';

export type EventKind = 'new-flow' | 'denied' | 'flow-revoked' | 'log' | 'dropped';

/** From the point of view of a workload, and of the host. */
export type HookName = 'from_workload' | 'to_workload' | 'to_host' | 'forward' | 'from_host' | 'from_wire';

export interface FlowEvent {
  readonly kind: EventKind;
  /** Name of the reason, lower case, e.g. `drop_egress_policy`. */
  readonly reason: string;
  readonly hook: HookName;
  readonly ifindex: number;
  /** At the host's hooks: where the packet would leave; 0 = not at all. */
  readonly outIfindex: number;
  /** undefined for frames that are not IP. */
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress | undefined;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** 0 for other protocols. */
  readonly tcpFlags: number;
  /** Verdict words of the two sides; 0 = not judged. */
  readonly egressWord: number;
  readonly ingressWord: number;
  /** The words are of a flow that the destination opened. */
  readonly isReply: boolean;
  readonly generation: number;
  /** Bytes of the IP packet. */
  readonly length: number;
}
