// Two workloads that speak and a third that changes, and an endless row of policies for them. Consecutive versions differ in what they
// allow and in how they say what stays allowed, so that neither a mixture of two nor a stale half of one goes unseen. Pure.
import type { JudgedFlow } from './flip-judge.ts';
import type { WitnessKind } from './witness.ts';

export const NODE = 'node1';
export const CLIENT = 'client';
export const SERVER = 'server';
const THIRD = 'third';

/** Allowed by all versions, and by none. */
const OPEN = 7000;
const SHUT = 7100;
/** By every other version: of the receiver's side, the two by turns, and of the sender's. */
const EVEN = 7201;
const ODD = 7202;
const SENDER_EVEN = 7203;

interface FlipWorkload {
  readonly name: string;
  readonly hostInterface: string;
  readonly addresses: readonly [string, string];
}

export const FLIP_WORKLOADS: readonly FlipWorkload[] = [CLIENT, SERVER, THIRD].map((name, index) => ({
  name,
  hostInterface: `cali${name}`,
  addresses: [`10.66.0.${index + 1}`, `fd00:66::${index + 1}`],
}));

const isEven = (version: number): boolean => version % 2 === 0;

const ALLOWED: Readonly<Record<number, (version: number) => boolean>> = {
  [OPEN]: () => true,
  [SHUT]: () => false,
  [EVEN]: isEven,
  [ODD]: (version) => !isEven(version),
  [SENDER_EVEN]: isEven,
};

/** Whether a version lets the client speak to the server at this port, by TCP and UDP. */
export function isAllowed(version: number, port: number): boolean {
  return ALLOWED[port]?.(version) ?? false;
}

/** Every kind of traffic at every port, in either family; TCP at the closed one has nothing to count. */
export function flipFlows(): JudgedFlow[] {
  const [, server] = FLIP_WORKLOADS;
  const ports = Object.keys(ALLOWED).map(Number);
  const kinds: readonly WitnessKind[] = ['udp', 'new', 'syn', 'tcp'];
  return kinds.flatMap((kind) =>
    (server?.addresses ?? []).flatMap((address) =>
      ports.map((port) => ({ kind, address, port, isAllowed: (version: number) => isAllowed(version, port) })),
    ),
  );
}

/** Those of the whole world but its policy. */
export function flipEndpoints(): object[] {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab', labels: { team: 'lab' } } };
  return [namespace, ...FLIP_WORKLOADS.filter(({ name }) => name !== THIRD).map((one) => endpoint(one, []))];
}

/** One version, for one file: a change from one to the next is one change. */
export function flipPolicy(version: number): object[] {
  const third = FLIP_WORKLOADS[2] as FlipWorkload;
  return [serverPolicy(version), clientPolicy(version), junkSet(version), endpoint(third, moreAddresses(version))];
}

/** Rows of the endpoint maps come and go with these, several at a time. */
function moreAddresses(version: number): string[] {
  return Array.from({ length: version % 4 }, (_, index) => `10.66.1.${(version % 50) * 4 + index}`);
}

function endpoint({ name, hostInterface, addresses }: FlipWorkload, more: readonly string[]): object {
  const networks = [`${addresses[0]}/32`, `${addresses[1]}/128`, ...more.map((address) => `${address}/32`)];
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { name: `${NODE}-k8s-${name}-eth0`, namespace: 'lab', labels: { app: name } },
    spec: {
      node: NODE,
      orchestrator: 'k8s',
      pod: name,
      endpoint: 'eth0',
      interfaceName: hostInterface,
      ipNetworks: networks,
      profiles: ['kns.lab'],
    },
  };
}

interface Peer {
  readonly selector?: string;
  readonly nets?: readonly string[];
}

const SELECTED: Peer = { selector: `app == '${CLIENT}'` };
const NETS: readonly Peer[] = [{ nets: ['10.66.0.0/24'] }, { nets: ['fd00:66::/64'] }];

function rules(action: string, ports: readonly number[], sources: readonly Peer[]): object[] {
  return sources.flatMap((source) =>
    ['TCP', 'UDP'].map((protocol) => ({ action, protocol, source, destination: { ports } })),
  );
}

function policy(name: string, spec: object): object {
  const selector = `app == '${name}'`;
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'lab' },
    spec: { order: 100, selector, ...spec },
  };
}

/** What is always open is said by a selector or by prefixes; what never is, by an early refusal or by not being named. */
function serverPolicy(version: number): object {
  const always = [OPEN, SENDER_EVEN];
  const ingress = isEven(version)
    ? [
        ...rules('Deny', [SHUT], [SELECTED]),
        ...junkRules(version),
        ...rules('Allow', [...always, EVEN, SHUT], [SELECTED]),
      ]
    : [...rules('Allow', [...always, ODD], NETS), ...junkRules(version)];
  return policy(SERVER, { types: ['Ingress'], ingress });
}

function clientPolicy(version: number): object {
  const denied = isEven(version) ? [] : rules('Deny', [SENDER_EVEN], [{}]);
  return policy(CLIENT, { types: ['Egress'], egress: [...denied, { action: 'Allow' }] });
}

/** Classes of addresses and ports that no packet here is of, so that tables move about. */
function junkRules(version: number): object[] {
  return Array.from({ length: 6 }, (_, index) => {
    const third = (version * 7 + index * 31) % 256;
    const source = { nets: [`198.51.${third}.${(index * 16) % 256}/28`, `203.0.${third}.0/${25 + (index % 4)}`] };
    return {
      action: 'Allow',
      protocol: 'TCP',
      source,
      destination: { ports: [20_000 + ((version * 13 + index) % 5000)] },
    };
  });
}

function junkSet(version: number): object {
  const nets = Array.from({ length: 20 }, (_, index) => `192.0.${(version + index) % 256}.${(index * 8) % 256}/29`);
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkSet',
    metadata: { name: 'junk', labels: { app: isEven(version) ? 'junk' : CLIENT } },
    spec: { nets },
  };
}
