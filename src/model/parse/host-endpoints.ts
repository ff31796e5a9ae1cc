// HostEndpoint resources -> HostEndpoint.
import type { ResourceOf } from '../../resources/resource.ts';
import { parseAddress } from '../address.ts';
import type { HostEndpoint } from '../endpoint.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { namedPorts } from './workload-endpoints.ts';

export function parseHostEndpoint(resource: ResourceOf<'HostEndpoint'>): ParseResult {
  const { spec, name, metadata, location } = resource;
  const endpoint: HostEndpoint = {
    type: 'hostEndpoint',
    key: name,
    name,
    node: spec.node,
    interfaceName: spec.interfaceName ?? '',
    addresses: (spec.expectedIPs ?? []).map(parseAddress).filter((address) => address !== undefined),
    labels: metadata.labels,
    profiles: spec.profiles ?? [],
    ports: namedPorts(spec.ports),
    location,
  };
  return new ParseContext(resource).result(endpoint);
}
