// Small objects for tests of the store and of the API: two workloads, and policies between them.

export function tier(name: string, order: number, labels: Record<string, string> = {}): Record<string, unknown> {
  return { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name, labels }, spec: { order } };
}

export function workload(name: string, address: string): Record<string, unknown> {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { name: `node1-k8s-${name}-eth0`, namespace: 'lab', labels: { app: name } },
    spec: { node: 'node1', orchestrator: 'k8s', pod: name, endpoint: 'eth0', ipNetworks: [`${address}/32`] },
  };
}

export function policy(name: string, ports: readonly number[], namespace = 'lab'): Record<string, unknown> {
  const rule = { action: 'Allow', protocol: 'TCP', destination: { ports } };
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: { selector: "app == 'green'", types: ['Ingress'], ingress: [rule] },
  };
}

/** Red may send anything; green takes only what a policy allows. */
const RED_SENDS = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name: 'red-sends', namespace: 'lab' },
  spec: { selector: "app == 'red'", types: ['Egress'], egress: [{ action: 'Allow' }] },
};

export const WORKLOADS = [workload('red', '10.66.0.1'), workload('green', '10.66.0.2'), RED_SENDS]
  .map((object) => JSON.stringify(object))
  .join('\n---\n');

/** Of `tortie verdict`: red to green. */
export function question(dstPort: number): Record<string, unknown> {
  return { src: '10.66.0.1', dst: '10.66.0.2', protocol: 'TCP', dstPort };
}
