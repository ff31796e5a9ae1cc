// A dataplane with pins, small tables and a few endpoints, without an agent. What comes of it is not known here.
import { desiredStateOf } from '../../../src/agent/offline.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import { Dataplane, type DataplaneOptions } from '../../../src/kernel/dataplane.ts';
import { DEFAULT_MAP_SIZES } from '../../../src/kernel/object.ts';
import type { EndpointBinding } from '../../../src/kernel/wiring.ts';
import { worldFrom } from '../../support/world-from.ts';

const SMALL = { heapWords: 2 ** 21, v6Nodes: 2 ** 12, flows: 4096, fragments: 64, flowCache: 64, eventBytes: 65536 };

export function openSmall(bpffs: string, pinRoot: string, options: Partial<DataplaneOptions> = {}): Promise<Dataplane> {
  return Dataplane.open({
    bpffs,
    pinRoot,
    sizes: { ...DEFAULT_MAP_SIZES, ...SMALL, endpoints: 8 },
    attachMode: 'tcx',
    keepEstablished: false,
    eventBudget: 0,
    ...options,
  });
}

/** Of so many endpoints, `pod0` and on, at 10.0.0.1 and on. */
export function desiredPods(count: number): DesiredState {
  const pods = Array.from({ length: count }, (_, index) => {
    const status = `status: { podIPs: [{ ip: 10.0.0.${index + 1} }] }`;
    return `apiVersion: v1\nkind: Pod\nmetadata: { namespace: lab, name: pod${index} }\nspec: { nodeName: n1 }\n${status}\n`;
  });
  return desiredStateOf(worldFrom(pods.join('---\n')), '*');
}

/** Each endpoint behind an interface number of its own, from 100 on. */
export function bindAll({ endpoints }: DesiredState): EndpointBinding[] {
  return [...endpoints].map(([key, { endpoint }], index) => ({
    key,
    ifindex: 100 + index,
    hostMac: '',
    mac: '',
    peerDelivery: false,
    checkMac: false,
    mtu: 1500,
    addresses: endpoint.addresses,
    allowedSourcePrefixes: endpoint.allowedSourcePrefixes,
  }));
}
