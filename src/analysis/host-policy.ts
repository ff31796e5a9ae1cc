// What answers about workloads leave out: policy of host endpoints. Which of its lists a packet meets depends on a machine's
// interfaces, which manifests do not know.
import type { DesiredState, ListPair, PolicyList } from '../calc/resolved.ts';
import { listShortly } from './diff/part.ts';
import { policyName } from './object-names.ts';

/** Names of the policies in force that have a say about a host endpoint, and of endpoints that are closed for want of any. */
export function hostPoliciesOf({ hostEndpoints }: Pick<DesiredState, 'hostEndpoints'>): string[] {
  const names = new Set<string>();
  for (const { endpoint, scopes } of hostEndpoints.values()) {
    const policies = listsOf(scopes).flatMap(policiesOf);
    for (const name of policies) names.add(name);
    if (policies.length === 0 && endpoint.profiles.length === 0) names.add(`hostendpoint/${endpoint.name}`);
  }
  return [...names].sort();
}

function listsOf(scopes: Readonly<Record<string, ListPair | undefined>>): PolicyList[] {
  return Object.values(scopes).flatMap((pair) => (pair === undefined ? [] : [pair.ingress, pair.egress]));
}

function policiesOf({ tiers }: PolicyList): string[] {
  return tiers.flatMap(({ policies }) =>
    policies.filter(({ policy }) => !policy.staged).map((one) => policyName(one.policy)),
  );
}

/** One sentence; undefined = nothing is left out. */
export function describeLeftOut(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `this is about workloads alone: policy of host endpoints is left out, for what they forward as well (${listShortly(names)}); tortie verdict answers for hosts`;
}
