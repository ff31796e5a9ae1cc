// What of a machine policy is tied to, and what that comes to with an image: endpoints at interfaces, lists of the host's own
// interfaces. Pure; who writes it into the kernel is dataplane.ts.
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import { settingsOfNode } from '../model/host-settings.ts';
import { hostEntries } from '../tables/host-entries.ts';
import type { TableImage } from '../tables/image.ts';
import type { BoundEndpoint } from './endpoint-writer.ts';
import { buildHostTable, type HostTable, NO_TABLE, type NumberedInterface } from './host-table.ts';

/** What binds an endpoint of the desired state to an interface, all but its id. */
export type EndpointBinding = Omit<BoundEndpoint, 'id'>;

/** Each list is the very one of the last time for as long as it says the same. */
export interface Wiring {
  readonly bindings: readonly EndpointBinding[];
  /** All that there are; empty where no policy asks for any. */
  readonly interfaces: readonly NumberedInterface[];
}

export function isSameWiring(a: Wiring, b: Wiring | undefined): boolean {
  return a.bindings === b?.bindings && a.interfaces === b.interfaces;
}

/** What is to be in force at the host's interfaces. The image is one of the desired state. */
export function hostTableOf(desired: DesiredState, { bindings, interfaces }: Wiring, image: TableImage): HostTable {
  if (interfaces.length === 0) return NO_TABLE;
  const cutOff = bindings.filter(({ key }) => {
    const node = desired.endpoints.get(key)?.endpoint.node;
    return node !== undefined && settingsOfNode(desired.hostSettings, node).endpointToHost === 'drop';
  });
  const ifindexes = new Set(cutOff.map(({ ifindex }) => ifindex));
  return buildHostTable(hostEntries(desired, interfaces, image), interfaces, ifindexes);
}

/** Lists of addresses are those of the model, which are never changed. */
export function isSameBound(a: BoundEndpoint, b: BoundEndpoint | undefined): boolean {
  const names = Object.keys(a) as (keyof BoundEndpoint)[];
  return b !== undefined && names.every((name) => a[name] === b[name]);
}

/** Whether an address is another endpoint's than it was. */
export function hasOwnerChanged(former: readonly BoundEndpoint[], bound: readonly BoundEndpoint[]): boolean {
  const owners = ownersOf(former);
  for (const [address, key] of ownersOf(bound)) {
    const before = owners.get(address);
    if (before !== undefined && before !== key) return true;
  }
  return false;
}

function ownersOf(endpoints: readonly BoundEndpoint[]): Map<string, string> {
  return new Map(endpoints.flatMap(({ key, addresses }) => addresses.map((address) => [formatAddress(address), key])));
}
