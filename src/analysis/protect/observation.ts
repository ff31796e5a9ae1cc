// What was seen of a machine: its interfaces, the sockets that listen, the flows that run. Data only: who reads it from the
// kernel is not known here.
import { type Cidr, containsAddress, type IpAddress, parseCidr } from '../../model/address.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';

/** A socket that takes connections or datagrams. */
export interface Listener {
  /** TCP or UDP. */
  readonly protocol: number;
  /** All zero = every address of the machine. */
  readonly address: IpAddress;
  readonly port: number;
  /** Command name of who holds it; undefined = the kernel, or somebody who cannot be seen. */
  readonly process?: string;
}

/** A flow between this machine and another, as seen from here. */
export interface SeenFlow {
  /** Who began it: `in` = the other end. */
  readonly direction: 'in' | 'out';
  readonly protocol: number;
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  readonly process?: string;
}

export interface SshSession {
  readonly client: IpAddress;
  readonly clientPort: number;
  readonly server: IpAddress;
  readonly serverPort: number;
}

export interface HostObservation {
  readonly node: string;
  readonly interfaces: readonly HostInterface[];
  readonly listeners: readonly Listener[];
  readonly flows: readonly SeenFlow[];
  readonly sessions: readonly SshSession[];
  /** Not those on loopback: what a resolver of this machine asks itself. */
  readonly nameServers: readonly IpAddress[];
  /** Ports from which the machine's own connections begin, first and last. */
  readonly ephemeralPorts: readonly [first: number, last: number];
  /** Packets for others are passed on. */
  readonly isForwarding: boolean;
}

const LOOPBACKS = ['127.0.0.0/8', '::1/128'].map((text) => parseCidr(text) as Cidr);

export function isLoopback(address: IpAddress): boolean {
  return LOOPBACKS.some((net) => containsAddress(net, address));
}

/** `0.0.0.0` and `::`. */
export function isAnyAddress({ words }: IpAddress): boolean {
  return words.every((word) => word === 0);
}
