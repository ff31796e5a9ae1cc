// The worlds of the diff benchmark: namespaces with pods and policies of the usual kinds, a few global policies, and
// edits of them, each as the manifests of a directory.

export interface DiffScale {
  readonly namespaces: number;
  readonly podsPerNamespace: number;
}

export type ManifestFiles = ReadonlyMap<string, readonly object[]>;

/** Changes of the manifests, by what is changed. All but the first change verdicts. */
export const EDITS: Readonly<Record<string, (files: ManifestFiles) => ManifestFiles>> = {
  nothing: (files) => files,
  policy: (files) => replaceIn(files, 'ns-7.yaml', '"port":8080', '"port":8081'),
  tier: (files) => replaceIn(files, 'cluster.yaml', '"defaultAction":"Pass"', '"defaultAction":"Deny"'),
  'network set': (files) => replaceIn(files, 'cluster.yaml', '198.51.100.0/24', '198.51.100.0/25'),
  label: (files) => replaceIn(files, 'ns-9.yaml', '"app":"cache"', '"app":"web"'),
  'global policy': (files) => replaceIn(files, 'cluster.yaml', '"ports":[23]', '"ports":[23,8080]'),
  'every policy': (files) =>
    new Map([...files].map(([name, objects]) => [name, replaceText(objects, '5432,6379', '5432')])),
};

const APPS = ['web', 'web', 'api', 'db', 'cache'] as const;

/** Five policies for each namespace, and four global ones. */
export function diffWorld({ namespaces, podsPerNamespace }: DiffScale): ManifestFiles {
  const files = new Map<string, readonly object[]>([['cluster.yaml', clusterWide()]]);
  for (let index = 0; index < namespaces; index += 1) {
    files.set(`ns-${index}.yaml`, namespaceObjects(index, podsPerNamespace));
  }
  return files;
}

function clusterWide(): object[] {
  return [
    calico('Tier', { name: 'security' }, { order: 100, defaultAction: 'Pass' }),
    calico(
      'GlobalNetworkSet',
      { name: 'blocked', labels: { role: 'blocked' } },
      { nets: ['198.51.100.0/24', '203.0.113.7/32'] },
    ),
    calico(
      'GlobalNetworkPolicy',
      { name: 'blocked' },
      {
        tier: 'security',
        order: 10,
        types: ['Egress'],
        egress: [{ action: 'Deny', destination: { selector: 'role == "blocked"' } }],
      },
    ),
    calico(
      'GlobalNetworkPolicy',
      { name: 'old-protocols' },
      {
        tier: 'security',
        order: 20,
        types: ['Ingress'],
        ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [23] } }, { action: 'Pass' }],
      },
    ),
    calico(
      'GlobalNetworkPolicy',
      { name: 'monitoring' },
      {
        order: 10,
        types: ['Ingress'],
        ingress: [
          {
            action: 'Allow',
            protocol: 'TCP',
            source: { namespaceSelector: 'projectcalico.org/name == "ns-0"', selector: 'app == "web"' },
            destination: { ports: [9090] },
          },
        ],
      },
    ),
    calico(
      'GlobalNetworkPolicy',
      { name: 'dns' },
      {
        order: 20,
        types: ['Egress'],
        egress: [{ action: 'Allow', protocol: 'UDP', destination: { ports: [53] } }],
      },
    ),
  ];
}

function namespaceObjects(index: number, pods: number): object[] {
  const namespace = `ns-${index}`;
  const team = `team-${index % 40}`;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { team } } },
    ...Array.from({ length: pods }, (_, pod) => podManifest(namespace, index * pods + pod, pod)),
    kubernetes(namespace, 'default-deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    kubernetes(namespace, 'web', {
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ protocol: 'TCP', port: 8080 }] }],
    }),
    kubernetes(namespace, 'api', {
      podSelector: { matchLabels: { app: 'api' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { app: 'web' } } },
            {
              namespaceSelector: { matchLabels: { team: `team-${(index + 1) % 40}` } },
              podSelector: { matchLabels: { app: 'api' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 9000 }],
        },
      ],
    }),
    calico(
      'NetworkPolicy',
      { namespace, name: 'data' },
      {
        order: 500,
        selector: 'app in {"db", "cache"}',
        types: ['Ingress'],
        ingress: [
          {
            action: 'Allow',
            protocol: 'TCP',
            source: { selector: 'app == "api"' },
            destination: { ports: [5432, 6379] },
          },
        ],
      },
    ),
    kubernetes(namespace, 'out', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        { to: [{ podSelector: {} }] },
        { to: [{ namespaceSelector: { matchLabels: { team } } }], ports: [{ protocol: 'TCP', port: 9000 }] },
        { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }], ports: [{ protocol: 'TCP', port: 443 }] },
        { ports: [{ protocol: 'TCP', port: 5432 }], to: [{ podSelector: { matchLabels: { app: 'db' } } }] },
      ],
    }),
  ];
}

function podManifest(namespace: string, number: number, index: number): object {
  const app = APPS[index % APPS.length] as string;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: `${app}-${index}`, labels: { app, 'pod-template-hash': `${number % 97}` } },
    spec: { nodeName: `node-${number % 100}`, containers: [{ name: 'main' }] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}` }],
    },
  };
}

function kubernetes(namespace: string, name: string, spec: object): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name }, spec };
}

function calico(kind: string, metadata: object, spec: object): object {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
}

function replaceIn(files: ManifestFiles, name: string, from: string, to: string): ManifestFiles {
  const objects = files.get(name) ?? [];
  if (!JSON.stringify(objects).includes(from)) throw new Error(`no ${from} in ${name}: nothing would be measured`);
  return new Map([...files, [name, replaceText(objects, from, to)]]);
}

function replaceText(objects: readonly object[], from: string, to: string): object[] {
  return JSON.parse(JSON.stringify(objects).replaceAll(from, to)) as object[];
}
