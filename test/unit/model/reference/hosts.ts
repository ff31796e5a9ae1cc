// One host for tests of its policy: interfaces, a workload, and manifests in short.
import { parseAddress } from '../../../../src/model/address.ts';
import { PROTOCOL } from '../../../../src/model/flow.ts';
import type { HostInterface } from '../../../../src/model/host-interfaces.ts';
import type { Path, PathFlow, PathVerdict } from '../../../../src/model/path.ts';
import { ReferencePathEvaluator } from '../../../../src/model/reference/path-evaluator.ts';
import { worldFrom } from '../../../support/world-from.ts';

export const OUTSIDE = '198.51.100.7';
export const HOST = '192.0.2.1';
export const POD = '10.65.0.2';

/** eth0 has the host's address, cali1 leads to the pod. */
const INTERFACES: readonly HostInterface[] = [
  { name: 'eth0', kind: 'host', addresses: [addressOf(HOST)] },
  { name: 'eth1', kind: 'host', addresses: [] },
  { name: 'cali1', kind: 'workload', addresses: [] },
  { name: 'lo', kind: 'loopback', addresses: [addressOf('127.0.0.1')] },
];

/** A pod that may do everything, behind cali1. */
export const POD_MANIFEST = `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: default, name: n1-k8s-w-eth0}
spec: {node: n1, orchestrator: k8s, pod: w, endpoint: eth0, interfaceName: cali1, ipNetworks: [${POD}], profiles: [projectcalico-default-allow]}`;

/** A host endpoint of node n1 with label hep == "true"; spec as flow-style YAML. */
export function hep(name: string, spec: string): string {
  return `
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: ${name}, labels: {hep: "true", name: ${name}}}
spec: {node: n1, ${spec}}`;
}

export function gnp(name: string, spec: string): string {
  return `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: ${name}}
spec: {selector: hep == "true", ${spec}}`;
}

export function felix(spec: string, name = 'default'): string {
  return `
apiVersion: projectcalico.org/v3
kind: FelixConfiguration
metadata: {name: ${name}}
spec: {${spec}}`;
}

/** A TCP packet from somewhere to a port, unless parts say otherwise. */
export function tcp(path: Path, parts: Partial<Parts> = {}): PathFlow {
  const { from = OUTSIDE, to = HOST, port = 8055, sourcePort = 40000, protocol = PROTOCOL.TCP, sentTo } = parts;
  const flow = {
    source: addressOf(from),
    destination: addressOf(to),
    protocol,
    sourcePort,
    destinationPort: port,
    icmpType: 0,
    icmpCode: 0,
  };
  if (sentTo === undefined) return { flow, path };
  return { flow, path, beforeNat: { destination: addressOf(sentTo.address), destinationPort: sentTo.port } };
}

interface Parts {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly sourcePort: number;
  readonly protocol: number;
  readonly sentTo: { readonly address: string; readonly port: number };
}

export function judge(manifests: readonly string[], packet: PathFlow): PathVerdict {
  return new ReferencePathEvaluator(worldFrom(manifests.join('\n---')), INTERFACES).evaluatePath(packet);
}

/** `allow: untracked next, normal allow`. */
export function inShort({ verdict, stages }: PathVerdict): string {
  const said = stages.map((stage) => `${stage.stage} ${stage.direction} ${stage.endpoint} ${stage.verdict}`);
  return [verdict, ...said].join(', ');
}

function addressOf(text: string): HostInterface['addresses'][number] {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(`no address: ${text}`);
  return address;
}
