// EndpointSlice -> ServiceSlice.
//
// An endpoint is a backend while it serves: `serving`, else `ready`, else yes. So endpoints that terminate but still
// serve stay, and those that do not serve are no part of the service. (Calico counts every endpoint.)
// Every backend offers every port that has a number; the ports' names say nothing, their protocol is TCP unless given.
import { protocolNumber } from '../../resources/protocols.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import { parseAddress } from '../address.ts';
import type { NamedPort, ServiceSlice } from '../endpoint.ts';
import { ParseContext, type ParseResult } from './result.ts';

type SliceSpec = ResourceOf<'EndpointSlice'>['spec'];
type SliceEndpoint = NonNullable<SliceSpec['endpoints']>[number];

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Slices of no service, and those of host names, become nothing. */
export function parseEndpointSlice(resource: ResourceOf<'EndpointSlice'>): ParseResult {
  const context = new ParseContext(resource);
  const { spec, metadata, name, location } = resource;
  const namespace = resource.namespace ?? 'default';
  const service = metadata.labels[SERVICE_NAME_LABEL] ?? '';
  if (service === '' || spec.addressType === 'FQDN') return context.result();
  const texts = (spec.endpoints ?? []).filter(serves).flatMap((endpoint) => endpoint.addresses);
  const slice: ServiceSlice = {
    type: 'serviceSlice',
    key: `${namespace}/${name}`,
    namespace,
    service,
    addresses: texts.map(parseAddress).filter((address) => address !== undefined),
    ports: slicePorts(spec.ports),
    location,
  };
  return context.result(slice);
}

function serves({ conditions }: SliceEndpoint): boolean {
  return conditions?.serving ?? conditions?.ready ?? true;
}

function slicePorts(ports: SliceSpec['ports']): NamedPort[] {
  const result: NamedPort[] = [];
  for (const { name = '', protocol, port } of ports ?? []) {
    const number = protocolNumber(protocol ?? 'TCP');
    if (port !== undefined && number !== undefined) result.push({ name, protocol: number, port });
  }
  return result;
}
