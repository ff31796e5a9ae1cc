// What an image has for each interface of a host: whose lists apply there, as endpoint ids. The path evaluator looks it up by
// name; kernel/host-table.ts has it as the words that programs look up by number. Pure.
import type { DesiredState, ResolvedHostEndpoint } from '../calc/resolved.ts';
import {
  endpointOfInterface,
  type HostInterface,
  type InterfaceKind,
  resolveInterfaces,
} from '../model/host-interfaces.ts';
import { HOST_SCOPES, type HostScope } from '../model/policy.ts';
import { hostListKey } from './host-list-key.ts';
import type { TableImage } from './image.ts';

export interface HostEntry {
  readonly kind: InterfaceKind;
  /** undefined = no host endpoint is responsible. At a workload's interface those of `*`. */
  readonly lists: HostLists | undefined;
}

export interface HostLists {
  /** Of the host endpoint in the desired state. */
  readonly key: string;
  readonly name: string;
  /** Endpoint id of each list that there is: where its policy bases are in the image. */
  readonly ids: { readonly [S in HostScope]?: number };
}

export interface HostEntries {
  readonly byName: ReadonlyMap<string, HostEntry>;
  /** Of host interfaces that are not among those given. */
  readonly others: HostEntry;
}

/** The image is one of the desired state. */
export function hostEntries(
  { hostEndpoints }: Pick<DesiredState, 'hostEndpoints'>,
  interfaces: readonly HostInterface[],
  { endpointIds }: Pick<TableImage, 'endpointIds'>,
): HostEntries {
  const lists = new Map<string, HostLists>();
  for (const [key, host] of hostEndpoints) lists.set(host.endpoint.name, listsOf(key, host, endpointIds));
  const endpoints = [...hostEndpoints.values()].map(({ endpoint }) => endpoint);
  const resolved = resolveInterfaces(endpoints, interfaces);
  const any = resolved.any === undefined ? undefined : lists.get(resolved.any.name);
  const listsAt = ({ name, kind }: HostInterface): HostLists | undefined => {
    if (kind === 'loopback') return undefined;
    if (kind === 'workload') return any;
    const endpoint = endpointOfInterface(resolved, name);
    return endpoint === undefined ? undefined : lists.get(endpoint.name);
  };
  return {
    byName: new Map(interfaces.map((each) => [each.name, { kind: each.kind, lists: listsAt(each) }])),
    others: { kind: 'host', lists: any },
  };
}

function listsOf(
  key: string,
  { endpoint, scopes }: ResolvedHostEndpoint,
  endpointIds: TableImage['endpointIds'],
): HostLists {
  const present = HOST_SCOPES.filter((scope) => scopes[scope] !== undefined);
  const ids = present.map((scope) => [scope, endpointIds.get(hostListKey(key, scope))] as const);
  return { key, name: endpoint.name, ids: Object.fromEntries(ids) };
}
