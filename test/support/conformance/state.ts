// Which objects exist after each step of a case. What they mean is not known here.
import type { Cluster, ConformanceCase, Manifest } from './case.ts';

/** A pod as probes see it. */
export interface PodAddresses {
  /** `<namespace>/<name>` */
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
}

export interface ConformanceState {
  readonly manifests: readonly Manifest[];
  readonly expect: readonly string[];
}

/** Identity of an object. */
export function keyOf({ apiVersion, kind, metadata }: Manifest): string {
  return [apiVersion, kind, metadata.namespace ?? '', metadata.name].join(' ');
}

/** One state for each step. Throws an ordinary Error if a step removes what is not there. */
export function statesOf(cluster: Cluster, { name, steps }: ConformanceCase): ConformanceState[] {
  const objects = new Map([...cluster.namespaces, ...cluster.pods].map((one) => [keyOf(one), one]));
  return steps.map(({ apply = [], remove = [], expect }) => {
    for (const one of remove) {
      if (!objects.delete(keyOf(one))) throw new Error(`${name}: nothing to remove: ${keyOf(one)}`);
    }
    for (const one of apply) objects.set(keyOf(one), one);
    return { manifests: [...objects.values()], expect };
  });
}

/** The pods among the manifests. */
export function podsIn(manifests: readonly Manifest[]): PodAddresses[] {
  return manifests
    .filter(({ kind }) => kind === 'Pod')
    .map(({ metadata, status }) => ({
      name: `${metadata.namespace}/${metadata.name}`,
      addresses: (status as { podIPs: { ip: string }[] }).podIPs.map(({ ip }) => ip),
    }));
}
