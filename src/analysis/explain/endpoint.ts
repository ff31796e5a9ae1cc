// One endpoint explained: who it is, what governs each direction in which order, and what that comes down to.
import type { DesiredState, PolicyList, ResolvedEndpoint } from '../../calc/resolved.ts';
import { formatAddress, formatCidr } from '../../model/address.ts';
import type { NamedPort, WorkloadEndpoint } from '../../model/endpoint.ts';
import { protocolName } from '../../model/flow.ts';
import { DIRECTIONS, type Direction } from '../../model/policy.ts';
import { type Inventory, itemKey, type Member } from '../inventory.ts';
import { policyName } from '../object-names.ts';
import { type DirectionAccess, explainAccess } from './access.ts';
import { type ExplainedRule, explainRule } from './rule-sentence.ts';

export interface ExplainedLabel {
  readonly label: string;
  readonly value: string;
  /** `own`, or the profile that lends it. */
  readonly from: string;
}

export interface GoverningPolicy {
  readonly policy: string;
  readonly staged: boolean;
  readonly order: number | null;
  readonly file: string;
  readonly line: number;
  readonly rules: readonly ExplainedRule[];
}

export interface GoverningTier {
  readonly tier: string;
  readonly order: number | null;
  readonly policies: readonly GoverningPolicy[];
  /** What happens to packets that no rule of the tier takes; null = only staged policies are in it: they go on. */
  readonly end: 'deny' | 'pass' | null;
}

export interface GoverningProfile {
  readonly profile: string;
  readonly exists: boolean;
  readonly rules: readonly ExplainedRule[];
}

export interface EndpointDirection extends DirectionAccess {
  readonly direction: Direction;
  readonly tiers: readonly GoverningTier[];
  readonly profiles: readonly GoverningProfile[];
}

export interface EndpointExplanation {
  readonly kind: 'endpoint';
  readonly name: string;
  /** WorkloadEndpoint name. */
  readonly endpoint: string;
  readonly file: string;
  readonly line: number;
  readonly node: string;
  readonly interface: string;
  readonly mac: string | null;
  readonly addresses: readonly string[];
  readonly allowedSourcePrefixes: readonly string[];
  readonly ports: readonly string[];
  readonly labels: readonly ExplainedLabel[];
  readonly directions: readonly EndpointDirection[];
}

export function explainEndpoint(
  endpoint: WorkloadEndpoint,
  inventory: Inventory,
  desired: DesiredState,
): EndpointExplanation {
  const resolved = desired.endpoints.get(itemKey(endpoint)) as ResolvedEndpoint;
  const access = explainAccess(resolved, inventory.world, desired);
  return {
    kind: 'endpoint',
    name: endpoint.displayName,
    endpoint: endpoint.name,
    file: endpoint.location.file,
    line: endpoint.location.line,
    node: endpoint.node,
    interface: endpoint.interfaceName,
    mac: endpoint.mac ?? null,
    addresses: endpoint.addresses.map(formatAddress),
    allowedSourcePrefixes: endpoint.allowedSourcePrefixes.map(formatCidr),
    ports: endpoint.ports.map(describePort),
    labels: explainLabels(endpoint, inventory),
    directions: DIRECTIONS.map((direction) => ({
      direction,
      ...governing(resolved[direction], inventory, [inventory.members.get(itemKey(endpoint)) as Member]),
      ...access[direction],
    })),
  };
}

function explainLabels(endpoint: WorkloadEndpoint, { members, world }: Inventory): ExplainedLabel[] {
  const effective = members.get(itemKey(endpoint))?.labels ?? new Map<string, string>();
  return [...effective].map(([label, value]) => {
    const lender = endpoint.profiles.find((name) => Object.hasOwn(world.profiles.get(name)?.labels ?? {}, label));
    return { label, value, from: Object.hasOwn(endpoint.labels, label) ? 'own' : `profile/${lender}` };
  });
}

function governing(
  { tiers, profiles, direction }: PolicyList,
  inventory: Inventory,
  own: readonly Member[],
): Pick<EndpointDirection, 'tiers' | 'profiles'> {
  const orderOf = (order: number | undefined): number | null =>
    order === undefined || !Number.isFinite(order) ? null : order;
  return {
    tiers: tiers.map(({ tier, policies }) => ({
      tier: tier.name,
      order: orderOf(tier.order),
      end: policies.every(({ policy }) => policy.staged) ? null : tier.defaultAction,
      policies: policies.map(({ policy }) => ({
        policy: policyName(policy),
        staged: policy.staged,
        order: orderOf(policy.order),
        file: policy.location.file,
        line: policy.location.line,
        rules: policy.rules[direction].map((rule, index) => explainRule(rule, index, direction, inventory, own)),
      })),
    })),
    profiles: profiles.map(({ name, profile }) => ({
      profile: `profile/${name}`,
      exists: profile !== undefined,
      rules: (profile?.rules[direction] ?? []).map((rule, index) =>
        explainRule(rule, index, direction, inventory, own),
      ),
    })),
  };
}

function describePort({ name, protocol, port }: NamedPort): string {
  return `${name} ${protocolName(protocol)} ${port}`;
}
