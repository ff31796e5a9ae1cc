// The network of an arena as `ip -batch` lines, computed from its description. Pure: no command is run, and the names of namespaces
// are handed in.
import type { GuestSpec } from './arena-spec.ts';

/** A guest with everything that its description left open. */
export interface Guest extends GuestSpec {
  readonly mac: string;
  readonly namespace: string;
  /** The guest's side of the pair. */
  readonly device: string;
}

/** Batch lines, each list for one namespace; the router's links come first, its routes last. */
export interface ArenaPlan {
  readonly routerLinks: readonly string[];
  readonly guests: ReadonlyMap<string, readonly string[]>;
  readonly routerRoutes: readonly string[];
}

/** The router's side of every pair has this address, as Calico's hosts have. */
export const ROUTER_MAC = 'ee:ee:ee:ee:ee:ee';
const GATEWAY = { 4: '169.254.1.1', 6: 'fe80::1' } as const;
const OUTSIDE = { 4: '169.254.1.2', 6: 'fe80::2' } as const;

/** Settings of the router, by value, as paths under /proc/sys/net; written before any interface exists there. */
export const ROUTER_SYSCTLS: Readonly<Record<string, readonly string[]>> = {
  '1': ['ipv4/ip_forward', 'ipv6/conf/all/forwarding', 'ipv6/conf/default/forwarding'],
  '0': ['ipv4/conf/all/rp_filter', 'ipv4/conf/default/rp_filter', 'ipv6/conf/default/accept_dad'],
};

export function completeGuests(specs: readonly GuestSpec[]): Guest[] {
  const seen = new Map<string, number>();
  return specs.map((spec, index) => {
    const namespace = spec.namespace ?? spec.name;
    const device = `eth${seen.get(namespace) ?? 0}`;
    seen.set(namespace, (seen.get(namespace) ?? 0) + 1);
    return { ...spec, namespace, device, mac: spec.mac ?? madeUpMac(index) };
  });
}

/** `namespaceOf` gives the real namespace by the name that guests call it. */
export function planArena(guests: readonly Guest[], namespaceOf: (name: string) => string): ArenaPlan {
  const lines = new Map<string, string[]>(guests.map(({ namespace }) => [namespace, ['link set lo up']]));
  for (const guest of guests) lines.get(guest.namespace)?.push(...guestLines(guest));
  return {
    routerLinks: ['link set lo up', ...guests.flatMap((guest) => linkLines(guest, namespaceOf(guest.namespace)))],
    guests: lines,
    routerRoutes: guests.flatMap(routeLines),
  };
}

/** Locally administered, and different for each. */
function madeUpMac(index: number): string {
  const bytes = [0x02, 0x74, 0x74, 0, (index + 1) >>> 8, (index + 1) & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function linkLines({ hostInterface, device, mac }: Guest, namespace: string): string[] {
  return [
    `link add ${hostInterface} address ${ROUTER_MAC} type veth peer name ${device} address ${mac} netns ${namespace}`,
    `link set ${hostInterface} addrgenmode none`,
    `link set ${hostInterface} up`,
  ];
}

// Neighbours are told to both ends: no packet of a measurement waits for one to be found.
function guestLines({ device, addresses }: Guest): string[] {
  return [
    `link set ${device} addrgenmode none`,
    `link set ${device} up`,
    ...addresses.map((address) => `addr add ${hostPrefix(address)} dev ${device}${isV6(address) ? ' nodad' : ''}`),
    ...families(addresses).flatMap((family) => [
      `neigh replace ${GATEWAY[family]} lladdr ${ROUTER_MAC} dev ${device} nud permanent`,
      // Guests that share a namespace inject their packets; the first one's route is as good as any.
      `route append default via ${GATEWAY[family]} dev ${device} onlink`,
    ]),
  ];
}

function routeLines({ hostInterface, addresses, mac, isOutside }: Guest): string[] {
  const own = addresses.flatMap((address) => [
    `route add ${hostPrefix(address)} dev ${hostInterface}`,
    `neigh replace ${address} lladdr ${mac} dev ${hostInterface} nud permanent`,
  ]);
  if (isOutside !== true) return own;
  const rest = ([4, 6] as const).flatMap((family) => [
    `neigh replace ${OUTSIDE[family]} lladdr ${mac} dev ${hostInterface} nud permanent`,
    `route add default via ${OUTSIDE[family]} dev ${hostInterface} onlink`,
  ]);
  return [...own, ...rest];
}

function families(addresses: readonly string[]): (4 | 6)[] {
  return ([4, 6] as const).filter((family) => addresses.some((address) => isV6(address) === (family === 6)));
}

function isV6(address: string): boolean {
  return address.includes(':');
}

function hostPrefix(address: string): string {
  return `${address}/${isV6(address) ? 128 : 32}`;
}
