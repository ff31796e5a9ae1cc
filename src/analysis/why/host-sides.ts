// Ends of a flow that are no workload's but an endpoint of a host's: what its policy for the host's own traffic says.
import { formatAddress, type IpAddress } from '../../model/address.ts';
import type { HostEndpoint } from '../../model/endpoint.ts';
import type { Flow } from '../../model/flow.ts';
import type { Direction } from '../../model/policy.ts';
import { ReferenceHostLists } from '../../model/reference/host-lists.ts';
import { combineSides, type FlowVerdict, type SideVerdict } from '../../model/verdict.ts';
import type { World } from '../../model/world.ts';

/** What is known of the machine that is asked about. */
export interface HostSurroundings {
  /** Whose endpoints have a say. */
  readonly isLocal: (host: HostEndpoint) => boolean;
  /** Of the interfaces that each endpoint is responsible for, by its name, as addresses are written. */
  readonly found?: ReadonlyMap<string, readonly string[]>;
}

/**
 * The verdict with what such policy says, by the addresses that are on the interfaces of endpoints, else by those that
 * endpoints list (expectedIPs). Where a workload's own policy is asked, a host's is not: what goes between a host and its own
 * workloads does not pass an interface that it governs. Nor does what a machine sends to itself.
 */
export function withHostSides(
  world: World,
  flow: Flow,
  verdict: FlowVerdict,
  { isLocal, found = new Map() }: HostSurroundings,
): FlowVerdict {
  if (verdict.egress !== null || verdict.ingress !== null) return verdict;
  const hosts = [...world.hostEndpoints.values()].filter(isLocal);
  const foundAt = (address: IpAddress): HostEndpoint | undefined =>
    hosts.find(({ name }) => found.get(name)?.includes(formatAddress(address)));
  if (foundAt(flow.source) !== undefined && foundAt(flow.destination) !== undefined) return verdict;
  const lists = new ReferenceHostLists(world);
  const side = (direction: Direction, address: IpAddress): SideVerdict | null => {
    const text = formatAddress(address);
    const listed = (): HostEndpoint | undefined =>
      hosts.find(({ addresses }) => addresses.some((own) => formatAddress(own) === text));
    const host = foundAt(address) ?? listed();
    const said = host && lists.evaluate(host, 'normal', direction, flow);
    if (host === undefined || said === undefined) return null;
    const { trace, isLogged, pending } = said;
    return {
      endpoint: `host ${host.name}`,
      verdict: said.verdict === 'allow' ? 'allow' : 'deny',
      trace,
      isLogged,
      ...(pending && { pending: { verdict: pending.verdict === 'allow' ? 'allow' : 'deny', trace: pending.trace } }),
    };
  };
  return combineSides(side('egress', flow.source), side('ingress', flow.destination));
}
