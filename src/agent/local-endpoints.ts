// Endpoints of this node by what other parts of the agent know them by. Only looks things up.
import { DataplaneError } from '../base/errors.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { NetworkLink } from '../kernel/native.ts';
import { interfaceOf } from './endpoint-binder.ts';

/** Key of the endpoint behind each interface that is there. */
export function keysByIfindex(
  desired: DesiredState,
  links: ReadonlyMap<string, NetworkLink>,
  manual: ReadonlyMap<string, string>,
): Map<number, string> {
  const keys = new Map<number, string>();
  for (const [key, { endpoint }] of desired.endpoints) {
    const link = links.get(interfaceOf(endpoint, manual));
    if (link !== undefined) keys.set(link.ifindex, key);
  }
  return keys;
}

/** Throws NOT_FOUND for an endpoint whose interface nobody has given by hand. */
export function requireGiven(endpoint: string, isGiven: boolean): void {
  if (isGiven) return;
  throw new DataplaneError('NOT_FOUND', 'no interface was given by hand', {
    operation: 'remove endpoint',
    target: endpoint,
  });
}

/** Throws NOT_FOUND unless an endpoint has that key, or is called so. */
export function requireEndpoint({ endpoints }: DesiredState, name: string): void {
  for (const { endpoint } of endpoints.values()) {
    if (endpoint.displayName === name || endpoint.key === name) return;
  }
  throw new DataplaneError('NOT_FOUND', 'no such local workload endpoint', {
    operation: 'add endpoint',
    target: name,
    expected: '<namespace>/<pod> of a WorkloadEndpoint or Pod in the manifests',
  });
}
