// What a node's host endpoints go by besides policy: ports that no policy closes, and what becomes of packets from
// workloads to their own host. As written, and as it holds for one node.
import { type Cidr, parseCidr } from './address.ts';
import type { SourceLocation } from './location.ts';
import type { Direction } from './policy.ts';

export interface Failsafe {
  /** IP protocol number: TCP or UDP. */
  readonly protocol: number;
  readonly port: number;
  /** Of the other end: the source of what comes in, the destination of what goes out. undefined = anybody. */
  readonly net?: Cidr;
}

/** After egress policy and preDNAT policy: `return` leaves the packet to the host's own rules. */
export type EndpointToHostAction = 'drop' | 'accept' | 'return';

/** One object's say; undefined = it says nothing about that. */
export interface HostSettings {
  readonly type: 'hostSettings';
  /** `default` for every node, `node.<name>` for one. */
  readonly key: string;
  readonly failsafes: { readonly [D in Direction]?: readonly Failsafe[] };
  readonly endpointToHost?: EndpointToHostAction;
  readonly location: SourceLocation;
}

export interface NodeSettings {
  /** Inbound ports are of ingress, outbound ones of egress. */
  readonly failsafes: Readonly<Record<Direction, readonly Failsafe[]>>;
  readonly endpointToHost: EndpointToHostAction;
}

const [TCP, UDP] = [6, 17];
const BGP_ETCD_TYPHA_API = [179, 2379, 2380, 5473, 6443, 6666, 6667];

/**
 * What holds where nothing is written: SSH, DHCP, DNS, BGP, etcd, Typha and the Kubernetes API stay reachable, and so does a
 * workload's own host: here Calico itself would drop, but installs say otherwise, in settings that no manifest shows.
 */
export const DEFAULT_NODE_SETTINGS: NodeSettings = Object.freeze({
  failsafes: Object.freeze({
    ingress: ports([[TCP, 22], [UDP, 68], ...BGP_ETCD_TYPHA_API.map((port) => [TCP, port] as const)]),
    egress: ports([[UDP, 53], [UDP, 67], ...BGP_ETCD_TYPHA_API.map((port) => [TCP, port] as const)]),
  }),
  endpointToHost: 'return',
});

export const SETTINGS_FOR_ALL = 'default';

/** Name of the settings of one node. */
export function nodeSettingsKey(node: string): string {
  return `node.${node}`;
}

/** What holds for the node: its own settings before those of all nodes, field by field. */
export function settingsOfNode(settings: ReadonlyMap<string, HostSettings>, node: string): NodeSettings {
  const layers = [settings.get(nodeSettingsKey(node)), settings.get(SETTINGS_FOR_ALL)];
  const failsafesOf = (direction: Direction): readonly Failsafe[] =>
    layers.find((layer) => layer?.failsafes[direction] !== undefined)?.failsafes[direction] ??
    DEFAULT_NODE_SETTINGS.failsafes[direction];
  return {
    failsafes: { ingress: failsafesOf('ingress'), egress: failsafesOf('egress') },
    endpointToHost:
      layers.find((layer) => layer?.endpointToHost !== undefined)?.endpointToHost ??
      DEFAULT_NODE_SETTINGS.endpointToHost,
  };
}

/** The failsafe of a port; `net` is text that has been checked. */
export function failsafeOf(protocol: number, port: number, net: string | undefined): Failsafe {
  const cidr = net === undefined ? undefined : parseCidr(net);
  return cidr === undefined ? { protocol, port } : { protocol, port, net: cidr };
}

function ports(pairs: readonly (readonly [protocol: number, port: number])[]): readonly Failsafe[] {
  return Object.freeze(pairs.map(([protocol, port]) => Object.freeze({ protocol, port })));
}
