// A flow as one of its ends saw it over an interval: what everything works with that stores, shows, exports flows or learns from
// them. Field for field what a Calico flow log and a Goldmane flow have, and more. Counts are of the interval, not of the flow's life.

/** Workload, host endpoint, network set, or anything else: as flow logs abbreviate them. */
export type FlowEndType = 'wep' | 'hep' | 'ns' | 'net';

export interface FlowEnd {
  readonly type: FlowEndType;
  /** '' = it has none. */
  readonly namespace: string;
  /** Of the object; for `net` `pvt` or `pub`. */
  readonly name: string;
  /** What flows of many alike ends are put together by: a workload's generateName and `*`, a host endpoint's node, else the name. */
  readonly aggregatedName: string;
  /** Text of the address (RFC 5952); '' once flows are aggregated. */
  readonly address: string;
  /** 0 = none, or not the same for all flows that are aggregated. */
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface FlowService {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  readonly port: number;
}

/** What happened in the interval, for one flow; aggregates have no phase. */
export type FlowPhase = 'start' | 'update' | 'end';

export interface FlowLog {
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  /** undefined = flows of one key put together. */
  readonly phase?: FlowPhase;
  readonly node: string;
  /** Whose policy spoke: the source's egress or the destination's ingress. */
  readonly reporter: 'src' | 'dst';
  /** The other end's record of this node tells of the same packets: whoever adds up counts one of the two. */
  readonly isPaired?: true;
  readonly action: 'allow' | 'deny';
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  /** As policies write it: `TCP`, `UDP`, `ICMP`, or a number. */
  readonly protocol: string;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** What the destination was before translation, where that is a known service. */
  readonly service?: FlowService;
  /** Trace strings: `0|default|np:ns/name|allow|2`. */
  readonly enforced: readonly string[];
  /** The same, were every staged policy enforced. */
  readonly pending: readonly string[];
  /** Why packets were dropped, e.g. `drop_ingress_policy`. */
  readonly reason?: string;
  /** Of the flow table: `new`, `established`, ... */
  readonly state?: string;
  /** Of all packets that the events of this interval were about, or-ed. */
  readonly tcpFlags?: number;
  /** By the reporting end: in = towards it. A denied packet is in for `dst`, out for `src`. */
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly flowsStarted: number;
  readonly flowsCompleted: number;
  readonly flowsLive: number;
}
