// What host endpoints are made of that nobody wrote: nodes, and the plan that says which endpoints each of them has. What comes
// of it is auto-host-endpoints.ts.
import type { LinearPattern } from '../base/linear-pattern.ts';
import { type Cidr, formatAddress, type IpAddress } from './address.ts';
import type { SourceLocation } from './location.ts';
import type { Selector } from './selector/ast.ts';

export interface NodeFacts {
  readonly kind: 'node';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** All of them, each once. */
  readonly addresses: readonly IpAddress[];
  /** As somebody has noted them at the node; whoever lists a machine's own is not known here. */
  readonly interfaces: readonly { readonly name: string; readonly addresses: readonly IpAddress[] }[];
  readonly location: SourceLocation;
}

/** One endpoint for each node, or for each interface of it that the pattern describes. */
export interface HostEndpointTemplate {
  /** Empty = that of the endpoint for all interfaces, which it takes the place of. */
  readonly name: string;
  /** Which of a node's addresses are expected. */
  readonly cidrs: readonly Cidr[];
  readonly pattern?: LinearPattern;
  readonly nodes: Selector;
  readonly labels: Readonly<Record<string, string>>;
}

export interface HostEndpointPlan {
  readonly kind: 'hostEndpointPlan';
  /** Each node has an endpoint for all its interfaces. */
  readonly hasDefault: boolean;
  readonly templates: readonly HostEndpointTemplate[];
}

/** What these endpoints are made of. */
export type HostEndpointSource = NodeFacts | HostEndpointPlan;

/** In order, each once. */
export function distinctAddresses(addresses: readonly IpAddress[]): IpAddress[] {
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
}
