// The world of the traffic benchmarks: a client whose egress policy has n rules, each with a CIDR and a port of its own, and a
// server, both on one host. No rule but the last, which allows, is about what is measured; one denies another port of the server's.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { desiredStateOf } from '../src/agent/offline.ts';
import type { GuestSpec, SentFlow } from '../src/bench/arena-spec.ts';
import type { DesiredState } from '../src/calc/resolved.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { buildWorld } from '../src/model/build-world.ts';
import { PROTOCOL } from '../src/model/flow.ts';
import { parseDocuments } from '../src/resources/document.ts';

export const CLIENT = 'client';
export const SERVER = 'server';
export const CLIENT_ADDRESS = '10.65.0.2';
export const SERVER_ADDRESS = '10.65.0.3';
/** Allowed, as every port but one. */
export const OPEN_PORT = 5201;
export const CLOSED_PORT = 1;

export const GUESTS: readonly GuestSpec[] = [
  { name: CLIENT, hostInterface: 'caliclient', addresses: [CLIENT_ADDRESS], mac: '02:74:74:00:00:01' },
  { name: SERVER, hostInterface: 'caliserver', addresses: [SERVER_ADDRESS], mac: '02:74:74:00:00:02' },
];

const RULES_PER_POLICY = 1000;
const PORTS = 1000;
const FIRST_PORT = 10_000;

/** What the rules, but for the last, are about. */
export type RuleProtocol = 'UDP' | 'TCP';

/** From the client to the server. */
export function firstPacket(protocol: RuleProtocol, port: number): SentFlow {
  const flow = {
    source: address(CLIENT_ADDRESS),
    destination: address(SERVER_ADDRESS),
    protocol: PROTOCOL[protocol],
    sourcePort: 40_000,
    destinationPort: port,
    icmpType: 0,
    icmpCode: 0,
  };
  return { from: CLIENT, flow };
}

/** Resolved through the whole chain, from manifests on: what the rule sets of others are rendered from. */
export function forwardWorld(rules: number, protocol: RuleProtocol): DesiredState {
  const text = manifests(rules, protocol).map((manifest) => JSON.stringify(manifest));
  const { resources, errors } = parseDocuments(text.join('\n---\n'), 'bench.yaml');
  const { world, errors: worldErrors } = buildWorld(resources);
  const first = [...errors, ...worldErrors][0];
  if (first !== undefined) throw first;
  return desiredStateOf(world, '*');
}

/** The same for the agent: one file per object. */
export function writeManifests(directory: string, rules: number, protocol: RuleProtocol): void {
  mkdirSync(directory, { recursive: true });
  for (const [index, manifest] of manifests(rules, protocol).entries()) {
    writeFileSync(join(directory, `${index}.yaml`), JSON.stringify(manifest));
  }
}

function address(text: string): IpAddress {
  return parseAddress(text) as IpAddress;
}

/** At least two rules. */
function manifests(rules: number, protocol: RuleProtocol): unknown[] {
  const egress = Array.from({ length: rules - 2 }, (_, index) => denyRule(index, protocol));
  egress.push(deny(protocol, `${SERVER_ADDRESS}/32`, CLOSED_PORT), { action: 'Allow' });
  const policies: unknown[] = [];
  for (let first = 0; first < rules; first += RULES_PER_POLICY) {
    policies.push(policy(first, egress.slice(first, first + RULES_PER_POLICY)));
  }
  return [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } }, ...GUESTS.map(endpoint), ...policies];
}

function endpoint({ name, hostInterface, addresses, mac }: GuestSpec): unknown {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { namespace: 'bench', name: `node-k8s-${name}-eth0`, labels: { app: name } },
    spec: {
      orchestrator: 'k8s',
      node: 'node',
      pod: name,
      endpoint: 'eth0',
      interfaceName: hostInterface,
      mac,
      ipNetworks: addresses.map((one) => `${one}/32`),
      profiles: ['kns.bench'],
    },
  };
}

function policy(order: number, egress: unknown[]): unknown {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: `rules-${order}` },
    spec: { order, selector: `app == "${CLIENT}"`, types: ['Egress'], egress },
  };
}

/** One address each: nftables compares whole addresses several times faster than shorter prefixes. */
function denyRule(index: number, protocol: RuleProtocol): unknown {
  const net = `11.${index >>> 16}.${(index >>> 8) & 255}.${index & 255}/32`;
  return deny(protocol, net, FIRST_PORT + (index % PORTS));
}

function deny(protocol: RuleProtocol, net: string, port: number): unknown {
  return { action: 'Deny', protocol, destination: { nets: [net], ports: [port] } };
}
