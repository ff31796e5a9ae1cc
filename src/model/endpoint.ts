// Things that own addresses: workload and host endpoints, network sets, service backends.
import type { Cidr, IpAddress } from './address.ts';
import type { SourceLocation } from './location.ts';

export interface NamedPort {
  readonly name: string;
  /** IP protocol number of a protocol that has ports: TCP, UDP, SCTP or UDPLite. */
  readonly protocol: number;
  readonly port: number;
}

export interface WorkloadEndpoint {
  readonly type: 'workloadEndpoint';
  /** `<namespace>/<WorkloadEndpoint name>`, unique. */
  readonly key: string;
  readonly namespace: string;
  /** WorkloadEndpoint name, `<node>-<orchestrator>-<workload>-<endpoint>`. */
  readonly name: string;
  /** `<namespace>/<pod or workload>`: what people call it. */
  readonly displayName: string;
  readonly node: string;
  /** Host-side interface; empty = not known. */
  readonly interfaceName: string;
  /** Six bytes as `aa:bb:cc:dd:ee:ff`; undefined = not given. */
  readonly mac?: string;
  readonly addresses: readonly IpAddress[];
  /** Own labels, forced ones included; profiles' labels come on top, see calc. */
  readonly labels: Readonly<Record<string, string>>;
  /** In order; the first that has a label wins, and the first whose rules match decides. */
  readonly profiles: readonly string[];
  readonly ports: readonly NamedPort[];
  /** Prefixes it may send from besides its own addresses. */
  readonly allowedSourcePrefixes: readonly Cidr[];
  readonly location: SourceLocation;
}

export interface HostEndpoint {
  readonly type: 'hostEndpoint';
  readonly key: string;
  readonly name: string;
  readonly node: string;
  readonly interfaceName: string;
  readonly addresses: readonly IpAddress[];
  readonly labels: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly ports: readonly NamedPort[];
  readonly location: SourceLocation;
}

/** NetworkSet and GlobalNetworkSet. */
export interface NetworkSet {
  readonly type: 'networkSet';
  readonly key: string;
  readonly namespace?: string;
  readonly name: string;
  readonly nets: readonly Cidr[];
  readonly labels: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly location: SourceLocation;
}

/** One EndpointSlice: every address offers every port. Endpoints that do not serve are left out by the parser. */
export interface ServiceSlice {
  readonly type: 'serviceSlice';
  readonly key: string;
  readonly namespace: string;
  readonly service: string;
  readonly addresses: readonly IpAddress[];
  /** Ports without a number are left out by the parser. */
  readonly ports: readonly NamedPort[];
  readonly location: SourceLocation;
}
