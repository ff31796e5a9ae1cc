// A machine on which others write packet filters too: firewalld, Docker with two containers, libvirt with a network and a guest on it,
// and NetworkManager, who owns the uplink. Behind that is somebody with three addresses who asks for everything.
import type { Machine } from '../packaging/machine.ts';

/** What Debian calls them, and what the tests ask with. */
export const PACKAGES = [
  'docker.io',
  'firewalld',
  'network-manager',
  'dbus',
  'libvirt-daemon-system',
  'libvirt-clients',
  'dnsmasq-base',
  'busybox-static',
  'curl',
];
export const UNITS = ['firewalld', 'docker', 'libvirtd', 'NetworkManager'].map((name) => `${name}.service`);

export const UPLINK = 'uplink0';
export const HOST = '192.0.2.1';
/** Of the one behind the uplink. */
export const FRIEND = '192.0.2.2';
export const STRANGER = '192.0.2.3';
export const RIVAL = '192.0.2.4';
export const GUEST = '192.168.122.50';
/** Of the host itself; firewalld lets nobody reach it. */
export const OWN_PORT = 9000;
/** Docker publishes two containers: port of the host, port of the container. */
export const WEB = { published: 8080, port: 80 } as const;
export const ADMIN = { published: 8081, port: 81 } as const;

const NETWORK = [
  'ip netns add far',
  `ip link add ${UPLINK} type veth peer name eth0 netns far`,
  'ip -n far link set eth0 up',
  ...[FRIEND, STRANGER, RIVAL].map((address) => `ip -n far address add ${address}/24 dev eth0`),
  `nmcli --wait 30 connection add type ethernet con-name ${UPLINK} ifname ${UPLINK} ipv4.method manual ipv4.addresses ${HOST}/24 ipv6.method disabled`,
  `nmcli --wait 30 connection up ${UPLINK}`,
];

const CONTAINERS = [
  'mkdir -p /root/image/bin',
  'cp "$(command -v busybox)" /root/image/bin/busybox',
  'tar -C /root/image -c . | docker import - web',
  ...Object.entries({ web: WEB, admin: ADMIN }).map(
    ([name, { published, port }]) =>
      `docker run -d --restart always --stop-signal KILL --name ${name} -p ${published}:${port} web /bin/busybox httpd -f -p ${port} -h /bin`,
  ),
];

const GUESTS = [
  'virsh net-start default',
  'ip netns add guest',
  'ip link add vguest type veth peer name eth0 netns guest',
  'ip link set vguest master virbr0 up',
  'ip -n guest link set eth0 up',
  `ip -n guest address add ${GUEST}/24 dev eth0`,
  'ip -n guest route add default via 192.168.122.1',
];

const SERVICES = [
  `systemd-run --quiet busybox httpd -f -p ${OWN_PORT} -h /root/image/bin`,
  `ip netns exec far busybox httpd -p ${OWN_PORT} -h /root/image/bin`,
];

/** All of them at work. */
export async function moveIn(machine: Machine): Promise<void> {
  await machine.run('sh', '-ec', [...NETWORK, ...CONTAINERS, ...GUESTS, ...SERVICES].join('\n'));
}

/** Their rules as they wrote them, without counters. */
export async function rulesOfOthers(machine: Machine): Promise<string> {
  const { stdout: nft } = await machine.run('nft', '--stateless', 'list', 'ruleset');
  const { stdout: iptables } = await machine.run('iptables-save');
  const { stdout: ip6tables } = await machine.run('ip6tables-save');
  const legacy = `${iptables}${ip6tables}`.replace(/^#.*\n/gm, '').replace(/\[\d+:\d+\]/g, '');
  return `${nft}${legacy}`;
}

/** Whether a file comes from there over HTTP. */
export function fetches(
  machine: Machine,
  where: { readonly in: 'far' | 'guest'; readonly from?: string; readonly to: string; readonly port: number },
): Promise<boolean> {
  const source = where.from === undefined ? [] : ['--interface', where.from];
  const url = `http://${where.to}:${where.port}/busybox`;
  return machine.succeeds(
    ...['ip', 'netns', 'exec', where.in, 'curl', '--silent', '--fail', '--max-time', '3', '--output', '/dev/null'],
    ...source,
    url,
  );
}

/** Whether libvirt's server gives the guest a lease. */
export function hasLease(machine: Machine): Promise<boolean> {
  return machine.succeeds(
    ...[
      'ip',
      'netns',
      'exec',
      'guest',
      'busybox',
      'udhcpc',
      '-i',
      'eth0',
      '-n',
      '-q',
      '-t',
      '5',
      '-T',
      '1',
      '-s',
      '/bin/true',
    ],
  );
}
