// Manifests as API servers, calicoctl and people leave them: valid, though not as one would write them first.
import { describe, expect, it } from 'vitest';
import { buildWorld } from '../../../../src/model/build-world.ts';
import type { World } from '../../../../src/model/world.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';

function worldOf(text: string): World {
  const { resources, errors } = parseDocuments(text, 'test.yaml');
  const built = buildWorld(resources);
  expect([...errors, ...built.errors].map(({ message }) => message)).toEqual([]);
  return built.world;
}

describe('a manifest', () => {
  it('may leave labels, annotations and matchLabels empty', () => {
    const { policies } = worldOf(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: n, labels: null, annotations:}
spec: {podSelector: {matchLabels: null}, policyTypes: [Ingress]}
`);
    expect([...policies.keys()]).toEqual(['KubernetesNetworkPolicy/n/a']);
  });

  it('may have empty texts where nothing is set', () => {
    const { workloadEndpoints } = worldOf(`
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: node-cni-z-eth0, namespace: n}
spec: {orchestrator: cni, node: node, workload: z, pod: "", endpoint: eth0, mac: "", ipv4Gateway: "", ipNetworks: [10.0.0.1/32]}
`);
    const [endpoint] = workloadEndpoints.values();
    expect(endpoint).toMatchObject({ displayName: 'n/z', mac: undefined });
  });

  it('may name ports beside the services of a source', () => {
    const { policies } = worldOf(`
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: a, namespace: n}
spec:
  ingress: [{action: Allow, protocol: TCP, source: {services: {name: s}, ports: [80]}}]
`);
    const rule = policies.get('NetworkPolicy/n/a')?.rules.ingress[0];
    expect(rule?.source).toMatchObject({ service: { namespace: 'n', name: 's' }, ports: [{ first: 80, last: 80 }] });
  });

  it('may give a Kubernetes block host bits, which are cut off', () => {
    const { policies } = worldOf(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: n}
spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/24}}]}]}
`);
    const rule = policies.get('KubernetesNetworkPolicy/n/a')?.rules.ingress[0];
    expect(rule?.source.nets).toEqual([{ family: 4, words: [0x0a010200], length: 24 }]);
  });

  it('numbers the rules of a Kubernetes policy by the names of their protocols, then by peer', () => {
    const { policies } = worldOf(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: n}
spec:
  podSelector: {}
  ingress:
  - ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}, {protocol: SCTP, port: 53}]
    from: [{podSelector: {}}, {namespaceSelector: {}}]
`);
    const rules = policies.get('KubernetesNetworkPolicy/n/a')?.rules.ingress;
    expect(rules?.map(({ protocol }) => protocol)).toEqual([132, 132, 6, 6, 17, 17]);
  });

  it('need not say the label that every namespace has', () => {
    const { profiles } = worldOf('apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n');
    expect(profiles.get('kns.n')?.labels).toMatchObject({ 'pcns.kubernetes.io/metadata.name': 'n' });
  });
});
