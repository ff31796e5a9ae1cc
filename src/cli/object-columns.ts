// Which columns each kind of object has in a table, and what is in their cells: pure.
import { FILE_ANNOTATION, isPlain, type Manifest, NOT_IN_FORCE_ANNOTATION } from '../agent/store/manifest.ts';
import type { ResourceType } from '../resources/resource.ts';

export interface Column {
  readonly title: string;
  /** Only with -o wide. */
  readonly isWide?: boolean;
  readonly cell: (object: Manifest, now: Date) => string;
}

export const NONE = '<none>';
const SHOWN = 3;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

const AGE: Column = { title: 'AGE', cell: ageOf };
const SOURCE: Column = { title: 'SOURCE', cell: sourceOf };

const column = (title: string, ...path: string[]): Column => ({ title, cell: (object) => show(at(object, ...path)) });
const wide = (one: Column): Column => ({ ...one, isWide: true });

const POLICY: readonly Column[] = [
  { title: 'TIER', cell: (object) => show(at(object, 'spec', 'tier') ?? 'default') },
  column('ORDER', 'spec', 'order'),
  column('TYPES', 'spec', 'types'),
  { title: 'RULES', cell: countRules },
  wide(column('SELECTOR', 'spec', 'selector')),
];
const STAGED: Column = { title: 'STAGED', cell: (object) => show(at(object, 'spec', 'stagedAction') ?? 'Set') };
const KUBERNETES_POLICY: readonly Column[] = [
  { title: 'POD-SELECTOR', cell: (object) => selectorText(at(object, 'spec', 'podSelector')) },
  { title: 'TYPES', cell: (object) => show(at(object, 'spec', 'policyTypes') ?? 'Ingress') },
  { title: 'RULES', cell: countRules },
];
const NETS: readonly Column[] = [
  { title: 'NETS', cell: (object) => String(listAt(object, 'spec', 'nets').length) },
  wide(column('ADDRESSES', 'spec', 'nets')),
  wide(column('DOMAINS', 'spec', 'allowedEgressDomains')),
];

const COLUMNS: Readonly<Record<ResourceType, readonly Column[]>> = {
  NetworkPolicy: POLICY,
  GlobalNetworkPolicy: POLICY,
  StagedNetworkPolicy: [STAGED, ...POLICY],
  StagedGlobalNetworkPolicy: [STAGED, ...POLICY],
  KubernetesNetworkPolicy: KUBERNETES_POLICY,
  StagedKubernetesNetworkPolicy: [STAGED, ...KUBERNETES_POLICY],
  ClusterNetworkPolicy: [
    column('TIER', 'spec', 'tier'),
    column('PRIORITY', 'spec', 'priority'),
    { title: 'RULES', cell: countRules },
  ],
  Tier: [column('ORDER', 'spec', 'order'), column('DEFAULT-ACTION', 'spec', 'defaultAction')],
  Profile: [{ title: 'RULES', cell: countRules }, wide(column('LABELS-TO-APPLY', 'spec', 'labelsToApply'))],
  NetworkSet: NETS,
  GlobalNetworkSet: NETS,
  HostEndpoint: [
    column('NODE', 'spec', 'node'),
    column('INTERFACE', 'spec', 'interfaceName'),
    column('IPS', 'spec', 'expectedIPs'),
    wide(column('PROFILES', 'spec', 'profiles')),
  ],
  WorkloadEndpoint: [
    { title: 'WORKLOAD', cell: (object) => show(at(object, 'spec', 'pod') ?? at(object, 'spec', 'workload')) },
    column('NODE', 'spec', 'node'),
    column('NETWORKS', 'spec', 'ipNetworks'),
    column('INTERFACE', 'spec', 'interfaceName'),
    wide(column('PROFILES', 'spec', 'profiles')),
  ],
  FelixConfiguration: [],
  KubeControllersConfiguration: [
    {
      title: 'AUTO-CREATE',
      cell: (object) => show(at(object, 'spec', 'controllers', 'node', 'hostEndpoint', 'autoCreate') ?? 'Disabled'),
    },
    {
      title: 'TEMPLATES',
      cell: (object) => String(listAt(object, 'spec', 'controllers', 'node', 'hostEndpoint', 'templates').length),
    },
  ],
  PacketCapture: [
    { title: 'SELECTOR', cell: (object) => show(at(object, 'spec', 'selector') ?? 'all()') },
    column('START', 'spec', 'startTime'),
    column('END', 'spec', 'endTime'),
    {
      title: 'STATE',
      cell: (object) => show(listAt(object, 'status', 'files').map((one) => at(one, 'state'))),
    },
  ],
  Pod: [column('STATUS', 'status', 'phase'), column('IP', 'status', 'podIP'), column('NODE', 'spec', 'nodeName')],
  Node: [
    {
      title: 'ADDRESSES',
      cell: (object) => show(listAt(object, 'status', 'addresses').map((one) => at(one, 'address'))),
    },
  ],
  Namespace: [],
  ServiceAccount: [],
  Service: [
    { title: 'TYPE', cell: (object) => show(at(object, 'spec', 'type') ?? 'ClusterIP') },
    column('CLUSTER-IP', 'spec', 'clusterIP'),
    { title: 'PORTS', cell: (object) => show(listAt(object, 'spec', 'ports').map(portText)) },
    wide({ title: 'SELECTOR', cell: (object) => labelsText(at(object, 'spec', 'selector')) }),
  ],
  EndpointSlice: [
    column('ADDRESSTYPE', 'addressType'),
    { title: 'PORTS', cell: (object) => show(listAt(object, 'ports').map((port) => at(port, 'port') ?? '*')) },
    {
      title: 'ENDPOINTS',
      cell: (object) => show(listAt(object, 'endpoints').flatMap((one) => listAt(one, 'addresses'))),
    },
  ],
};

/** What is known of objects of the type besides their names; of which file they are, and how old, comes last. */
export function columnsOf(type: ResourceType, isWide: boolean): readonly Column[] {
  return [...COLUMNS[type], AGE, SOURCE].filter((one) => isWide || one.isWide !== true);
}

export function labelsText(labels: unknown): string {
  if (!isPlain(labels) || Object.keys(labels).length === 0) return NONE;
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
}

/** The value at a path; undefined = it is not there. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (here, key) => (isPlain(here) && Object.hasOwn(here, key) ? here[key] : undefined),
    value,
  );
}

/** As kubectl rounds it: the larger the age, the coarser. */
export function describeAge(seconds: number): string {
  if (seconds < 0) return '<invalid>';
  const minutes = Math.floor(seconds / MINUTE);
  const hours = Math.floor(seconds / HOUR);
  const days = Math.floor(seconds / DAY);
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${unlessZero(seconds % MINUTE, 's')}`;
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return `${hours}h${unlessZero(minutes % 60, 'm')}`;
  if (days < 2) return `${hours}h`;
  return days < 8 ? `${days}d${unlessZero(hours % 24, 'h')}` : `${days}d`;
}

function unlessZero(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`;
}

function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

function show(value: unknown): string {
  if (value === undefined || value === null || value === '') return NONE;
  if (!Array.isArray(value)) return typeof value === 'object' ? labelsText(value) : String(value);
  if (value.length === 0) return NONE;
  const first = value.slice(0, SHOWN).map(String).join(',');
  return value.length > SHOWN ? `${first} + ${value.length - SHOWN} more...` : first;
}

function countRules(object: Manifest): string {
  return `${listAt(object, 'spec', 'ingress').length}/${listAt(object, 'spec', 'egress').length}`;
}

function selectorText(selector: unknown): string {
  const labels = at(selector, 'matchLabels');
  const expressions = listAt(selector, 'matchExpressions').length;
  const parts = [
    ...(isPlain(labels) && Object.keys(labels).length > 0 ? [labelsText(labels)] : []),
    ...(expressions === 0 ? [] : [`${expressions} expressions`]),
  ];
  return parts.join(',') || NONE;
}

function portText(port: unknown): string {
  return `${String(at(port, 'port'))}/${String(at(port, 'protocol') ?? 'TCP')}`;
}

function ageOf(object: Manifest, now: Date): string {
  const created = Date.parse(String(at(object, 'metadata', 'creationTimestamp')));
  return Number.isNaN(created) ? '<unknown>' : describeAge(Math.floor((now.getTime() - created) / 1000));
}

function sourceOf(object: Manifest): string {
  if (at(object, 'metadata', 'annotations', NOT_IN_FORCE_ANNOTATION) !== undefined) return 'store, NOT IN FORCE';
  return String(at(object, 'metadata', 'annotations', FILE_ANNOTATION) ?? 'store');
}
