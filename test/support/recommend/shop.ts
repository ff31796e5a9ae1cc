// A shop of a few applications, and generated worlds of many, with flows between them: what recommendations are made of.
import { formatAddress, parseAddress } from '../../../src/model/address.ts';
import { parseFlowQuestion } from '../../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import { worldFrom } from '../world-from.ts';
import type { Random } from '../worlds/random.ts';

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** As Kubernetes has it: addresses in the status, a namespace with its name as a label. */
export function podYaml({ namespace, name, address, labels }: Pod): string {
  return `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, labels: ${JSON.stringify(labels)}}
spec: {nodeName: n1, containers: []}
status: {podIP: ${address}, podIPs: [{ip: ${address}}]}
`;
}

export function namespaceYaml(name: string): string {
  return `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {kubernetes.io/metadata.name: ${name}}}\n`;
}

export const SHOP_PODS: readonly Pod[] = [
  {
    namespace: 'shop',
    name: 'web-7d9-aaaaa',
    address: '10.65.0.10',
    labels: { app: 'web', 'pod-template-hash': '7d9' },
  },
  {
    namespace: 'shop',
    name: 'web-7d9-bbbbb',
    address: '10.65.0.11',
    labels: { app: 'web', 'pod-template-hash': '7d9' },
  },
  {
    namespace: 'shop',
    name: 'api-5c8-ccccc',
    address: '10.65.0.20',
    labels: { app: 'api', 'pod-template-hash': '5c8' },
  },
  { namespace: 'shop', name: 'db-0', address: '10.65.0.30', labels: { app: 'db' } },
  { namespace: 'kube-system', name: 'coredns-1', address: '10.65.9.53', labels: { 'k8s-app': 'kube-dns' } },
];

export const SHOP = `${['shop', 'kube-system'].map(namespaceYaml).join('')}${SHOP_PODS.map(podYaml).join('')}---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [192.0.2.10], conditions: {ready: true}}]
ports: [{name: https, protocol: TCP, port: 6443}]
`;

export interface GeneratedWorld {
  readonly world: World;
  readonly manifests: string;
  readonly addresses: readonly string[];
  readonly outside: readonly string[];
}

const APPS = ['web', 'api', 'db', 'cache', 'queue'] as const;
const COMPONENTS = ['front', 'back'] as const;

/** Up to 24 pods of several applications, some without labels, some that differ in one label only. */
export function generatedWorld(random: Random): GeneratedWorld {
  const namespaces = ['a', 'b', 'c'].slice(0, random.between(1, 3));
  const pods = random.list(3, 24, (index): Pod => {
    const app = random.pick(APPS);
    const labels: Record<string, string> = {};
    if (random.chance(85)) labels[random.chance(70) ? 'app' : 'app.kubernetes.io/name'] = app;
    if (random.chance(30)) labels.component = random.pick(COMPONENTS);
    if (random.chance(20)) labels.team = random.pick(['x', 'y']);
    if (random.chance(50)) labels['pod-template-hash'] = random.pick(['7d9', '5c8']);
    const address = random.chance(80) ? `10.65.${index}.${random.between(1, 250)}` : `fd00:65::${index + 1}`;
    return { namespace: random.pick(namespaces), name: `${app}-${index}`, address, labels };
  });
  const sets = random.list(0, 2, (index) => networkSetYaml(index, random.pick(namespaces), random.chance(50)));
  const manifests = [...namespaces.map(namespaceYaml), ...pods.map(podYaml), ...sets].join('');
  const outside = [
    ...random.list(1, 30, () => `198.51.100.${random.between(1, 250)}`),
    ...random.list(0, 3, () => `203.0.113.${random.between(1, 250)}`),
    ...random.list(0, 3, () => `2001:db8::${random.between(1, 99)}`),
  ];
  return { world: worldFrom(manifests), manifests, addresses: pods.map(({ address }) => address), outside };
}

function networkSetYaml(index: number, namespace: string, isGlobal: boolean): string {
  const kind = isGlobal ? 'GlobalNetworkSet' : 'NetworkSet';
  const place = isGlobal ? '' : `, namespace: ${namespace}`;
  return `---
apiVersion: projectcalico.org/v3
kind: ${kind}
metadata: {name: partners-${index}${place}, labels: {partner: p${index}}}
spec: {nets: [203.0.113.${index * 64}/26]}
`;
}

const PORTS = [22, 53, 80, 443, 5432, 8080, 8081, 8082, 9000, 40000, 40001, 40017, 51000] as const;

/** A question of `tortie verdict`, which is a record of a flow too. */
export type FlowRecord = Readonly<Record<string, unknown>>;

/** Flows between ends of the world; nearly all with a workload at one end. */
export function generatedFlows(random: Random, { addresses, outside }: GeneratedWorld, count: number): FlowRecord[] {
  const ends = [...addresses, ...addresses, ...outside];
  const flows: FlowRecord[] = [];
  for (let tries = 0; flows.length < count && tries < count * 20; tries++) {
    const record = generatedFlow(random, random.pick(ends), random.pick(ends));
    if (record !== undefined) flows.push(record);
  }
  return flows;
}

export function generatedFlow(random: Random, src: string, dst: string): FlowRecord | undefined {
  const [from, to] = [parseAddress(src), parseAddress(dst)];
  if (from === undefined || to === undefined || from.family !== to.family || src === dst) return undefined;
  const protocol = random.pick(['TCP', 'TCP', 'TCP', 'UDP', 'SCTP', from.family === 4 ? 'ICMP' : 'ICMPv6', '47']);
  const ends = { src: formatAddress(from), dst: formatAddress(to), protocol };
  if (protocol.startsWith('ICMP')) return { ...ends, icmpType: random.pick([8, 13, 128]), icmpCode: 0 };
  if (protocol === '47') return ends;
  return { ...ends, dstPort: random.chance(80) ? random.pick(PORTS) : random.between(1, 65_535) };
}

export const hostYaml = (name: string, labels: object, addresses: readonly string[]): string => `---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: ${name}, labels: ${JSON.stringify(labels)}}
spec: {node: ${name}, interfaceName: eth0, expectedIPs: ${JSON.stringify(addresses)}}
`;

const TELLING = ['app.kubernetes.io/name', 'app', 'component'];

/** Pods of one application are alike; so are the addresses of a set that has a name. */
export function classOf(world: World, address: string): string {
  const { flow: question } = parseFlowQuestion({ src: address, dst: address, protocol: 47 });
  const pod = new ReferenceEvaluator(world).endpointAt(question.source);
  if (pod !== undefined) {
    const telling = TELLING.map((label) => pod.labels[label]);
    const rest = telling.some((value) => value !== undefined) ? [] : [pod.labels.team];
    return [pod.namespace, ...telling, ...rest].join('/');
  }
  const set = [...world.networkSets.values()].find(({ nets }) =>
    nets.some(({ words, length, family }) => {
      const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
      return (
        family === 4 && question.source.family === 4 && ((question.source.words[0] as number) & mask) >>> 0 === words[0]
      );
    }),
  );
  return set === undefined ? address : set.key;
}
