// The endpoints of a policy as guests of an arena: those that have an address and an interface of their own, and one
// guest for everybody else.
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import type { GuestSpec } from './arena-spec.ts';
import { OUTSIDE } from './compare-flows.ts';

/** All guests are in one namespace: they inject packets, and need no stacks. */
const NAMESPACE = 'guests';
const OUTSIDE_INTERFACE = 'tbench-outside';
const MAX_NAME = 15;

export interface Guests {
  readonly specs: readonly GuestSpec[];
  /** Endpoints that are no guests: without address or interface, or beyond the limit. */
  readonly leftOut: number;
}

/** At most `limit` endpoints, in the order of their keys, by which their guests are named. */
export function guestsOf({ endpoints }: DesiredState, limit: number): Guests {
  const taken = new Set([OUTSIDE_INTERFACE]);
  const specs: GuestSpec[] = [];
  const sorted = [...endpoints.values()].map(({ endpoint }) => endpoint).sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const { key, interfaceName, addresses, mac } of sorted) {
    const isUsable = interfaceName !== '' && interfaceName.length <= MAX_NAME && !taken.has(interfaceName);
    if (specs.length >= limit || !isUsable || addresses.length === 0) continue;
    taken.add(interfaceName);
    specs.push({
      name: key,
      hostInterface: interfaceName,
      addresses: addresses.map(formatAddress),
      mac,
      namespace: NAMESPACE,
    });
  }
  const outside = {
    name: OUTSIDE,
    hostInterface: OUTSIDE_INTERFACE,
    addresses: [],
    namespace: NAMESPACE,
    isOutside: true,
  };
  return { specs: [...specs, outside], leftOut: sorted.length - specs.length };
}
