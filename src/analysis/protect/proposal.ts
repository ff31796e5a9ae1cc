// A proposal: objects with the reason for each of them and for each of their rules. What is proposed is known to propose.ts,
// how it is written to proposal-text.ts.
import { type Cidr, formatCidr, hostCidr, type IpAddress } from '../../model/address.ts';
import type { Direction } from '../../model/policy.ts';

/** A rule as manifests write it. */
export type RuleManifest = Readonly<Record<string, unknown>>;

export interface ProposedRule {
  /** Lines of a comment. */
  readonly why: readonly string[];
  readonly rule: RuleManifest;
}

export interface ProposedObject {
  readonly why: readonly string[];
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** Without the rules. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly rules?: { readonly [D in Direction]?: readonly ProposedRule[] };
}

export interface Proposal {
  /** About the whole. */
  readonly why: readonly string[];
  readonly objects: readonly ProposedObject[];
}

/** Which objects belong to a proposal: they all have this label, by which they are found again. */
export const PROTECT_LABEL = 'tortie.io/protect';
const API_VERSION = 'projectcalico.org/v3';

/** The object as a manifest. */
export function manifestOfProposed({ apiVersion, kind, metadata, spec, rules = {} }: ProposedObject): RuleManifest {
  const lists = Object.entries(rules).map(([direction, list]) => [direction, list.map(({ rule }) => rule)] as const);
  return { apiVersion, kind, metadata, spec: { ...spec, ...Object.fromEntries(lists) } };
}

export function hostEndpoint(
  name: string,
  spec: { readonly node: string; readonly interfaceName: string },
  why: readonly string[],
): ProposedObject {
  const metadata = { name, labels: { [PROTECT_LABEL]: 'host' } };
  return { why, apiVersion: API_VERSION, kind: 'HostEndpoint', metadata, spec };
}

/** Governs that direction of every host endpoint of the proposal. */
export function hostPolicy(
  name: string,
  direction: Direction,
  rules: readonly ProposedRule[],
  why: readonly string[],
): ProposedObject {
  const types = [direction === 'ingress' ? 'Ingress' : 'Egress'];
  return {
    why,
    apiVersion: API_VERSION,
    kind: 'GlobalNetworkPolicy',
    metadata: { name, labels: { [PROTECT_LABEL]: 'policy' } },
    spec: { order: ORDER, selector: `${PROTECT_LABEL} == 'host'`, types },
    rules: { [direction]: rules },
  };
}

/** Leaves room before and behind for policies of the user's own. */
const ORDER = 5000;

export function networkSet(name: string, nets: readonly Cidr[], why: readonly string[]): ProposedObject {
  const metadata = { name: `protect-${name}`, labels: { [PROTECT_LABEL]: name } };
  return { why, apiVersion: API_VERSION, kind: 'GlobalNetworkSet', metadata, spec: { nets: nets.map(formatCidr) } };
}

/** Selects the addresses of such a set. */
export function inSet(name: string): RuleManifest {
  return { selector: `${PROTECT_LABEL} == '${name}'` };
}

export function hostNets(addresses: readonly IpAddress[]): Cidr[] {
  return addresses.map(hostCidr);
}
