// The worlds of the compile benchmark: a cluster in which a node's endpoints use a thousand of many policies, and the
// edits that people make of it, each as the manifests that change. Nothing is measured here.
import { parseDocuments } from '../src/resources/document.ts';
import type { Resource } from '../src/resources/resource.ts';

export interface CompileScale {
  readonly policies: number;
  /** Of the node; one in each of so many namespaces. */
  readonly endpoints: number;
}

export const LOCAL_NODE = 'node-0';
const POLICIES_PER_NAMESPACE = 10;
const PODS_PER_NAMESPACE = 4;
const APPS = ['web', 'api', 'db', 'cache'] as const;

/** What edits change, by the manifest they change: the revision grows with each edit of the kind. */
export interface Revisions {
  readonly port: number;
  readonly cidr: number;
  readonly rule: number;
}

const UNCHANGED: Revisions = { port: 0, cidr: 0, rule: 0 };

/** Everything but the endpoints of other nodes' pods, which are there too. */
export function compileWorld({ policies, endpoints }: CompileScale): Resource[] {
  const namespaces = Math.ceil(policies / POLICIES_PER_NAMESPACE);
  return Array.from({ length: namespaces }, (_, namespace) =>
    resourcesOf([
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: `ns-${namespace}`, labels: { team: teamOf(namespace) } },
      },
      ...APPS.map((_, pod) => podManifest(namespace, pod, pod === 0 && namespace < endpoints)),
      ...Array.from({ length: POLICIES_PER_NAMESPACE }, (_, policy) => policyManifest(namespace, policy, UNCHANGED)),
    ]),
  ).flat();
}

export const EDITS = ['port', 'cidr', 'rule', 'label', 'endpoint'] as const;
export type EditKind = (typeof EDITS)[number];

/** The manifests that the edit number `turn` of its kind changes, in one of the node's namespaces. */
export function editOf(kind: EditKind, turn: number, { endpoints }: CompileScale): Resource[] {
  const namespace = (EDITS.length * turn + EDITS.indexOf(kind)) % endpoints;
  if (kind === 'label') return resourcesOf([podManifest(namespace, 1, false, APPS[turn % APPS.length])]);
  if (kind === 'endpoint') return resourcesOf([podManifest(namespace, PODS_PER_NAMESPACE + turn, true, 'api')]);
  const policy = turn % POLICIES_PER_NAMESPACE;
  return resourcesOf([policyManifest(namespace, policy, { ...UNCHANGED, [kind]: turn + 1 })]);
}

function policyManifest(namespace: number, policy: number, { port, cidr, rule }: Revisions): object {
  const number = POLICIES_PER_NAMESPACE * namespace + policy;
  const ports = [
    { protocol: 'TCP', port: 8000 + (policy % 10) },
    { protocol: 'TCP', port: 9000 + (number % 50) + 50 * port },
  ];
  const net = `192.${18 + (cidr % 200)}.${number & 255}.0/24`;
  const from = { podSelector: { matchLabels: { app: APPS[policy % APPS.length] } } };
  const others = { namespaceSelector: { matchLabels: { team: teamOf(namespace) } }, ...from };
  const more = rule === 0 ? [] : [{ from: [{ ipBlock: { cidr: `198.51.${rule & 255}.0/24` } }], ports }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: `ns-${namespace}`, name: `policy-${policy}` },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [from, others], ports }, ...more],
      egress: [{ to: [from] }, { to: [{ ipBlock: { cidr: net } }], ports: [{ protocol: 'TCP', port: 443 }] }],
    },
  };
}

function podManifest(
  namespace: number,
  pod: number,
  isLocal: boolean,
  app: string = APPS[pod % APPS.length] as string,
): object {
  const number = 256 * namespace + pod;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: `ns-${namespace}`, name: `pod-${pod}`, labels: { app } },
    spec: { nodeName: isLocal ? LOCAL_NODE : `node-${1 + (number % 1000)}`, containers: [{ name: 'main' }] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}` }],
    },
  };
}

/** Namespaces of one team let each other in. */
function teamOf(namespace: number): string {
  return `team-${Math.floor(namespace / 10)}`;
}

/** Throws the first error. */
function resourcesOf(manifests: readonly object[]): readonly Resource[] & Resource[] {
  const text = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const { resources, errors } = parseDocuments(text, 'bench.yaml');
  if (errors[0] !== undefined) throw errors[0];
  return [...resources];
}
