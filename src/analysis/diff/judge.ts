// The reference evaluator for a few flows in a large world: it is given the part of the world that a flow can meet, which
// follows from the two addresses alone.
import { formatAddress, type IpAddress } from '../../model/address.ts';
import type { ServiceSlice, WorkloadEndpoint } from '../../model/endpoint.ts';
import type { Flow } from '../../model/flow.ts';
import type { Policy } from '../../model/policy.ts';
import { ReferenceEvaluator } from '../../model/reference/evaluator.ts';
import type { FlowVerdict } from '../../model/verdict.ts';
import type { World } from '../../model/world.ts';

export class FlowJudge {
  readonly #world: World;
  readonly #owners = new Map<string, WorkloadEndpoint>();
  readonly #slices = new Map<string, ServiceSlice[]>();
  /** By namespace; cluster-wide ones under the empty name. */
  readonly #policies = new Map<string, Policy[]>();

  constructor(world: World) {
    this.#world = world;
    for (const endpoint of world.workloadEndpoints.values()) {
      for (const address of endpoint.addresses) this.#owners.set(formatAddress(address), endpoint);
    }
    for (const slice of world.serviceSlices.values()) {
      for (const address of slice.addresses) addTo(this.#slices, formatAddress(address), slice);
    }
    for (const policy of world.policies.values()) addTo(this.#policies, policy.namespace ?? '', policy);
  }

  endpointAt(address: IpAddress): WorkloadEndpoint | undefined {
    return this.#owners.get(formatAddress(address));
  }

  evaluate(flow: Flow): FlowVerdict {
    return new ReferenceEvaluator(this.#around([flow.source, flow.destination])).evaluate(flow);
  }

  /** Policies of a namespace govern nobody else; who is not at one of the addresses is no member of any set that counts. */
  #around(addresses: readonly IpAddress[]): World {
    const texts = addresses.map(formatAddress);
    const owners = texts.flatMap((text) => this.#owners.get(text) ?? []);
    const namespaces = new Set(['', ...owners.map(({ namespace }) => namespace)]);
    const policies = [...namespaces].flatMap((namespace) => this.#policies.get(namespace) ?? []);
    const slices = texts.flatMap((text) => this.#slices.get(text) ?? []);
    return {
      ...this.#world,
      workloadEndpoints: byKey(owners),
      policies: byKey(policies),
      serviceSlices: byKey(slices),
    };
  }
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function byKey<T extends { readonly key: string }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [object.key, object]));
}
