// How many objects are in force, as metrics count them.
import type { DesiredState, PolicyList } from '../../calc/resolved.ts';
import type { World } from '../../model/world.ts';
import type { Inventory } from '../../observe/metrics/source.ts';

export function countObjects(world: World, localPolicies: number): Inventory {
  const endpoints = [...world.workloadEndpoints.values(), ...world.hostEndpoints.values()];
  const staged = [...world.policies.values()].filter(({ kind }) => kind.startsWith('Staged')).length;
  return {
    hosts: new Set(endpoints.map(({ node }) => node)).size,
    hostEndpoints: world.hostEndpoints.size,
    workloadEndpoints: world.workloadEndpoints.size,
    policies: world.policies.size - staged,
    stagedPolicies: staged,
    profiles: world.profiles.size,
    tiers: world.tiers.size,
    localPolicies,
  };
}

/** Policies, staged ones included, that are in a list of a workload endpoint of this node. */
export function countLocalPolicies({ endpoints }: Pick<DesiredState, 'endpoints'>): number {
  const lists = new Set<PolicyList>();
  for (const { ingress, egress } of endpoints.values()) lists.add(ingress).add(egress);
  const policies = new Set<unknown>();
  for (const { tiers } of lists) {
    for (const tier of tiers) for (const { policy } of tier.policies) policies.add(policy);
  }
  return policies.size;
}
