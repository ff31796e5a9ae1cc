// One endpoint, 10.0.0.1 and fd00::1, with egress rules of one policy, and what else a test adds.
import { desiredStateOf } from '../../../../src/agent/offline.ts';
import type { DesiredState } from '../../../../src/calc/resolved.ts';
import { worldFrom } from '../../../support/world-from.ts';

const ENDPOINT = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'WorkloadEndpoint',
  metadata: { namespace: 'shop', name: 'node-k8s-web-eth0', labels: { app: 'web' } },
  spec: {
    node: 'node',
    orchestrator: 'k8s',
    pod: 'web',
    endpoint: 'eth0',
    ipNetworks: ['10.0.0.1/32', 'fd00::1/128'],
    interfaceName: 'caliweb',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  },
};

/** `rules` are the egress rules of the only policy. */
export function desiredWith(rules: readonly unknown[], more: readonly unknown[] = []): DesiredState {
  const policy = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'rules' },
    spec: { selector: 'app == "web"', types: ['Egress'], egress: rules },
  };
  return desiredOf([ENDPOINT, policy, ...more]);
}

/** The state of these manifests and no others. */
export function desiredOf(manifests: readonly unknown[]): DesiredState {
  return desiredStateOf(worldFrom(manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n')), '*');
}
