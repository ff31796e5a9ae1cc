// Desired states made by hand, without manifests: as many rules and prefixes as a test of tables needs, and changes of
// them as calc would tell of them.
import { PrefixJournal } from '../../../src/calc/prefix-journal.ts';
import type {
  DesiredState,
  PolicyList,
  PrefixMembership,
  ResolvedEndpoint,
  ResolvedHostEndpoint,
  ResolvedRule,
  ResolvedRules,
  ResolvedSide,
  SetId,
} from '../../../src/calc/resolved.ts';
import { type Cidr, formatCidr } from '../../../src/model/address.ts';
import type { WorkloadEndpoint } from '../../../src/model/endpoint.ts';
import type { HostSettings } from '../../../src/model/host-settings.ts';
import type { Direction, Policy } from '../../../src/model/policy.ts';
import type { EvaluationTier } from '../../../src/model/policy-order.ts';

const ANY: ResolvedSide = { within: [], without: [] };
const LOCATION = { file: 'hand-made.yaml', line: 1 };

export function ruleOf(index: number, parts: Partial<ResolvedRule>): ResolvedRule {
  const base = { action: 'allow', matchesV4: true, matchesV6: true, source: ANY, destination: ANY } as const;
  return { ...base, ...parts, index, location: LOCATION };
}

/** One list of a direction with one tier for each list of rules; `names` are those of the policies. */
export function listOf(
  direction: Direction,
  tiers: readonly { readonly name: string; readonly rules: ResolvedRules; readonly pass?: boolean }[],
): PolicyList {
  return {
    direction,
    tiers: tiers.map(({ name, rules, pass }) => ({
      tier: { name, defaultAction: pass === true ? 'pass' : 'deny' } as EvaluationTier,
      policies: [
        { policy: { kind: 'GlobalNetworkPolicy', name, tier: name, staged: false } as unknown as Policy, rules },
      ],
    })),
    profiles: [],
  };
}

/** A state that is changed in place, as calc changes its own. */
export class HandMadeState implements DesiredState {
  readonly endpoints = new Map<string, ResolvedEndpoint>();
  readonly hostEndpoints = new Map<string, ResolvedHostEndpoint>();
  readonly hostSettings = new Map<string, HostSettings>();
  readonly prefixes = new Map<string, PrefixMembership & { readonly sets: Map<SetId, number> }>();
  readonly prefixChanges = new PrefixJournal(this.prefixes);

  setEndpoint(key: string, ingress: PolicyList, egress: PolicyList): void {
    this.endpoints.set(key, { endpoint: { key } as WorkloadEndpoint, ingress, egress });
  }

  put(cidr: Cidr, set: SetId): void {
    const key = formatCidr(cidr);
    const prefix = this.prefixes.get(key) ?? { cidr, sets: new Map() };
    this.prefixes.set(key, prefix);
    if (prefix.sets.has(set)) return;
    prefix.sets.set(set, 1);
    this.prefixChanges.add(prefix);
  }

  take(cidr: Cidr, set: SetId): void {
    const prefix = this.prefixes.get(formatCidr(cidr));
    if (prefix === undefined || !prefix.sets.delete(set)) return;
    this.prefixChanges.add(prefix);
    if (prefix.sets.size === 0) this.prefixes.delete(formatCidr(cidr));
  }
}
