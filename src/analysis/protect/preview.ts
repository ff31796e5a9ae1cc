// Flows that were seen, judged by policy that is not in force: which of them it would deny, and by which rule.
import type { IpAddress } from '../../model/address.ts';
import type { Flow } from '../../model/flow.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';
import type { PathFlow, StageVerdict } from '../../model/path.ts';
import { ReferencePathEvaluator } from '../../model/reference/path-evaluator.ts';
import type { World } from '../../model/world.ts';
import type { SeenFlow } from './observation.ts';

export interface DeniedFlow {
  readonly flow: SeenFlow;
  readonly by: StageVerdict;
}

export interface PreviewHost {
  readonly interfaces: readonly HostInterface[];
  readonly isLocal: (endpoint: { readonly node: string }) => boolean;
  /** By which the machine reaches an address; undefined = it does not. */
  readonly interfaceTo: (address: IpAddress) => string | undefined;
}

/** In the order of the flows. What the machine has no way to is not judged. */
export function deniedFlows(world: World, flows: readonly SeenFlow[], host: PreviewHost): DeniedFlow[] {
  const evaluator = new ReferencePathEvaluator(world, host.interfaces, host.isLocal);
  return flows.flatMap((flow) => {
    const name = host.interfaceTo(flow.remote);
    if (name === undefined) return [];
    const { verdict, stages } = evaluator.evaluatePath(packetOf(flow, name));
    const by = stages.at(-1);
    return verdict === 'deny' && by !== undefined ? [{ flow, by }] : [];
  });
}

/** The first packet of the flow. */
function packetOf({ direction, protocol, local, localPort, remote, remotePort }: SeenFlow, name: string): PathFlow {
  const icmp = { icmpType: 0, icmpCode: 0 };
  if (direction === 'in') {
    const ends = { source: remote, sourcePort: remotePort, destination: local, destinationPort: localPort };
    return { flow: { protocol, ...ends, ...icmp } satisfies Flow, path: { kind: 'to-host', in: name } };
  }
  const ends = { source: local, sourcePort: localPort, destination: remote, destinationPort: remotePort };
  return { flow: { protocol, ...ends, ...icmp } satisfies Flow, path: { kind: 'from-host', out: name } };
}
