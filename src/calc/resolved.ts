// What calc hands to tables: policies resolved to sets of addresses, per local endpoint. Plain data; no selectors,
// no labels, no byte layouts.
import type { Cidr } from '../model/address.ts';
import type { HostEndpoint, NamedPort, WorkloadEndpoint } from '../model/endpoint.ts';
import type { HostSettings } from '../model/host-settings.ts';
import type { SourceLocation } from '../model/location.ts';
import type { Direction, HostScope, IcmpMatch, Policy, Profile, RuleAction } from '../model/policy.ts';
import type { EvaluationTier } from '../model/policy-order.ts';

/** Number of an address set; sets with equal definition share one. */
export type SetId = number;

/**
 * Addresses that offer a port under a name or for a service: for each (protocol, port) the set of its holders.
 * Live: calc changes `points` as endpoints come and go.
 */
export interface PortSet {
  readonly id: number;
  /** Keyed by protocol * 65536 + port. */
  readonly points: ReadonlyMap<number, SetId>;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Ports of one side: any of the ranges, or any point of the port sets whose holders contain the side's address. */
export interface ResolvedPorts {
  readonly ranges: readonly PortRange[];
  readonly named: readonly PortSet[];
}

/** Conditions on one side of a rule, all of which must hold. */
export interface ResolvedSide {
  /** The address is in each of these sets. */
  readonly within: readonly SetId[];
  /** The address is in none of these. */
  readonly without: readonly SetId[];
  /** undefined = any port. */
  readonly ports?: ResolvedPorts;
  readonly notPorts?: ResolvedPorts;
  /** Backends of a service: (address, protocol, port) is one of its points. */
  readonly backends?: PortSet;
}

export interface ResolvedRule {
  readonly action: RuleAction;
  /** 0-based position in the policy's list for this direction. */
  readonly index: number;
  readonly matchesV4: boolean;
  readonly matchesV6: boolean;
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source: ResolvedSide;
  readonly destination: ResolvedSide;
  readonly location: SourceLocation;
}

export interface ResolvedRules {
  /** Changes whenever the rules do; two lists of equal versions are the same list. */
  readonly version: number;
  readonly ingress: readonly ResolvedRule[];
  readonly egress: readonly ResolvedRule[];
}

export interface ResolvedPolicy {
  readonly policy: Policy;
  readonly rules: ResolvedRules;
}

export interface ResolvedProfile {
  readonly name: string;
  /** undefined = the profile does not exist: it denies when reached. */
  readonly profile: Profile | undefined;
  readonly rules: ResolvedRules;
}

export interface ResolvedTier {
  readonly tier: EvaluationTier;
  /** In order, all governing the list's direction; staged ones included. */
  readonly policies: readonly ResolvedPolicy[];
}

/** Everything that decides one direction of an endpoint. Endpoints with equal lists share one object. */
export interface PolicyList {
  readonly direction: Direction;
  /** undefined = of workloads. It says how tiers and the list end. */
  readonly scope?: HostScope;
  readonly failsafes?: ResolvedFailsafes;
  readonly tiers: readonly ResolvedTier[];
  /** None in lists that end in something else: forward, preDnat, untracked. */
  readonly profiles: readonly ResolvedProfile[];
}

/** What a host's list lets through before any policy. */
export interface ResolvedFailsafes {
  /** One for each port, with the action allow; where the list has no last word it decides nothing instead. */
  readonly rules: ResolvedRules;
  /** For each rule of a direction the setting that it comes from, and the position there. */
  readonly origins: Readonly<Record<Direction, readonly FailsafeOrigin[]>>;
}

export interface FailsafeOrigin {
  readonly ports: Direction;
  readonly index: number;
}

export interface ResolvedEndpoint {
  readonly endpoint: WorkloadEndpoint;
  readonly ingress: PolicyList;
  readonly egress: PolicyList;
}

/** A list for each direction. Of preDnat nobody asks for egress. */
export type ListPair = Readonly<Record<Direction, PolicyList>>;

/** The lists of a host endpoint. Without any policy of its kind a list is absent, except that for the host's own traffic. */
export interface ResolvedHostEndpoint {
  readonly endpoint: HostEndpoint;
  readonly scopes: { readonly normal: ListPair } & { readonly [S in HostScope]?: ListPair };
}

/** A prefix and the sets that list it; a longer prefix also belongs to the sets of those that contain it. */
export interface PrefixMembership {
  readonly cidr: Cidr;
  /** Set -> number of reasons; never 0. */
  readonly sets: ReadonlyMap<SetId, number>;
}

/** Which prefixes changed lately. One object for as long as the prefixes are the same map. */
export interface PrefixChanges {
  /** Counts changes. */
  readonly revision: number;
  /**
   * Memberships whose sets changed after that revision, some several times perhaps; one that is gone has no sets.
   * undefined = too long ago: look at all.
   */
  since(revision: number): readonly PrefixMembership[] | undefined;
}

/** Everything the local node must enforce. A live view: valid until the graph's next change. */
export interface DesiredState {
  readonly endpoints: ReadonlyMap<string, ResolvedEndpoint>;
  /** By `hostEndpoint:<name>`. */
  readonly hostEndpoints: ReadonlyMap<string, ResolvedHostEndpoint>;
  /** As written; settingsOfNode says what holds for a node. */
  readonly hostSettings: ReadonlyMap<string, HostSettings>;
  readonly prefixes: ReadonlyMap<string | number, PrefixMembership>;
  /** undefined = not known. */
  readonly prefixChanges?: PrefixChanges;
}

/** What owns addresses, as selectors see it. */
export interface LabelledItem {
  /** Unique over all types. */
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly prefixes: readonly Cidr[];
  readonly ports: readonly NamedPort[];
  /** Set for endpoints of this node. */
  readonly localEndpoint?: WorkloadEndpoint | HostEndpoint;
}
