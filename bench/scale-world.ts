// The cluster of the scale benchmarks as a directory of manifests: one file for each namespace with its pods and
// policies, written as the text that people and tools write. Nothing is measured here.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ScaleSize {
  readonly policies: number;
  readonly pods: number;
  readonly namespaces: number;
  /** Pods of LOCAL_NODE, spread over namespaces. */
  readonly localPods: number;
}

/** The cluster that the targets speak of, and what growth is fitted to. */
export const SCALE_SIZES: readonly ScaleSize[] = [
  { policies: 7500, pods: 10_000, namespaces: 2500, localPods: 100 },
  { policies: 25_000, pods: 33_333, namespaces: 8333, localPods: 100 },
  { policies: 75_000, pods: 100_000, namespaces: 25_000, localPods: 100 },
];

export const LOCAL_NODE = 'node-0';
const NAMESPACES_PER_TEAM = 10;
const OTHER_NODES = 1000;

/** Writes the cluster into a new directory. */
export function writeScaleWorld(directory: string, size: ScaleSize): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'cluster.yaml'), CLUSTER_WIDE);
  for (let index = 0; index < size.namespaces; index += 1) {
    writeFileSync(join(directory, namespaceFile(index)), namespaceText(index, size));
  }
}

/** As kubectl-like tools replace a file: a reader sees the old one or the new one. */
export function replaceFile(directory: string, name: string, text: string): void {
  const temporary = join(directory, `.${name}.new`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(directory, name));
}

export function namespaceFile(index: number): string {
  return `ns-${index}.yaml`;
}

function namespaceText(index: number, { policies, pods, namespaces, localPods }: ScaleSize): string {
  const team = `team-${Math.floor(index / NAMESPACES_PER_TEAM)}`;
  const documents = [namespaceDocument(index, team)];
  const localEvery = Math.max(1, Math.floor(pods / localPods));
  for (let pod = index; pod < pods; pod += namespaces) {
    const isLocal = pod % localEvery === 0 && pod / localEvery < localPods;
    documents.push(podDocument(index, pod, Math.floor(pod / namespaces), isLocal));
  }
  for (let policy = index; policy < policies; policy += namespaces) {
    documents.push(policyDocument(index, Math.floor(policy / namespaces), team));
  }
  return documents.join('---\n');
}

const APPS = ['web', 'api', 'db', 'cache'] as const;

function namespaceDocument(index: number, team: string): string {
  return `apiVersion: v1
kind: Namespace
metadata:
  name: ns-${index}
  labels:
    team: ${team}
`;
}

function podDocument(namespace: number, number: number, index: number, isLocal: boolean): string {
  const app = APPS[index % APPS.length];
  const node = isLocal ? LOCAL_NODE : `node-${1 + (number % OTHER_NODES)}`;
  return `apiVersion: v1
kind: Pod
metadata:
  namespace: ns-${namespace}
  name: ${app}-${index}
  labels:
    app: ${app}
    pod-template-hash: "${number % 97}"
spec:
  nodeName: ${node}
  containers:
    - name: main
status:
  phase: Running
  podIPs:
    - ip: 10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}
`;
}

function policyDocument(namespace: number, index: number, team: string): string {
  const head = (name: string): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  namespace: ns-${namespace}
  name: ${name}-${index}
spec:
`;
  const kinds = [
    `${head('inside')}  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {}
      ports:
        - {protocol: TCP, port: ${8000 + (namespace % 50)}}
`,
    `${head('team')}  podSelector:
    matchLabels:
      app: api
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              team: ${team}
          podSelector:
            matchLabels:
              app: web
      ports:
        - {protocol: TCP, port: 9000}
    - from:
        - ipBlock:
            cidr: 192.0.2.0/24
`,
    `${head('out')}  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [10.0.0.0/8]
      ports:
        - {protocol: TCP, port: 443}
    - to:
        - podSelector: {}
    - ports:
        - {protocol: UDP, port: 53}
`,
  ];
  return kinds[index % kinds.length] as string;
}

const CLUSTER_WIDE = `apiVersion: projectcalico.org/v3
kind: Tier
metadata:
  name: security
spec:
  order: 100
  defaultAction: Pass
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata:
  name: blocked
  labels:
    role: blocked
spec:
  nets: [198.51.100.0/24, 203.0.113.7/32]
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: security.blocked
spec:
  tier: security
  order: 10
  types: [Egress]
  egress:
    - action: Deny
      destination:
        selector: role == "blocked"
`;
