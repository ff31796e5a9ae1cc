// What the stack of a namespace itself counts of IP, and a network in which nothing but the traffic of a test is counted.
import { HOST, type Lab } from '../../../tools/lab/namespaces.ts';
import { GUEST_INTERFACE } from '../../../tools/lab/topology.ts';

export type Family = 'v4' | 'v6';

export interface Octets {
  readonly sent: number;
  readonly received: number;
}

interface Link {
  readonly ifname: string;
  readonly address: string;
}

interface Route {
  readonly dst: string;
  readonly dev: string;
  readonly gateway?: string;
}

/** IP headers and all behind them, as the namespace's stack counts them since it was made. */
export async function octetsOf(lab: Lab, name: string): Promise<Readonly<Record<Family, Octets>>> {
  const { stdout } = await lab.exec(name, ['cat', '/proc/net/netstat', '/proc/net/snmp6']);
  const lines = stdout.split('\n');
  const [names = '', values = ''] = lines.filter((line) => line.startsWith('IpExt:'));
  const columns = values.split(' ');
  const v4 = new Map(names.split(' ').map((field, index) => [field, Number(columns[index])]));
  const v6 = new Map(lines.map((line) => line.split(/\s+/)).map(([field = '', value]) => [field, Number(value)]));
  const octets = (counts: ReadonlyMap<string, number>, sent: string, received: string): Octets => ({
    sent: counts.get(sent) ?? Number.NaN,
    received: counts.get(received) ?? Number.NaN,
  });
  return { v4: octets(v4, 'OutOctets', 'InOctets'), v6: octets(v6, 'Ip6OutOctets', 'Ip6InOctets') };
}

/**
 * Has every guest and the host know each other for good, and no guest ask for a router: of IPv6, the stack counts neighbour
 * discovery as well, which belongs to the link and to no flow.
 */
export async function stillNeighbours(lab: Lab): Promise<void> {
  const { workloads, outsiders = [] } = lab.spec;
  const hostLinks = new Map((await ipJson<Link>(lab, HOST, 'link')).map(({ ifname, address }) => [ifname, address]));
  for (const { name, hostInterface, ...guest } of [...workloads, ...outsiders]) {
    const [link] = (await ipJson<Link>(lab, name, 'link')).filter(({ ifname }) => ifname === GUEST_INTERFACE);
    const addresses =
      'addresses' in guest ? guest.addresses : guest.subnets.map(({ outsider }) => outsider.replace(/\/.*/, ''));
    const routes = await ipJson<Route>(lab, name, '-6', 'route');
    const gateway = routes.find(({ dst }) => dst === 'default')?.gateway as string;
    await lab.exec(name, ['tee', `/proc/sys/net/ipv6/conf/${GUEST_INTERFACE}/accept_ra`], '0');
    await keep(lab, name, gateway, hostLinks.get(hostInterface) as string, GUEST_INTERFACE);
    for (const address of addresses.filter((one) => one.includes(':'))) {
      await keep(lab, HOST, address, (link as Link).address, hostInterface);
    }
  }
}

async function ipJson<T>(lab: Lab, name: string, ...words: readonly string[]): Promise<T[]> {
  return JSON.parse((await lab.exec(name, ['ip', '-json', ...words])).stdout) as T[];
}

function keep(lab: Lab, name: string, address: string, mac: string, device: string): Promise<unknown> {
  return lab.exec(name, ['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', device, 'nud', 'permanent']);
}
