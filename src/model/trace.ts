// The policy trace: which tier, policy and rule decided. Format of Calico's flow logs, one string per traversed tier.

import type { SourceLocation } from './location.ts';
import type { Direction, HostScope, Policy, PolicyKind } from './policy.ts';

export type TraceAction = 'allow' | 'deny' | 'pass';

/** The tier name that stands for profiles, and the policy name that stands for "no profile decided". */
export const PROFILE_TIER = '__PROFILE__';
/** Likewise for a host's failsafe ports, and for the end of a list of a host endpoint that has no profiles. */
export const FAILSAFE_TIER = '__FAILSAFE__';
export const END_TIER = '__END__';

/** Rule index of an end-of-tier or end-of-profiles default. */
export const DEFAULT_RULE_INDEX = -1;

export interface TraceEntry {
  readonly tier: string;
  /** Short kind: np, gnp, snp, sgnp, sknp, knp, kcnp, pro; fs of failsafe ports, end of an end. */
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly action: TraceAction;
  /** 0-based, or DEFAULT_RULE_INDEX. */
  readonly ruleIndex: number;
  /** Where the deciding rule, or the policy whose tier default decided, is written. */
  readonly location?: SourceLocation;
}

const SHORT_KIND: Readonly<Record<PolicyKind, string>> = {
  NetworkPolicy: 'np',
  GlobalNetworkPolicy: 'gnp',
  StagedNetworkPolicy: 'snp',
  StagedGlobalNetworkPolicy: 'sgnp',
  StagedKubernetesNetworkPolicy: 'sknp',
  KubernetesNetworkPolicy: 'knp',
  ClusterNetworkPolicy: 'kcnp',
};

/** Entry for a decision of one policy; ruleIndex DEFAULT_RULE_INDEX = the default action of its tier. */
export function policyTraceEntry(
  policy: Policy,
  action: TraceAction,
  ruleIndex: number,
  location: SourceLocation,
): TraceEntry {
  const { tier, namespace, name, kind } = policy;
  return { tier, kind: SHORT_KIND[kind], namespace, name, action, ruleIndex, location };
}

/** Entry for a decision of a profile; name PROFILE_TIER = no profile decided. */
export function profileTraceEntry(
  name: string,
  action: TraceAction,
  ruleIndex: number,
  location?: SourceLocation,
): TraceEntry {
  return { tier: PROFILE_TIER, kind: 'pro', name, action, ruleIndex, location };
}

/**
 * Entry for a failsafe port, by its position in the setting of that direction. Where no connections are kept a packet may
 * also be a reply, let through by a port of the other direction.
 */
export function failsafeTraceEntry(ports: Direction, action: TraceAction, index: number): TraceEntry {
  const name = ports === 'ingress' ? 'inbound' : 'outbound';
  return { tier: FAILSAFE_TIER, kind: 'fs', name, action, ruleIndex: index };
}

/** Entry for the end of a list after its last tier: forwarded traffic passes, other lists leave it to later ones. */
export function endTraceEntry(scope: Exclude<HostScope, 'normal'>): TraceEntry {
  const action = scope === 'forward' ? 'allow' : 'pass';
  return { tier: END_TIER, kind: 'end', name: scope, action, ruleIndex: DEFAULT_RULE_INDEX };
}

/** `<index>|<tier>|<kind>:[<namespace>/]<name>|<action>|<ruleIndex>` for each entry. */
export function formatTrace(entries: readonly TraceEntry[]): string[] {
  return entries.map((entry, index) => {
    const scope = entry.namespace === undefined || entry.namespace === '' ? '' : `${entry.namespace}/`;
    return `${index}|${entry.tier}|${entry.kind}:${scope}${entry.name}|${entry.action}|${entry.ruleIndex}`;
  });
}
