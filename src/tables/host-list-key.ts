// The name under which each list of a host endpoint has an endpoint id of its own: where an image has its policy bases.
import type { HostScope } from '../model/policy.ts';

/** endpointKey as in DesiredState.hostEndpoints. */
export function hostListKey(endpointKey: string, scope: HostScope): string {
  return `${endpointKey}/${scope}`;
}
