// The lab's network as `ip -batch` lines, computed from its description: addresses, routes and links as Calico lays them out.
// Pure: nothing here runs a command or knows the names of namespaces on this machine, beyond what it is handed.

/** A network namespace whose only way out is a veth pair to the host namespace: a pod. */
export interface WorkloadSpec {
  readonly name: string;
  /** Host side of the veth pair, at most 15 characters. */
  readonly hostInterface: string;
  /** Bare addresses of either family. */
  readonly addresses: readonly string[];
  /** Workload side; the kernel picks one if absent. */
  readonly mac?: string;
  /** Its namespace exists, its interface does not yet: see Lab.addInterface. */
  readonly isUnplugged?: boolean;
}

/** A machine on an ordinary subnet next to the host: not a workload, and routed by the host. */
export interface OutsiderSpec {
  readonly name: string;
  readonly hostInterface: string;
  /** One per family: both ends of the subnet, with prefix lengths, e.g. `192.0.2.1/24` and `192.0.2.10/24`. */
  readonly subnets: readonly { readonly host: string; readonly outsider: string }[];
}

export interface LabSpec {
  readonly workloads: readonly WorkloadSpec[];
  readonly outsiders?: readonly OutsiderSpec[];
  /** The host's own addresses, on its loopback, e.g. to send ICMP errors from. */
  readonly hostAddresses?: readonly string[];
}

/** Batch lines, each list for one namespace; run in the order of the members. */
export interface TopologyPlan {
  readonly hostLinks: readonly string[];
  readonly guests: ReadonlyMap<string, readonly string[]>;
  readonly hostRoutes: readonly string[];
}

export const DEFAULT_HOST_ADDRESSES: readonly string[] = ['172.31.255.1', 'fd00:ff::1'];

/** Calico's link-local gateway: no interface has it, the host answers ARP for it by proxy. */
export const GATEWAY_V4 = '169.254.1.1';
/** What SLAAC derives from HOST_SIDE_MAC. */
export const GATEWAY_V6 = 'fe80::ecee:eeff:feee:eeee';
/** Calico gives every host-side interface of a workload this address. */
export const HOST_SIDE_MAC = 'ee:ee:ee:ee:ee:ee';
/** The interface inside every workload and outsider. */
export const GUEST_INTERFACE = 'eth0';

const GUEST_LINK_LOCAL = 'fe80::2/64';

function isV6(address: string): boolean {
  return address.includes(':');
}

function hostRoute(address: string): string {
  return `${address}/${isV6(address) ? 128 : 32}`;
}

// Duplicate address detection would keep addresses unusable for a second or two.
function addAddress(prefix: string, device: string): string {
  return `addr add ${prefix} dev ${device}${isV6(prefix) ? ' nodad' : ''}`;
}

function workloadLinkLines(workload: WorkloadSpec, namespace: string): string[] {
  const device = workload.hostInterface;
  const mac = workload.mac === undefined ? '' : ` address ${workload.mac}`;
  return [
    `link add ${device} address ${HOST_SIDE_MAC} type veth peer name ${GUEST_INTERFACE}${mac} netns ${namespace}`,
    `link set ${device} addrgenmode none`,
    `link set ${device} up`,
    // A proxied ARP answer otherwise waits for up to 0.8 s.
    `ntable change name arp_cache dev ${device} proxy_delay 0`,
    addAddress(`${GATEWAY_V6}/64`, device),
  ];
}

function workloadLines(workload: WorkloadSpec): string[] {
  const device = GUEST_INTERFACE;
  return [
    'link set lo up',
    `link set ${device} addrgenmode none`,
    `link set ${device} up`,
    addAddress(GUEST_LINK_LOCAL, device),
    ...workload.addresses.map((address) => addAddress(hostRoute(address), device)),
    `route add ${GATEWAY_V4} dev ${device} scope link`,
    `route add 0.0.0.0/0 via ${GATEWAY_V4} dev ${device}`,
    `route add ::/0 via ${GATEWAY_V6} dev ${device}`,
  ];
}

function workloadRouteLines(workload: WorkloadSpec): string[] {
  return workload.addresses.map((address) => `route add ${hostRoute(address)} dev ${workload.hostInterface}`);
}

function outsiderLinkLines(outsider: OutsiderSpec, namespace: string): string[] {
  const device = outsider.hostInterface;
  return [
    `link add ${device} type veth peer name ${GUEST_INTERFACE} netns ${namespace}`,
    `link set ${device} up`,
    ...outsider.subnets.map((subnet) => addAddress(subnet.host, device)),
  ];
}

function outsiderLines(outsider: OutsiderSpec): string[] {
  return [
    'link set lo up',
    `link set ${GUEST_INTERFACE} up`,
    ...outsider.subnets.map((subnet) => addAddress(subnet.outsider, GUEST_INTERFACE)),
    ...outsider.subnets.map((subnet) => {
      const gateway = subnet.host.replace(/\/.*/, '');
      return `route add ${isV6(gateway) ? '::/0' : '0.0.0.0/0'} via ${gateway} dev ${GUEST_INTERFACE}`;
    }),
  ];
}

/** One workload's part of the network, for one whose interface comes later than the lab or comes again. */
export interface WorkloadPlan {
  readonly hostLinks: readonly string[];
  readonly guest: readonly string[];
  readonly hostRoutes: readonly string[];
}

/** Batch lines for one workload, in the order of the members; `namespace` is its real name. */
export function planWorkload(workload: WorkloadSpec, namespace: string): WorkloadPlan {
  return {
    hostLinks: workloadLinkLines(workload, namespace),
    guest: workloadLines(workload),
    hostRoutes: workloadRouteLines(workload),
  };
}

/** The whole network of a lab. `namespaceOf` gives the real namespace of a workload or outsider by its name. */
export function planTopology(spec: LabSpec, namespaceOf: (name: string) => string): TopologyPlan {
  const outsiders = spec.outsiders ?? [];
  const hostAddresses = spec.hostAddresses ?? DEFAULT_HOST_ADDRESSES;
  const plugged = spec.workloads.filter((workload) => workload.isUnplugged !== true);
  const guests = new Map<string, readonly string[]>(spec.workloads.map((workload) => [workload.name, []]));
  for (const workload of plugged) guests.set(workload.name, workloadLines(workload));
  for (const outsider of outsiders) guests.set(outsider.name, outsiderLines(outsider));
  return {
    hostLinks: [
      'link set lo up',
      ...hostAddresses.map((address) => addAddress(hostRoute(address), 'lo')),
      // Proxy ARP answers only for what is routed out of another interface than the one that asked.
      `route add ${GATEWAY_V4}/32 dev lo scope link`,
      ...plugged.flatMap((workload) => workloadLinkLines(workload, namespaceOf(workload.name))),
      ...outsiders.flatMap((outsider) => outsiderLinkLines(outsider, namespaceOf(outsider.name))),
    ],
    guests,
    hostRoutes: plugged.flatMap(workloadRouteLines),
  };
}

/** Settings, by value, as paths under /proc/sys/net. */
export type Sysctls = Readonly<Record<string, readonly string[]>>;

/** Of every namespace: "refused" and "unreachable" are told by ICMP errors, which the kernel else limits to a few a second. */
export const GUEST_SYSCTLS: Sysctls = {
  '0': ['ipv4/icmp_ratemask', 'ipv6/icmp/ratelimit'],
  // Only a type that nobody sends counts towards the limit on all destinations together.
  '127': ['ipv6/icmp/ratemask'],
};

/** Of the host namespace; written before any interface exists there. */
export const HOST_SYSCTLS: Sysctls = {
  ...GUEST_SYSCTLS,
  '1': ['ipv4/ip_forward', 'ipv4/conf/default/proxy_arp', 'ipv6/conf/all/forwarding', 'ipv6/conf/default/forwarding'],
  '0': [
    ...(GUEST_SYSCTLS['0'] ?? []),
    'ipv4/conf/all/rp_filter',
    'ipv4/conf/default/rp_filter',
    'ipv6/conf/default/accept_dad',
  ],
};
