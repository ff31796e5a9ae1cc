// The world of the verdict benchmark: one sender whose egress policy has n rules, each with a CIDR and a port of its
// own, none of which is about the flow that is measured; the last rule allows it.
import { desiredStateOf } from '../src/agent/offline.ts';
import type { DesiredState } from '../src/calc/resolved.ts';
import { parseAddress } from '../src/model/address.ts';
import { buildWorld } from '../src/model/build-world.ts';
import type { Flow } from '../src/model/flow.ts';
import { PROTOCOL } from '../src/model/flow.ts';
import { parseDocuments } from '../src/resources/document.ts';

export type Family = 4 | 6;

const RULES_PER_POLICY = 1000;
const PORTS = 1000;
const SENDER = { 4: '10.65.0.2', 6: 'fd00:65::2' } as const;
const RECEIVER = { 4: '10.66.0.2', 6: 'fd00:66::2' } as const;
const DESTINATION_PORT = 53;

/** The flow that is measured: from the sender to an address that is not local. */
export function measuredFlow(family: Family): Flow {
  const address = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;
  return {
    source: address(SENDER[family]),
    destination: address(RECEIVER[family]),
    protocol: PROTOCOL.UDP,
    sourcePort: 40000,
    destinationPort: DESTINATION_PORT,
    icmpType: 0,
    icmpCode: 0,
  };
}

/** Resolved through the whole chain, from manifests on. */
export function verdictWorld(family: Family, rules: number): DesiredState {
  const text = manifests(family, rules)
    .map((manifest) => JSON.stringify(manifest))
    .join('\n---\n');
  const { resources, errors } = parseDocuments(text, 'bench.yaml');
  const { world, errors: worldErrors } = buildWorld(resources);
  const first = [...errors, ...worldErrors][0];
  if (first !== undefined) throw first;
  return desiredStateOf(world, '*');
}

function manifests(family: Family, rules: number): unknown[] {
  const all: unknown[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } },
    {
      apiVersion: 'projectcalico.org/v3',
      kind: 'WorkloadEndpoint',
      metadata: { namespace: 'bench', name: 'node-k8s-sender-eth0', labels: { app: 'sender' } },
      spec: {
        orchestrator: 'k8s',
        node: 'node',
        pod: 'sender',
        endpoint: 'eth0',
        ipNetworks: [`${SENDER[4]}/32`, `${SENDER[6]}/128`],
        profiles: ['kns.bench'],
      },
    },
  ];
  for (let first = 0; first < rules - 1; first += RULES_PER_POLICY) {
    const count = Math.min(RULES_PER_POLICY, rules - 1 - first);
    all.push(
      policy(
        `rules-${first}`,
        first,
        Array.from({ length: count }, (_, index) => denyRule(family, first + index)),
      ),
    );
  }
  all.push(policy('allow', rules, [{ action: 'Allow', protocol: 'UDP' }]));
  return all;
}

function policy(name: string, order: number, egress: unknown[]): unknown {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name },
    spec: { order, selector: 'app == "sender"', types: ['Egress'], egress },
  };
}

function denyRule(family: Family, index: number): unknown {
  const net =
    family === 4
      ? `${11 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}.0/24`
      : `2001:db8:${(index >>> 16).toString(16)}:${(index & 0xffff).toString(16)}::/64`;
  return { action: 'Deny', protocol: 'UDP', destination: { nets: [net], ports: [1000 + (index % PORTS)] } };
}
