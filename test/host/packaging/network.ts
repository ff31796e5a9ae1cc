// One workload behind one interface in a machine: a namespace, an address of the machine that policy allows it to reach and one that
// it does not. Who may reach what shows whether somebody enforces.
import type { Machine } from './machine.ts';

const POD = '10.94.0.2';
const ALLOWED = '10.94.1.1';
const DENIED = '10.94.1.2';

/** Of a pod whose interface is `cali` and its name. */
export const endpointOf = (pod: string, address: string, namespace = 'lab'): object => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'WorkloadEndpoint',
  metadata: { name: `n-k8s-${pod.replaceAll('-', '--')}-eth0`, namespace, labels: { app: pod } },
  spec: {
    node: 'n',
    orchestrator: 'k8s',
    pod,
    endpoint: 'eth0',
    interfaceName: `cali${pod}`,
    ipNetworks: [`${address}/32`],
  },
});

/** Manifests of the workload and of its policy, as one file. */
export const MANIFEST = [
  endpointOf('pod', POD),
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: 'ping', namespace: 'lab' },
    spec: {
      selector: "app == 'pod'",
      types: ['Egress'],
      egress: [{ action: 'Log' }, { action: 'Allow', protocol: 'ICMP', destination: { nets: [`${ALLOWED}/32`] } }],
    },
  },
]
  .map((object) => JSON.stringify(object))
  .join('\n---\n');

/** Makes the interface; it is calipod's that the agent waits for. */
export async function plug(machine: Pick<Machine, 'run'>): Promise<void> {
  const lines = [
    'ip netns add pod',
    'ip link add calipod type veth peer name eth0 netns pod',
    `ip addr add ${ALLOWED}/32 dev lo`,
    `ip addr add ${DENIED}/32 dev lo`,
    'ip link set lo up',
    'ip addr add 169.254.1.1/32 dev calipod',
    'ip link set calipod up',
    `ip route add ${POD}/32 dev calipod`,
    `ip -n pod addr add ${POD}/32 dev eth0`,
    'ip -n pod link set eth0 up',
    'ip -n pod route add 169.254.1.1 dev eth0',
    'ip -n pod route add default via 169.254.1.1 dev eth0',
  ];
  await machine.run('sh', '-ec', lines.join('\n'));
}

const SECOND = '10.94.0.3';
const SECOND_FILE = '/etc/tortie/manifests/second.yaml';

const SECOND_MANIFEST = [
  endpointOf('second', SECOND),
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: 'probes', namespace: 'lab' },
    spec: {
      order: 1,
      selector: 'has(app)',
      types: ['Ingress', 'Egress'],
      ingress: ['TCP', 'UDP'].map((protocol) => ({ action: 'Allow', protocol, destination: { ports: [7] } })),
      egress: [
        ...['TCP', 'UDP'].map((protocol) => ({ action: 'Allow', protocol, destination: { ports: [7] } })),
        { action: 'Pass' },
      ],
    },
  },
]
  .map((object) => JSON.stringify(object))
  .join('\n---\n');

/** A second workload, and policy that lets the two probe each other and changes nothing else. */
export async function plugSecond(machine: Pick<Machine, 'run'>): Promise<void> {
  const lines = [
    'sysctl -qw net.ipv4.ip_forward=1',
    'ip netns add second',
    'ip link add calisecond type veth peer name eth0 netns second',
    'ip addr add 169.254.1.1/32 dev calisecond',
    'ip link set calisecond up',
    `ip route add ${SECOND}/32 dev calisecond`,
    `ip -n second addr add ${SECOND}/32 dev eth0`,
    'ip -n second link set eth0 up',
    'ip -n second route add 169.254.1.1 dev eth0',
    'ip -n second route add default via 169.254.1.1 dev eth0',
    `cat > ${SECOND_FILE} <<'END'\n${SECOND_MANIFEST}\nEND`,
  ];
  await machine.run('sh', '-ec', lines.join('\n'));
}

export async function unplugSecond(machine: Pick<Machine, 'run'>): Promise<void> {
  await machine.run('sh', '-ec', `rm ${SECOND_FILE}\nip netns del second`);
}

export type Reach = 'what policy allows' | 'nothing' | 'everything' | 'what policy denies';

/** What the workload reaches. */
export async function reach(machine: Pick<Machine, 'succeeds'>): Promise<Reach> {
  const ping = (address: string): Promise<boolean> =>
    machine.succeeds('ip', 'netns', 'exec', 'pod', 'ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', address);
  const [allowed, denied] = await Promise.all([ping(ALLOWED), ping(DENIED)]);
  if (allowed) return denied ? 'everything' : 'what policy allows';
  return denied ? 'what policy denies' : 'nothing';
}
