// The world of the event benchmark: one hundred endpoints of one node, and policies whose rules the first packets of
// flows come to. Both processes make it, so that they mean the same by the same trace ids.
import { desiredStateOf } from '../src/agent/offline.ts';
import type { DesiredState } from '../src/calc/resolved.ts';
import { buildWorld } from '../src/model/build-world.ts';
import { parseDocuments } from '../src/resources/document.ts';

const ENDPOINTS = 100;
export const SENDER = 'workloadEndpoint:bench/node-k8s-pod0-eth0';

export function eventsWorld(): DesiredState {
  const manifests = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } },
    ...Array.from({ length: ENDPOINTS }, (_, index) => endpoint(index)),
    policy('deny-telnet', 10, [{ action: 'Deny', protocol: 'TCP', destination: { ports: [23] } }]),
    policy('allow-udp', 20, [{ action: 'Allow', protocol: 'UDP' }]),
  ];
  const text = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const { resources, errors } = parseDocuments(text, 'events.yaml');
  const { world, errors: worldErrors } = buildWorld(resources);
  const [first] = [...errors, ...worldErrors];
  if (first !== undefined) throw first;
  return desiredStateOf(world, '*');
}

export function addressOf(index: number): string {
  return `10.65.0.${2 + index}`;
}

function endpoint(index: number): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { namespace: 'bench', name: `node-k8s-pod${index}-eth0`, labels: { app: 'client' } },
    spec: {
      orchestrator: 'k8s',
      node: 'node',
      pod: `pod${index}`,
      endpoint: 'eth0',
      ipNetworks: [`${addressOf(index)}/32`],
      profiles: ['kns.bench'],
    },
  };
}

function policy(name: string, order: number, rules: readonly object[]): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name },
    spec: { order, selector: 'app == "client"', types: ['Ingress', 'Egress'], ingress: rules, egress: rules },
  };
}
