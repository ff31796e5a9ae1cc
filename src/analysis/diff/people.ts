// The endpoints of one family as people know them: by name, namespace and labels. Which of them form a group is said in
// words by endpoint-names.ts.

import { formatAddress } from '../../model/address.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import { NAMESPACE_PREFIX, ORCHESTRATOR_LABEL } from '../../model/selector/scope.ts';
import type { World } from '../../model/world.ts';
import type { AddressGroup, Both, OwnedAddress } from './address-groups.ts';

/** kept = its address is the same endpoint's on both sides; passed = another endpoint's. */
export type Presence = 'kept' | 'appears' | 'vanishes' | 'passed';

/** An endpoint with its addresses of one family that are alike in presence. */
export interface Person {
  /** The same in both families. */
  readonly id: number;
  /** What it is called; of `passed` addresses the endpoint that has them after. */
  readonly name: string;
  readonly namespace: string;
  readonly presence: Presence;
  /** Labels that hold on both sides as `label=value`, those of its namespace and profiles included; of `kept` only. */
  readonly labels: readonly string[];
  readonly addressCount: number;
}

export interface OwnedBy {
  readonly person: Person;
  readonly address: string;
}

/** Labels that say nothing to people: what controllers number their pods with. */
const MACHINE_LABELS = /(?:^|\/)(?:[a-z-]*-hash|pod-name|pod-index|[a-z-]*uid|.*revision|.*generation)$/;

export class People {
  readonly all: readonly Person[];
  /** Those whose addresses are theirs on both sides. */
  readonly kept: readonly Person[];
  /** `pods`, or `endpoints` where some are not. */
  readonly noun: string;
  readonly #byGroup: readonly (readonly OwnedBy[])[];

  /** ids: numbers of endpoints, shared by both families; new ones are added. */
  constructor(groups: readonly AddressGroup[], worlds: Both<World>, ids: Map<string, number>) {
    const people = new Map<string, { person: Omit<Person, 'addressCount'>; addressCount: number }>();
    const nameOf = uniqueNames(worlds);
    const links: { key: string; address: string }[][] = [];
    for (const { owned } of groups) {
      links.push(
        owned.map((one) => {
          const key = `${one.owners[0]?.key ?? ''} ${one.owners[1]?.key ?? ''}`;
          const id = ids.get(key) ?? ids.size;
          ids.set(key, id);
          const known = people.get(key) ?? { person: personOf(one, id, worlds, nameOf), addressCount: 0 };
          known.addressCount += 1;
          people.set(key, known);
          return { key, address: formatAddress(one.address) };
        }),
      );
    }
    const finished = new Map(
      [...people].map(([key, { person, addressCount }]) => [key, { ...person, addressCount }] as const),
    );
    this.all = [...finished.values()];
    this.kept = this.all.filter(({ presence }) => presence === 'kept');
    this.#byGroup = links.map((list) =>
      list.map(({ key, address }) => ({ person: finished.get(key) as Person, address })),
    );
    this.noun = worlds.every(isKubernetesOnly) ? 'pod' : 'endpoint';
  }

  /** The owned addresses of a group. */
  of(group: number): readonly OwnedBy[] {
    return this.#byGroup[group] ?? [];
  }
}

function isKubernetesOnly({ workloadEndpoints }: World): boolean {
  for (const { labels } of workloadEndpoints.values()) if (labels[ORCHESTRATOR_LABEL] !== 'k8s') return false;
  return true;
}

/** `<namespace>/<pod>`; the key of endpoints that share it with others. */
export function uniqueNames(worlds: Both<World>): (endpoint: WorkloadEndpoint) => string {
  const keys = new Map<string, string | undefined>();
  for (const { workloadEndpoints } of worlds) {
    for (const { displayName, key } of workloadEndpoints.values()) {
      keys.set(displayName, keys.has(displayName) && keys.get(displayName) !== key ? undefined : key);
    }
  }
  return ({ displayName, key }) => (keys.get(displayName) === key ? displayName : key);
}

function personOf(
  { owners }: OwnedAddress,
  id: number,
  worlds: Both<World>,
  nameOf: (endpoint: WorkloadEndpoint) => string,
): Omit<Person, 'addressCount'> {
  const [before, after] = owners;
  const shown = (after ?? before) as WorkloadEndpoint;
  const isKept = before?.key === after?.key;
  return {
    id,
    name: nameOf(shown),
    namespace: shown.namespace,
    presence: isKept ? 'kept' : before === undefined ? 'appears' : after === undefined ? 'vanishes' : 'passed',
    labels: isKept ? commonLabels(before as WorkloadEndpoint, after as WorkloadEndpoint, worlds) : [],
  };
}

function commonLabels(before: WorkloadEndpoint, after: WorkloadEndpoint, [first, second]: Both<World>): string[] {
  const then = effectiveLabels(before, first);
  const now = effectiveLabels(after, second);
  const common: string[] = [];
  for (const [label, value] of now) if (then.get(label) === value && isTelling(label)) common.push(`${label}=${value}`);
  return common.sort();
}

/** Its own, then those of its profiles, the first that has one winning. */
function effectiveLabels({ labels, profiles }: WorkloadEndpoint, world: World): Map<string, string> {
  const effective = new Map(Object.entries(labels));
  for (const name of profiles) {
    for (const [label, value] of Object.entries(world.profiles.get(name)?.labels ?? {})) {
      if (!effective.has(label)) effective.set(label, value);
    }
  }
  return effective;
}

/** Namespaces by name are told as such, not by label. */
function isTelling(label: string): boolean {
  const plain = label.startsWith(NAMESPACE_PREFIX) ? label.slice(NAMESPACE_PREFIX.length) : label;
  return (
    !plain.startsWith('projectcalico.org/') && plain !== 'kubernetes.io/metadata.name' && !MACHINE_LABELS.test(plain)
  );
}
