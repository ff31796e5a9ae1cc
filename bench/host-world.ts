// The world of the benchmarks about a host itself: one endpoint for all its interfaces under n rules, each about an address and a port
// of its own. No rule but the last, which allows, is about what is measured; one denies a port.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestSpec, SentFlow } from '../src/bench/arena-spec.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { PROTOCOL } from '../src/model/flow.ts';

export const CLIENT = 'client';
export const SERVER = 'server';
/** Who sends through the host. */
export const SENDER = 'sender';
const ADDRESSES = { [CLIENT]: '10.66.0.2', [SENDER]: '10.66.0.4' } as const;
export const SERVER_ADDRESS = '10.66.0.3';
/** Of the router: the host that is protected. */
export const HOST_ADDRESS = '10.66.0.1';
export const OPEN_PORT = 5201;
export const CLOSED_PORT = 1;

export const GUESTS: readonly GuestSpec[] = [
  { name: CLIENT, hostInterface: 'uplink0', addresses: [ADDRESSES[CLIENT]], mac: '02:74:74:00:00:01' },
  { name: SERVER, hostInterface: 'uplink1', addresses: [SERVER_ADDRESS], mac: '02:74:74:00:00:02' },
  { name: SENDER, hostInterface: 'uplink2', addresses: [ADDRESSES[SENDER]], mac: '02:74:74:00:00:03' },
];

const RULES_PER_POLICY = 1000;
const FIRST_PORT = 10_000;
const PORTS = 1000;

/** To the host or through it. */
export function udpPacket(from: keyof typeof ADDRESSES, to: string, port: number): SentFlow {
  const flow = {
    source: parseAddress(ADDRESSES[from]) as IpAddress,
    destination: parseAddress(to) as IpAddress,
    protocol: PROTOCOL.UDP,
    sourcePort: 40_000,
    destinationPort: port,
    icmpType: 0,
    icmpCode: 0,
  };
  return { from, flow };
}

/** For the agent: one file for each object. At least two rules. */
export function writeHostManifests(directory: string, rules: number): void {
  mkdirSync(directory, { recursive: true });
  for (const [index, manifest] of manifests(rules).entries()) {
    writeFileSync(join(directory, `${index}.yaml`), JSON.stringify(manifest));
  }
}

/** The same policy for nft, as its users would write it: established connections first, then one look into a set. */
export function nftRules(rules: number): string {
  const elements = denied(rules).map(({ source, port, protocol }) => `${source} . ${protocol} . ${port}`);
  const chain = (hook: string): string => `  chain ${hook} {
    type filter hook ${hook} priority 0; policy accept;
    ct state established,related accept
    ip saddr . meta l4proto . th dport @denied drop
    meta l4proto { tcp, udp } th dport ${CLOSED_PORT} drop
  }`;
  return `table inet bench {
  set denied {
    type ipv4_addr . inet_proto . inet_service
    elements = { ${elements.join(', ')} }
  }
${chain('input')}
${chain('forward')}
}
`;
}

/** And for iptables-restore: established connections first, then rule by rule. */
export function iptablesRules(rules: number): string {
  const drop = (protocol: string, port: number, source: string): string =>
    `-A RULES ${source}-p ${protocol} -m ${protocol} --dport ${port} -j DROP`;
  return [
    '*filter',
    ':INPUT ACCEPT',
    ':FORWARD ACCEPT',
    ':RULES -',
    '-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    '-A INPUT -j RULES',
    '-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    '-A FORWARD -j RULES',
    ...denied(rules).map(({ source, port, protocol }) => drop(protocol, port, `-s ${source}/32 `)),
    ...(['tcp', 'udp'] as const).map((protocol) => drop(protocol, CLOSED_PORT, '')),
    'COMMIT',
    '',
  ].join('\n');
}

interface Denied {
  readonly source: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** Every other one of TCP. */
function denied(rules: number): Denied[] {
  return Array.from({ length: rules - 2 }, (_, index) => ({
    source: `198.18.${index >>> 8}.${index & 255}`,
    protocol: index % 2 === 0 ? ('tcp' as const) : ('udp' as const),
    port: FIRST_PORT + (index % PORTS),
  }));
}

function manifests(rules: number): object[] {
  const ingress: object[] = denied(rules).map(({ source, protocol, port }) => ({
    action: 'Deny',
    protocol: protocol.toUpperCase(),
    source: { nets: [`${source}/32`] },
    destination: { ports: [port] },
  }));
  for (const protocol of ['TCP', 'UDP'])
    ingress.push({ action: 'Deny', protocol, destination: { ports: [CLOSED_PORT] } });
  ingress.push({ action: 'Allow' });
  const policies: object[] = [];
  for (let first = 0; first < ingress.length; first += RULES_PER_POLICY) {
    policies.push(policy(first, ingress.slice(first, first + RULES_PER_POLICY)));
  }
  return [
    {
      apiVersion: 'projectcalico.org/v3',
      kind: 'HostEndpoint',
      metadata: { name: 'host', labels: { role: 'host' } },
      spec: { node: 'node', interfaceName: '*' },
    },
    ...policies,
  ];
}

/** For what the host forwards and for what it takes. */
function policy(order: number, ingress: readonly object[]): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: `bench-${order}` },
    spec: {
      order,
      selector: "role == 'host'",
      applyOnForward: true,
      types: ['Ingress', 'Egress'],
      ingress,
      egress: [{ action: 'Allow' }],
    },
  };
}
