// NetworkSet and GlobalNetworkSet resources -> NetworkSet.
import type { ResourceOf } from '../../resources/resource.ts';
import type { NetworkSet } from '../endpoint.ts';
import { NAMESPACE_LABEL } from '../selector/scope.ts';
import { namespaceProfileName } from './profiles.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { parseNets } from './rules.ts';

/** Sets in a namespace have its label and inherit from its profile. */
export function parseNetworkSet(resource: ResourceOf<'NetworkSet' | 'GlobalNetworkSet'>): ParseResult {
  const { spec, namespace, name, metadata, id, location } = resource;
  const set: NetworkSet = {
    type: 'networkSet',
    key: id,
    namespace,
    name,
    nets: parseNets(spec.nets),
    labels: namespace === undefined ? metadata.labels : { ...metadata.labels, [NAMESPACE_LABEL]: namespace },
    profiles: namespace === undefined ? [] : [namespaceProfileName(namespace)],
    location,
  };
  return new ParseContext(resource as never).result(set);
}
