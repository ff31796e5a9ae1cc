// One generated world as the manifests a user would write: namespaces, workloads, sets, tiers, policies of every kind.
import { AddressPool, hostEndpoint, pod, workloadEndpoint } from './endpoints.ts';
import { clusterPolicy, kubernetesPolicy } from './kubernetes-policies.ts';
import { calicoPolicy, tiers } from './policies.ts';
import type { Random } from './random.ts';
import type { Json } from './rules.ts';
import * as sets from './sets.ts';
import { asStored } from './stored.ts';

export type Manifest = Record<string, unknown>;

const MAX_POLICIES = 10;

/** Everything of one world, in any order; of two objects with the same kind and name the first is kept. */
export function manifestsOf(random: Random): Manifest[] {
  const pool = new AddressPool();
  const all: (Json | undefined)[] = [
    ...sets.namespaces(random),
    ...random.list(0, 3, () => sets.serviceAccount(random)),
    ...random.list(0, 2, () => sets.profile(random)),
    ...random.list(1, 5, (index) => workloadEndpoint(random, index, pool)),
    ...random.list(0, 4, (index) => pod(random, index, pool)),
    ...random.list(0, 2, (index) => hostEndpoint(random, index)),
    ...random.list(0, 3, (index) => sets.networkSet(random, index)),
    ...random.list(random.chance(25) ? 0 : 1, 4, (index) => sets.endpointSlice(random, index)),
    ...random.list(0, random.chance(20) ? 1 : 0, () => sets.service(random)),
    ...random.list(0, random.chance(20) ? 1 : 0, () => sets.node(random)),
    ...tiers(random),
    ...random.list(random.chance(10) ? 0 : 3, MAX_POLICIES, () => policy(random)),
  ];
  const made = all.filter((manifest) => manifest !== undefined).map((manifest) => asStored(random, manifest));
  return random.shuffle(firstOfEachName(made));
}

function policy(random: Random): Json {
  return random.weighted(
    [7, () => calicoPolicy(random)],
    [3, () => kubernetesPolicy(random)],
    [2, () => clusterPolicy(random)],
  );
}

/** What makes an object one of its own: not the group's version, but whose NetworkPolicy it is. */
export function identityOf(manifest: Manifest): string {
  const { namespace, name } = manifest.metadata as { namespace?: string; name: string };
  const group = String(manifest.apiVersion).startsWith('networking.k8s.io') ? 'kubernetes' : '';
  return `${group}${manifest.kind}/${namespace ?? ''}/${name}`;
}

export function firstOfEachName(all: readonly Manifest[]): Manifest[] {
  const seen = new Set<string>();
  return all.filter((manifest) => {
    const identity = identityOf(manifest);
    return !seen.has(identity) && seen.add(identity);
  });
}
