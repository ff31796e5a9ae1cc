// The manifests of the change benchmarks: local endpoints with interfaces, remote ones, and policies of which some
// govern local endpoints, a file for each object.
import { addressOf, BENCH_NODE, interfaceOf, PROBED_PORT } from './change-setting.ts';

export const LOCAL_ENDPOINTS = 100;
/** Of all policies, one in so many governs a local endpoint. */
const GOVERNING = 10;

export type Files = Map<string, string>;

/** A namespace, the local endpoints and `policies` policies, of which a tenth govern them in equal parts. */
export function policyWorld(policies: number, endpoints = LOCAL_ENDPOINTS): Files {
  const files: Files = new Map([['namespace.yaml', NAMESPACE]]);
  for (let index = 0; index < endpoints; index += 1) files.set(endpointFile(index), endpointText(index));
  for (let index = 0; index < policies; index += 1) files.set(policyFile(index), policyText(index, 8000));
  files.set(PROBED_FILE, probedPolicy(true));
  return files;
}

export const PROBED_FILE = 'probed.yaml';

/** Lets pod-1 reach pod-0's probed port, or another one. */
export function probedPolicy(isOpen: boolean): string {
  return `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata:
  namespace: bench
  name: probed
spec:
  order: 1
  selector: slot == "0"
  types: [Ingress]
  ingress:
    - action: Allow
      protocol: UDP
      destination:
        ports: [${isOpen ? PROBED_PORT : PROBED_PORT + 1}]
`;
}

export function policyFile(index: number): string {
  return `policy-${index}.yaml`;
}

function policyText(index: number, port: number): string {
  return `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata:
  namespace: bench
  name: policy-${index}
spec:
  order: ${100 + (index % 97)}
  selector: slot == "${index % (LOCAL_ENDPOINTS * GOVERNING)}"
  types: [Ingress]
  ingress:
    - action: Allow
      protocol: TCP
      source:
        selector: role == "client-${index % 20}"
      destination:
        ports: [${port + (index % 100)}]
    - action: Allow
      protocol: TCP
      source:
        nets: [192.0.${(index >>> 8) & 255}.${index & 255}/32]
`;
}

export function endpointFile(index: number): string {
  return `endpoint-${index}.yaml`;
}

/** Endpoints from LOCAL_ENDPOINTS on are another node's. */
export function endpointText(index: number, role = index % 20): string {
  const node = index <= LOCAL_ENDPOINTS ? BENCH_NODE : 'node-1';
  return `apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata:
  namespace: bench
  name: ${node.replace('-', '--')}-k8s-pod--${index}-eth0
  labels:
    slot: "${index % (LOCAL_ENDPOINTS * GOVERNING)}"
    role: client-${role}
spec:
  node: ${node}
  orchestrator: k8s
  pod: pod-${index}
  endpoint: eth0
  interfaceName: ${interfaceOf(index)}
  ipNetworks: [${addressOf(index)}/32]
  profiles: [kns.bench]
`;
}

/** Rules that one policy may have. */
const RULES_PER_POLICY = 1000;

/** That many rules for pod-0, each with a CIDR, in as few policies as may hold them; the very last lets a port through. */
export function bigPolicy(rules: number, port: number): string {
  const documents: string[] = [];
  for (let first = 0; first < rules; first += RULES_PER_POLICY) {
    const count = Math.min(RULES_PER_POLICY, rules - first);
    documents.push(policyPart(first, first + count === rules ? count - 1 : count));
  }
  return `${documents.join('---\n')}    - {action: Allow, protocol: TCP, destination: {ports: [${port}]}}\n`;
}

function policyPart(first: number, count: number): string {
  const lines = Array.from({ length: count }, (_, index) => denyLine(first + index));
  return `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata:
  namespace: bench
  name: big-${first}
spec:
  order: ${2 + first}
  selector: slot == "0"
  types: [Ingress]
  ingress:
${lines.join('')}`;
}

function denyLine(index: number): string {
  const net = `${11 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}.0/24`;
  return `    - {action: Deny, protocol: TCP, source: {nets: [${net}]}, destination: {ports: [${1000 + (index % 1000)}]}}\n`;
}

const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata:
  name: bench
`;
