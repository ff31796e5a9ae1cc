// Cluster addresses of services: where translation happens behind the hook of the sender, they are what its policy sees.
import { type IpAddress, parseAddress } from '../../model/address.ts';
import type { Resource } from '../../resources/resource.ts';

/** By `<namespace>/<name>`. */
export type ClusterAddresses = ReadonlyMap<string, readonly IpAddress[]>;

/** Of services that have any. */
export function clusterAddressesOf(resources: Iterable<Resource>): ClusterAddresses {
  const found = new Map<string, readonly IpAddress[]>();
  for (const resource of resources) {
    if (resource.type !== 'Service') continue;
    const { clusterIP, clusterIPs } = resource.spec;
    const texts = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]);
    const addresses = texts.flatMap((text) => parseAddress(text) ?? []);
    if (addresses.length > 0) found.set(`${resource.namespace ?? ''}/${resource.name}`, addresses);
  }
  return found;
}
