// Ports that say what a service is: how it is called, and whether it is one that everybody is meant to reach. Data only.
import { PROTOCOL } from '../../model/flow.ts';

const { TCP, UDP } = PROTOCOL;

export const SSH_PORT = 22;
export const DHCP_CLIENT = 68;
export const DHCP_CLIENTS: ReadonlySet<number> = new Set([DHCP_CLIENT, 546]);
export const DHCP_SERVERS: ReadonlySet<number> = new Set([67, 547]);
export const NTP_PORT = 123;
export const DNS_PORT = 53;
export const WEB_PORTS: readonly number[] = [80, 443];
export const QUIC_PORT = 443;

interface KnownService {
  readonly name: string;
  readonly protocol: number;
  readonly port: number;
  /** Whoever runs one means it to be reached from everywhere. */
  readonly isPublic?: true;
}

/** Each name once: sets of addresses are called by it. */
export const KNOWN_SERVICES: readonly KnownService[] = [
  { name: 'smtp', protocol: TCP, port: 25, isPublic: true },
  { name: 'dns-tcp', protocol: TCP, port: 53 },
  { name: 'dns', protocol: UDP, port: 53 },
  { name: 'http', protocol: TCP, port: 80, isPublic: true },
  { name: 'rpcbind', protocol: TCP, port: 111 },
  { name: 'ntp', protocol: UDP, port: 123 },
  { name: 'imap', protocol: TCP, port: 143, isPublic: true },
  { name: 'snmp', protocol: UDP, port: 161 },
  { name: 'https', protocol: TCP, port: 443, isPublic: true },
  { name: 'quic', protocol: UDP, port: 443, isPublic: true },
  { name: 'smtps', protocol: TCP, port: 465, isPublic: true },
  { name: 'ike', protocol: UDP, port: 500, isPublic: true },
  { name: 'submission', protocol: TCP, port: 587, isPublic: true },
  { name: 'imaps', protocol: TCP, port: 993, isPublic: true },
  { name: 'openvpn', protocol: UDP, port: 1194, isPublic: true },
  { name: 'nfs', protocol: TCP, port: 2049 },
  { name: 'etcd', protocol: TCP, port: 2379 },
  { name: 'mysql', protocol: TCP, port: 3306 },
  { name: 'ike-nat', protocol: UDP, port: 4500, isPublic: true },
  { name: 'vxlan', protocol: UDP, port: 4789 },
  { name: 'mdns', protocol: UDP, port: 5353 },
  { name: 'postgres', protocol: TCP, port: 5432 },
  { name: 'redis', protocol: TCP, port: 6379 },
  { name: 'kubernetes-api', protocol: TCP, port: 6443 },
  { name: 'elasticsearch', protocol: TCP, port: 9200 },
  { name: 'kubelet', protocol: TCP, port: 10250 },
  { name: 'mongodb', protocol: TCP, port: 27017 },
  { name: 'wireguard', protocol: UDP, port: 51820, isPublic: true },
];

/** `postgres`, or `tcp-9100`; fit to be part of a name of an object. */
export function serviceName(protocol: number, port: number): string {
  return known(protocol, port)?.name ?? `${protocol === TCP ? 'tcp' : 'udp'}-${port}`;
}

/** Everybody is meant to reach it. */
export function isPublicService(protocol: number, port: number): boolean {
  return known(protocol, port)?.isPublic === true;
}

/** A tunnel or VPN, whose socket the kernel may hold itself among the ports of outgoing connections. */
export function isTunnel(protocol: number, port: number): boolean {
  return protocol === UDP && ['ike', 'ike-nat', 'openvpn', 'vxlan', 'wireguard'].includes(serviceName(protocol, port));
}

function known(protocol: number, port: number): KnownService | undefined {
  return KNOWN_SERVICES.find((each) => each.protocol === protocol && each.port === port);
}
