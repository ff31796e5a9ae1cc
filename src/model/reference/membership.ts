// Who an address is: the endpoints and network sets that contain it, with their effective labels.
// Part of the reference evaluator; answers are looked up by walking the whole world, remembered per address only.
import { containsAddress, formatAddress, type IpAddress } from '../address.ts';
import type { HostEndpoint, NetworkSet, ServiceSlice, WorkloadEndpoint } from '../endpoint.ts';
import type { ServiceReference } from '../policy.ts';
import type { Selector } from '../selector/ast.ts';
import { matches } from '../selector/evaluate.ts';
import type { World } from '../world.ts';

type Holder = WorkloadEndpoint | HostEndpoint | NetworkSet;

export class Membership {
  readonly #world: World;
  readonly #holders = new Map<string, readonly Holder[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The label's value on an endpoint or set: its own, else that of the first listed profile that has it. */
  label(holder: Holder, name: string): string | undefined {
    if (Object.hasOwn(holder.labels, name)) return holder.labels[name];
    for (const profileName of holder.profiles) {
      const labels = this.#world.profiles.get(profileName)?.labels;
      if (labels !== undefined && Object.hasOwn(labels, name)) return labels[name];
    }
    return undefined;
  }

  isHolderSelected(holder: Holder, selector: Selector): boolean {
    return matches(selector, (name) => this.label(holder, name));
  }

  /** Whether some endpoint or network set that the selector matches contains the address. */
  isSelected(address: IpAddress, selector: Selector): boolean {
    return this.#holdersOf(address).some((holder) => this.isHolderSelected(holder, selector));
  }

  /** Whether an endpoint with the address, matched by the selector, defines the port under that name. */
  hasNamedPort(
    address: IpAddress,
    selector: Selector | undefined,
    name: string,
    protocol: number,
    port: number,
  ): boolean {
    return this.#holdersOf(address).some(
      (holder) =>
        holder.type !== 'networkSet' &&
        (selector === undefined || this.isHolderSelected(holder, selector)) &&
        holder.ports.some((item) => item.name === name && item.protocol === protocol && item.port === port),
    );
  }

  isBackend(address: IpAddress, service: ServiceReference): boolean {
    return this.#slices(service).some((slice) => hasAddress(slice.addresses, address));
  }

  isBackendPort(address: IpAddress, service: ServiceReference, protocol: number, port: number): boolean {
    return this.#slices(service).some(
      (slice) =>
        hasAddress(slice.addresses, address) &&
        slice.ports.some((item) => item.protocol === protocol && item.port === port),
    );
  }

  #slices(service: ServiceReference): ServiceSlice[] {
    return [...this.#world.serviceSlices.values()].filter(
      (slice) => slice.namespace === service.namespace && slice.service === service.name,
    );
  }

  #holdersOf(address: IpAddress): readonly Holder[] {
    const key = formatAddress(address);
    const known = this.#holders.get(key);
    if (known !== undefined) return known;
    const { workloadEndpoints, hostEndpoints, networkSets } = this.#world;
    const holders: Holder[] = [
      ...[...workloadEndpoints.values()].filter((endpoint) => hasAddress(endpoint.addresses, address)),
      ...[...hostEndpoints.values()].filter((endpoint) => hasAddress(endpoint.addresses, address)),
      ...[...networkSets.values()].filter((set) => set.nets.some((net) => containsAddress(net, address))),
    ];
    this.#holders.set(key, holders);
    return holders;
  }
}

function hasAddress(addresses: readonly IpAddress[], address: IpAddress): boolean {
  return addresses.some(
    (item) => item.family === address.family && item.words.every((word, index) => word === address.words[index]),
  );
}
