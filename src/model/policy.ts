// Policies, tiers and profiles as the rest of Tortie sees them: validated, scoped, frozen.
import type { Cidr, Family } from './address.ts';
import type { SourceLocation } from './location.ts';
import type { Selector } from './selector/ast.ts';

export type Direction = 'ingress' | 'egress';
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

/**
 * The lists of policy that a host endpoint has: for the host's own traffic, for what it forwards, for destinations before
 * the host translates them, and for what no connection is kept of.
 */
export type HostScope = 'normal' | 'forward' | 'preDnat' | 'untracked';
export const HOST_SCOPES: readonly HostScope[] = ['normal', 'forward', 'preDnat', 'untracked'];

export type RuleAction = 'allow' | 'deny' | 'pass' | 'log';

/** Destination or source ports of a rule: a range of numbers (first <= last), or the name of an endpoint's port. */
export type PortMatch =
  | { readonly kind: 'range'; readonly first: number; readonly last: number }
  | { readonly kind: 'named'; readonly name: string };

/** The backends of a Service, by EndpointSlice. */
export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
}

/**
 * One side of a rule. Conditions are ANDed, the items of one list are ORed; an empty list is no condition.
 * Selectors are already scoped to namespaces and service accounts, with `pcns.` and `pcsa.` prefixes in place.
 */
export interface EntityMatch {
  readonly nets: readonly Cidr[];
  readonly notNets: readonly Cidr[];
  /** The peer is a known endpoint or network set with these labels; undefined = no condition. */
  readonly selector?: Selector;
  /** The peer is not a known endpoint or network set with these labels. */
  readonly notSelector?: Selector;
  readonly ports: readonly PortMatch[];
  readonly notPorts: readonly PortMatch[];
  readonly service?: ServiceReference;
}

export interface IcmpMatch {
  readonly type: number;
  /** undefined = every code. */
  readonly code?: number;
}

export interface Rule {
  readonly action: RuleAction;
  /** Only packets of this family; from ipVersion, or implied by the protocol names ICMP and ICMPv6. */
  readonly ipVersion?: Family;
  /** 0-255. */
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source: EntityMatch;
  readonly destination: EntityMatch;
  readonly location: SourceLocation;
}

export type PolicyKind =
  | 'NetworkPolicy'
  | 'GlobalNetworkPolicy'
  | 'StagedNetworkPolicy'
  | 'StagedGlobalNetworkPolicy'
  | 'StagedKubernetesNetworkPolicy'
  | 'KubernetesNetworkPolicy'
  | 'ClusterNetworkPolicy';

/** `AssumeNeededOnEveryNode`: have the policy's sets ready where it governs nothing yet. */
export type PerformanceHint = 'AssumeNeededOnEveryNode';

export interface Policy {
  readonly type: 'policy';
  /** `<kind>/<namespace>/<name>`, unique; namespace is empty for cluster-wide kinds. */
  readonly key: string;
  readonly kind: PolicyKind;
  readonly namespace?: string;
  readonly name: string;
  readonly tier: string;
  /** undefined = after every number. */
  readonly order?: number;
  /** Which endpoints, namespace and service-account scope included. */
  readonly selector: Selector;
  readonly governs: { readonly ingress: boolean; readonly egress: boolean };
  readonly rules: { readonly ingress: readonly Rule[]; readonly egress: readonly Rule[] };
  /** Staged policies are evaluated and traced but never decide. */
  readonly staged: boolean;
  readonly doNotTrack: boolean;
  readonly preDnat: boolean;
  readonly applyOnForward: boolean;
  /** Carried, without effect: Tortie compiles a policy when the first local endpoint needs it, before it is attached. */
  readonly performanceHints: readonly PerformanceHint[];
  readonly location: SourceLocation;
}

export interface Tier {
  readonly type: 'tier';
  readonly name: string;
  readonly key: string;
  /** undefined = after every number. */
  readonly order?: number;
  readonly defaultAction: 'deny' | 'pass';
  readonly location: SourceLocation;
}

export interface Profile {
  readonly type: 'profile';
  readonly name: string;
  readonly key: string;
  /** Labels that endpoints and network sets which list this profile inherit. */
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: { readonly ingress: readonly Rule[]; readonly egress: readonly Rule[] };
  readonly location: SourceLocation;
}
