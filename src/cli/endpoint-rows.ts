// Local endpoints as tables show them, workloads' and the host's alike. Pure.
import type { EndpointStatus } from '../agent/endpoint-binder.ts';
import type { HostEndpointStatus } from '../agent/host-endpoint-status.ts';
import type { AgentStatus } from '../agent/status.ts';

export type ListedEndpoint = EndpointStatus | HostEndpointStatus;

/** Agents of the version before know no host endpoints. */
export function listedEndpoints({
  endpoints,
  hostEndpoints = [],
}: Pick<AgentStatus, 'endpoints'> & Partial<Pick<AgentStatus, 'hostEndpoints'>>): ListedEndpoint[] {
  return [...endpoints, ...hostEndpoints];
}

/** One for all interfaces may have thousands. */
const SHOWN = 4;

/** What `tortie endpoint get` takes. */
export function nameOfListed(item: ListedEndpoint): string {
  return 'endpoint' in item ? item.endpoint : `hostendpoint/${item.hostEndpoint}`;
}

/** Titles and cells. */
export function endpointRows(items: readonly ListedEndpoint[]): [string[], string[][]] {
  const rows = items.map((item) => [
    nameOfListed(item),
    'interface' in item ? item.interface : someOf(item.interfaces),
    item.state,
    item.reason,
  ]);
  return [['ENDPOINT', 'INTERFACE', 'STATE', 'REASON'], rows];
}

function someOf(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(' ')} and ${more} more` : names.join(' ');
}
