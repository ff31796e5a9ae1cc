// What hosts say and hear besides their services, and how a protected host takes it: the table of docs/hosts.md, as packets.

/** `always`: no policy is asked. `failsafe`: by a port that is open where nobody says otherwise. `policy`: by a rule alone. */
export type Admission = 'always' | 'failsafe' | 'policy';

export interface HostPacket {
  readonly what: string;
  readonly admission: Admission;
  readonly hook: 'to-host' | 'from-host';
  readonly source: string;
  readonly destination: string;
  /** A number, with ports or with type and code where the protocol has them. */
  readonly protocol: number;
  readonly ports?: readonly [source: number, destination: number];
  readonly icmp?: readonly [type: number, code: number];
}

const [V4, V6, LINK] = ['192.0.2.1', '2001:db8::1', 'fe80::1'] as const;
const [FAR_V4, FAR_V6, LINK_PEER] = ['192.0.2.9', '2001:db8::9', 'fe80::9'] as const;
const [ICMP, IGMP, IPIP, TCP, UDP, ICMPV6, OSPF, VRRP] = [1, 2, 4, 6, 17, 58, 89, 112] as const;

const always: readonly HostPacket[] = [
  discovery('router solicitation', 'from-host', LINK, 'ff02::2', 133),
  discovery('router advertisement of the link', 'to-host', LINK_PEER, 'ff02::1', 134),
  discovery('neighbour solicitation of the link', 'to-host', LINK_PEER, 'ff02::1:ff00:1', 135),
  discovery('neighbour solicitation between global addresses', 'to-host', FAR_V6, V6, 135),
  discovery('neighbour solicitation for an address nobody has', 'from-host', '::', 'ff02::1:ff00:1', 135),
  discovery('neighbour advertisement', 'from-host', V6, FAR_V6, 136),
  discovery('multicast listener query', 'to-host', LINK_PEER, 'ff02::1', 130),
  discovery('multicast listener report', 'from-host', LINK, 'ff02::fb', 131),
  discovery('multicast listener report, version 2', 'from-host', LINK, 'ff02::16', 143),
  discovery('multicast listener done', 'from-host', LINK, 'ff02::2', 132),
  service('DHCPv6 request', 'always', 'from-host', LINK, 'ff02::1:2', UDP, 546, 547),
  service('DHCPv6 reply', 'always', 'to-host', LINK_PEER, LINK, UDP, 547, 546),
];

const failsafe: readonly HostPacket[] = [
  service('DHCP request', 'failsafe', 'from-host', '0.0.0.0', '255.255.255.255', UDP, 68, 67),
  service('DHCP reply', 'failsafe', 'to-host', FAR_V4, V4, UDP, 67, 68),
  service('DNS question', 'failsafe', 'from-host', V4, FAR_V4, UDP, 40000, 53),
  service('SSH', 'failsafe', 'to-host', FAR_V6, V6, TCP, 40000, 22),
  service('etcd', 'failsafe', 'from-host', V4, FAR_V4, TCP, 40000, 2379),
  service('Kubernetes API', 'failsafe', 'to-host', FAR_V4, V4, TCP, 40000, 6443),
  service('BGP, of a neighbour', 'failsafe', 'to-host', FAR_V4, V4, TCP, 40000, 179),
  service('BGP, to a neighbour', 'failsafe', 'from-host', V6, FAR_V6, TCP, 40000, 179),
];

const policy: readonly HostPacket[] = [
  message('ICMP echo request', 'to-host', FAR_V4, V4, ICMP, [8, 0]),
  message('ICMPv6 echo request', 'to-host', FAR_V6, V6, ICMPV6, [128, 0]),
  message('ICMP error that cites no known flow', 'to-host', FAR_V4, V4, ICMP, [3, 4]),
  message('ICMPv6 error that cites no known flow', 'to-host', FAR_V6, V6, ICMPV6, [2, 0]),
  message('router advertisement from afar', 'to-host', FAR_V6, V6, ICMPV6, [134, 0]),
  message('ICMP redirect', 'to-host', FAR_V4, V4, ICMP, [5, 1]),
  message('ICMPv6 redirect', 'to-host', LINK_PEER, LINK, ICMPV6, [137, 0]),
  service('DHCPv6 reply from afar', 'policy', 'to-host', FAR_V6, LINK, UDP, 547, 546),
  service('DHCPv6 reply to a global address', 'policy', 'to-host', LINK_PEER, V6, UDP, 547, 546),
  service('DHCPv6 request beyond the link', 'policy', 'from-host', LINK, 'ff05::1:3', UDP, 546, 547),
  service('DHCPv6 request of no client', 'policy', 'from-host', LINK, 'ff02::1:2', UDP, 40000, 547),
  service('DHCPv6 request to a server', 'policy', 'to-host', LINK_PEER, 'ff02::1:2', UDP, 546, 547),
  message('IGMP report', 'from-host', V4, '224.0.0.22', IGMP),
  message('IGMP query', 'to-host', FAR_V4, '224.0.0.1', IGMP),
  message('VRRP', 'to-host', FAR_V4, '224.0.0.18', VRRP),
  message('OSPF', 'to-host', FAR_V4, '224.0.0.5', OSPF),
  message('OSPF of version 3', 'to-host', LINK_PEER, 'ff02::5', OSPF),
  service('BFD', 'policy', 'to-host', FAR_V4, V4, UDP, 49152, 3784),
  service('WireGuard', 'policy', 'to-host', FAR_V4, V4, UDP, 51820, 51820),
  service('VXLAN', 'policy', 'to-host', FAR_V4, V4, UDP, 40000, 4789),
  message('IP in IP', 'to-host', FAR_V4, V4, IPIP),
  service('mDNS', 'policy', 'to-host', LINK_PEER, 'ff02::fb', UDP, 5353, 5353),
  service('NTP question', 'policy', 'from-host', V4, FAR_V4, UDP, 40000, 123),
];

export const HOST_PACKETS: readonly HostPacket[] = [...always, ...failsafe, ...policy];

function discovery(
  what: string,
  hook: HostPacket['hook'],
  source: string,
  destination: string,
  type: number,
): HostPacket {
  return { what, admission: 'always', hook, source, destination, protocol: ICMPV6, icmp: [type, 0] };
}

function message(
  what: string,
  hook: HostPacket['hook'],
  source: string,
  destination: string,
  protocol: number,
  icmp?: HostPacket['icmp'],
): HostPacket {
  const packet = { what, admission: 'policy', hook, source, destination, protocol } as const;
  return icmp === undefined ? packet : { ...packet, icmp };
}

function service(
  what: string,
  admission: Admission,
  hook: HostPacket['hook'],
  source: string,
  destination: string,
  protocol: number,
  ...ports: readonly [source: number, destination: number]
): HostPacket {
  return { what, admission, hook, source, destination, protocol, ports };
}
