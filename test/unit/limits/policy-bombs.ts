// Policies that are meant to cost too much, each in its own way, at whatever size a test asks for.

export interface BombSize {
  readonly policies: number;
  readonly rulesPerPolicy: number;
  readonly selectors: number;
  readonly pods: number;
  readonly namespaces: number;
  readonly netsPerRule: number;
}

export type Manifest = Readonly<Record<string, unknown>>;
type Bomb = (size: BombSize) => Manifest[];

const V3 = 'projectcalico.org/v3';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const ip = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
const port = (number: number): number => 1 + (number % 65535);
const app = (number: number, { selectors }: BombSize): string => `app == 'a${number % selectors}'`;

function pod(index: number, size: BombSize, more: Manifest = {}, labels: Manifest = {}): Manifest {
  const namespace = `ns${index % size.namespaces}`;
  return {
    apiVersion: V3,
    kind: 'WorkloadEndpoint',
    metadata: { namespace, name: `n-k8s-p${index}-eth0`, labels: { app: `a${index % size.selectors}`, ...labels } },
    spec: {
      orchestrator: 'k8s',
      node: 'n',
      pod: `p${index}`,
      endpoint: 'eth0',
      interfaceName: `cali${index}`,
      ipNetworks: [`${ip(0x0a000000 + index)}/32`],
      profiles: [`kns.${namespace}`],
      ...more,
    },
  };
}

const pods = (size: BombSize): Manifest[] => numbers(size.pods).map((index) => pod(index, size));

/** Cluster-wide policies on every pod; `rule` gets a number that no other rule has. */
function policies({ policies: count, rulesPerPolicy }: BombSize, rule: (number: number) => Manifest): Manifest[] {
  return numbers(count).map((index) => ({
    apiVersion: V3,
    kind: 'GlobalNetworkPolicy',
    metadata: { name: `p${index}` },
    spec: {
      order: index,
      types: ['Ingress'],
      ingress: numbers(rulesPerPolicy).map((each) => ({
        action: 'Allow',
        protocol: 'TCP',
        ...rule(index * rulesPerPolicy + each),
      })),
    },
  }));
}

export const POLICY_BOMBS: Readonly<Record<string, Bomb>> = {
  'a port and a selector for each rule': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({ source: { selector: app(rule, size) }, destination: { ports: [port(rule)] } })),
  ],
  'a policy for each namespace': (size) => [
    ...pods(size),
    ...numbers(size.namespaces).map((index) => ({
      apiVersion: V3,
      kind: 'NetworkPolicy',
      metadata: { namespace: `ns${index}`, name: 'p' },
      spec: {
        ingress: numbers(size.rulesPerPolicy).map((rule) => ({
          action: 'Allow',
          protocol: 'TCP',
          source: { namespaceSelector: 'all()', selector: app(17 * index + rule, size) },
          destination: { ports: [port(index * size.rulesPerPolicy + rule)] },
        })),
      },
    })),
  ],
  'a list of CIDRs for each rule, none like another': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({
      source: {
        nets: numbers(size.netsPerRule).map(
          (net) => `${ip((0x20000000 + ((rule * 7919 + net * 104729) % 65536) * 256) >>> 0)}/24`,
        ),
      },
    })),
  ],
  'nested CIDRs': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({
      source: { nets: [`${ip(((rule * 0x01234567) >>> 0) & (-1 << (32 - (8 + (rule % 25)))))}/${8 + (rule % 25)}`] },
    })),
  ],
  'fifty overlapping port ranges for each rule': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({
      source: { selector: app(rule, size) },
      destination: {
        ports: numbers(50).map((range) => {
          const first = 1 + (((rule * 50 + range) * 37) % 65000);
          return `${first}:${first + (rule % 500)}`;
        }),
      },
    })),
  ],
  'source ports': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({
      source: { selector: app(rule, size), ports: [port((rule % size.selectors) * 37)] },
      destination: { ports: [port(rule * 91)] },
    })),
  ],
  'labels in every combination': (size) => [
    ...numbers(size.pods).map((index) =>
      pod(
        index,
        size,
        {},
        Object.fromEntries(
          numbers(12)
            .filter((bit) => ((index >> bit) & 1) === 1)
            .map((bit) => [`b${bit}`, 'x']),
        ),
      ),
    ),
    ...policies(size, (rule) => ({
      source: { selector: `has(b${rule % 12}) && !has(b${(rule * 7 + 3) % 12})` },
      destination: { ports: [port(rule)] },
    })),
  ],
  'a selector for each end': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({
      source: { selector: app(rule, size) },
      destination: { selector: app(31 * rule, size), ports: [80 + (rule % 10)] },
    })),
  ],
  'named ports that differ from pod to pod': (size) => [
    ...numbers(size.pods).map((index) =>
      pod(index, size, {
        ports: numbers(20).map((name) => ({ name: `port-${name}`, protocol: 'TCP', port: port(20 * index + name) })),
      }),
    ),
    ...policies(size, (rule) => ({
      source: { selector: app(rule, size) },
      destination: { ports: [`port-${rule % 20}`] },
    })),
  ],
  'deep selectors that no index helps with': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({
      source: { selector: `${'('.repeat(40)}!has(x${rule})${')'.repeat(40)} && y${rule} != 'z'` },
    })),
  ],
  'one peer for all rules': (size) => [
    ...pods(size),
    ...policies(size, (rule) => ({ source: { selector: app(0, size) }, destination: { ports: [port(rule)] } })),
  ],
  'a list of rules for each pod': (size) => [
    ...pods(size),
    ...numbers(size.policies * 10).map((index) => ({
      apiVersion: V3,
      kind: 'GlobalNetworkPolicy',
      metadata: { name: `p${index}` },
      spec: {
        selector: `${app(index, size)} || ${app(3 * index, size)}`,
        ingress: numbers(Math.ceil(size.rulesPerPolicy / 10)).map((rule) => ({
          action: 'Allow',
          protocol: 'TCP',
          source: { selector: app(13 * index + rule, size) },
          destination: { ports: [port(100 * index + rule)] },
        })),
      },
    })),
  ],
};
