// The network of the traffic tests: two hosts with two workloads each, and an outsider, on one link; and the policy between them.
// Plain data: nothing here starts or asks anything.
import type { WorkloadSpec } from '../../../tools/lab/topology.ts';

export interface HostLayout {
  readonly name: string;
  readonly linkAddresses: readonly [string, string];
  readonly addresses: readonly string[];
  readonly subnets: readonly string[];
  readonly workloads: readonly WorkloadSpec[];
}

function workload(host: number, name: string, number: number): WorkloadSpec {
  return { name, hostInterface: `cali${name}`, addresses: [`10.77.${host}.${number}`, `fd77:${host}::${number}`] };
}

function layout(host: number, linkNumber: number, workloads: readonly WorkloadSpec[]): HostLayout {
  return {
    name: `host${host}`,
    linkAddresses: [`192.168.77.${linkNumber}`, `fd77::${linkNumber}`],
    addresses: [`10.77.${host}.1`, `fd77:${host}::1`],
    subnets: [`10.77.${host}.0/24`, `fd77:${host}::/64`],
    workloads,
  };
}

export const HOSTS = [
  layout(1, 11, [workload(1, 'web', 10), workload(1, 'one', 11)]),
  layout(2, 12, [workload(2, 'api', 20), workload(2, 'two', 21)]),
] as const;

export const OUTSIDER = { name: 'outsider', addresses: ['192.168.77.13', 'fd77::13'] } as const;

/** Where every peer listens; iperf3 has its own port. */
export const OPEN_PORT = 7000;
export const CLOSED_PORT = 7001;
export const IPERF_PORT = 5201;

const PING = [
  { action: 'Allow', protocol: 'ICMP', icmp: { type: 8 } },
  { action: 'Allow', protocol: 'ICMPv6', icmp: { type: 128 } },
];

function ports(list: readonly number[], more: object = {}): object[] {
  return ['TCP', 'UDP'].map((protocol) => ({ action: 'Allow', protocol, destination: { ports: list, ...more } }));
}

function endpoint(node: string, { name, hostInterface, addresses }: WorkloadSpec): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { name: `${node}-k8s-${name}-eth0`, namespace: 'traffic', labels: { app: name } },
    spec: {
      node,
      orchestrator: 'k8s',
      pod: name,
      endpoint: 'eth0',
      interfaceName: hostInterface,
      ipNetworks: addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
      profiles: ['kns.traffic'],
    },
  };
}

function policy(
  app: string,
  rules: { readonly ingress: readonly object[]; readonly egress: readonly object[] },
): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: app, namespace: 'traffic' },
    spec: { order: 100, selector: `app == '${app}'`, types: ['Ingress', 'Egress'], ...rules },
  };
}

function from(app: string, rules: readonly object[]): object[] {
  return rules.map((rule) => ({ ...rule, source: { selector: `app == '${app}'` } }));
}

/**
 * Both hosts get all of it. web and api talk to each other on the open port, iperf3's and by ping; one may ask two by UDP, two may
 * ask nobody; the outsider may ask api, by TCP.
 */
export function manifests(): object[] {
  const open = ports([OPEN_PORT, IPERF_PORT]);
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'traffic' } },
    ...HOSTS.flatMap(({ name, workloads }) => workloads.map((one) => endpoint(name, one))),
    {
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkSet',
      metadata: { name: 'outsider', namespace: 'traffic', labels: { role: 'outsider' } },
      spec: { nets: OUTSIDER.addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`) },
    },
    policy('web', { ingress: from('api', [...open, ...PING]), egress: [...open, ...PING] }),
    policy('api', {
      ingress: [
        ...from('web', [...open, ...PING]),
        {
          action: 'Allow',
          protocol: 'TCP',
          source: { selector: "role == 'outsider'" },
          destination: { ports: [OPEN_PORT] },
        },
      ],
      egress: [...open, ...PING],
    }),
    policy('one', { ingress: [], egress: ports([OPEN_PORT], { selector: "app == 'two'" }).slice(1) }),
    policy('two', { ingress: from('one', ports([OPEN_PORT])), egress: [] }),
  ];
}
