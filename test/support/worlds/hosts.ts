// Generated hosts: host endpoints of every kind, policies of all flavours, failsafe ports, interfaces, and packets on
// their way past them.
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { type Flow, hasPorts } from '../../../src/model/flow.ts';
import type { HostInterface } from '../../../src/model/host-interfaces.ts';
import { DEFAULT_NODE_SETTINGS } from '../../../src/model/host-settings.ts';
import type { Path, PathFlow } from '../../../src/model/path.ts';
import { address, anyFamily, cidr } from './addresses.ts';
import { hostPorts, NODES } from './endpoints.ts';
import { flowAmong } from './flows.ts';
import { firstOfEachName, type Manifest, manifestsOf } from './manifests.ts';
import { policySpec } from './policies.ts';
import { defined, Random } from './random.ts';
import type { Json } from './rules.ts';
import { valuesOf } from './schema-paths.ts';
import { type Surroundings, surroundingsOf } from './surroundings.ts';
import { labels, PORTS, PROFILES } from './vocabulary.ts';

export interface HostQuestion {
  readonly manifests: readonly Manifest[];
  readonly interfaces: readonly HostInterface[];
  readonly questions: readonly PathFlow[];
}

const HOST_INTERFACES = ['eth0', 'eth1', 'bond0'] as const;
const WORKLOAD_INTERFACES = ['cali0', 'cali1'] as const;
/** Some of them are in no list of interfaces. */
const PATH_ENDS = [...HOST_INTERFACES, ...HOST_INTERFACES, ...WORKLOAD_INTERFACES, 'lo', 'wlan0'] as const;
const SETTINGS = ['default', 'node.node1', 'node.node2', 'node.other', 'unrelated'] as const;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const LINK_TYPES = [130, 131, 132, 133, 134, 135, 135, 136, 136, 137, 143] as const;
const DHCPV6 = [546, 547] as const;
const LINK_SOURCES = ['::', 'fe80::1', 'fe80::9', '2001:db8::9'] as const;
const LINK_DESTINATIONS = ['ff02::1', 'ff02::1:2', 'ff02::1:ff00:1', 'fe80::1', '2001:db8::1', 'ff05::1:3'] as const;
const FAILSAFES = [...DEFAULT_NODE_SETTINGS.failsafes.ingress, ...DEFAULT_NODE_SETTINGS.failsafes.egress];

/** World number `index` of a seed, with that many packets. */
export function hostQuestionOf(seed: number, index: number, count: number): HostQuestion {
  const random = new Random(seed, index);
  const manifests = hostManifestsOf(random);
  const interfaces = interfacesOf(random, manifests);
  return { manifests, interfaces, questions: pathsAmong(random, manifests, interfaces, count) };
}

/** A world of workloads with hosts in it. */
export function hostManifestsOf(random: Random): Manifest[] {
  const hosts: Json[] = [
    ...random.list(1, 5, (index) => boundEndpoint(random, index)),
    ...random.list(2, 9, (index) => hostPolicy(random, index)),
    ...random.some(SETTINGS, 40).map((name) => settings(random, name)),
  ];
  return random.shuffle(firstOfEachName([...hosts, ...manifestsOf(random)]));
}

/** Interfaces of a machine; some have addresses that the manifests know. */
export function interfacesOf(random: Random, manifests: readonly Manifest[]): HostInterface[] {
  const expected: IpAddress[] = [];
  for (const manifest of manifests) {
    for (const { key, value } of valuesOf(manifest)) {
      const known = key === 'expectedIPs' && typeof value === 'string' ? parseAddress(value) : undefined;
      if (known !== undefined) expected.push(known);
    }
  }
  const one = (name: string, kind: HostInterface['kind']): HostInterface => ({
    name,
    kind,
    addresses: random.list(0, 2, () =>
      expected.length > 0 && random.chance(60)
        ? random.pick(expected)
        : (parseAddress(address(random, anyFamily(random))) as IpAddress),
    ),
  });
  return [
    ...random.some(HOST_INTERFACES, 80).map((name) => one(name, 'host')),
    ...WORKLOAD_INTERFACES.map((name) => one(name, 'workload')),
    one('lo', 'loopback'),
  ];
}

export function pathsAmong(
  random: Random,
  manifests: readonly Manifest[],
  interfaces: readonly HostInterface[],
  count: number,
): PathFlow[] {
  const around = surroundingsOf(manifests);
  const hosts = interfaces.flatMap(({ addresses }) => addresses);
  const owned = {
    4: [...around.owned[4], ...hosts.filter(({ family }) => family === 4)],
    6: [...around.owned[6], ...hosts.filter(({ family }) => family === 6)],
  };
  return Array.from({ length: count }, () => pathAmong(random, { ...around, owned }));
}

function pathAmong(random: Random, around: Surroundings): PathFlow {
  const among = flowAmong(random, around);
  const flow = random.weighted<Flow>(
    [69, () => among],
    [20, () => throughFailsafe(random, among)],
    [11, () => ofLink(random, around)],
  );
  const path = random.pick<() => Path>([
    () => ({ kind: 'to-host', in: random.pick(PATH_ENDS) }),
    () => ({ kind: 'from-host', out: random.pick(PATH_ENDS) }),
    () => ({ kind: 'forward', in: random.pick(PATH_ENDS), out: random.pick(PATH_ENDS) }),
  ])();
  const other = flowAmong(random, around);
  const isTranslated = path.kind !== 'from-host' && other.source.family === flow.source.family && random.chance(60);
  if (!isTranslated) return { flow, path };
  const destinationPort = hasPorts(flow.protocol) ? random.pick([flow.destinationPort, random.pick(PORTS)]) : 0;
  return { flow, path, beforeNat: { destination: other.destination, destinationPort } };
}

/** To a failsafe port, or from one. */
function throughFailsafe(random: Random, flow: Flow): Flow {
  const { protocol, port } = random.pick(FAILSAFES);
  const ports = { sourcePort: random.pick(PORTS), destinationPort: port };
  const reversed = { sourcePort: port, destinationPort: random.pick(PORTS) };
  const chosen = random.chance(60) ? ports : reversed;
  return {
    ...flow,
    protocol: random.chance(90) ? protocol : TCP + UDP - protocol,
    ...chosen,
    icmpType: 0,
    icmpCode: 0,
  };
}

/** What neighbours say to each other on a link, or what looks like it: ICMPv6 of all types about discovery, and DHCPv6. */
function ofLink(random: Random, { owned }: Surroundings): Flow {
  const end = (others: readonly string[]): IpAddress =>
    owned[6].length > 0 && random.chance(70) ? random.pick(owned[6]) : (parseAddress(random.pick(others)) as IpAddress);
  const [source, destination] = [end(LINK_SOURCES), end(LINK_DESTINATIONS)];
  const none = { sourcePort: 0, destinationPort: 0, icmpType: 0, icmpCode: 0 };
  if (random.chance(70)) return { ...none, source, destination, protocol: ICMPV6, icmpType: random.pick(LINK_TYPES) };
  const [sourcePort, destinationPort] = [random.pick(DHCPV6), random.pick(DHCPV6)];
  return { ...none, source, destination, protocol: UDP, sourcePort, destinationPort };
}

/** Of a named interface, of every interface, or found by its addresses. */
function boundEndpoint(random: Random, index: number): Json {
  const expectedIPs = random.list(1, 2, () => address(random, anyFamily(random)));
  const place = random.weighted<Json>(
    [3, () => ({ interfaceName: random.pick(HOST_INTERFACES) })],
    [2, () => ({ interfaceName: '*' })],
    [3, () => ({ expectedIPs })],
    [1, () => ({ interfaceName: random.pick(HOST_INTERFACES), expectedIPs })],
  );
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: defined({ name: `bound${random.between(0, 9)}${index}`, labels: labels(random) }),
    spec: defined({
      node: random.pick(NODES),
      ...place,
      profiles: random.maybe(50, () => random.some(PROFILES)),
      ports: random.maybe(30, () => hostPorts(random)),
    }),
  };
}

function hostPolicy(random: Random, index: number): Json {
  const isStaged = random.chance(15);
  const special = random.weighted<Json>(
    [3, () => ({})],
    [3, () => ({ applyOnForward: true })],
    [3, () => ({ applyOnForward: true, doNotTrack: true })],
    [3, () => ({ applyOnForward: true, preDNAT: true })],
  );
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: isStaged ? 'StagedGlobalNetworkPolicy' : 'GlobalNetworkPolicy',
    metadata: defined({ name: `host${index}` }),
    spec: policySpec(random, true, isStaged, special),
  };
}

function settings(random: Random, name: string): Json {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'FelixConfiguration',
    metadata: defined({ name }),
    spec: defined({
      defaultEndpointToHostAction: random.maybe(60, () => random.pick(['Drop', 'Accept', 'RETURN', 'return'])),
      failsafeInboundHostPorts: random.maybe(40, () => failsafes(random)),
      failsafeOutboundHostPorts: random.maybe(40, () => failsafes(random)),
    }),
  };
}

/** As a list, or as the text that Felix takes from its environment. */
function failsafes(random: Random): unknown {
  const items = random.list(0, 4, () => {
    const { protocol, port } = random.pick(FAILSAFES);
    const net = random.maybe(50, () => cidr(random, anyFamily(random)));
    return { protocol: protocol === TCP ? 'tcp' : 'udp', port, net };
  });
  if (random.chance(75))
    return items.map((item) =>
      defined({ ...item, protocol: random.pick([item.protocol, item.protocol.toUpperCase()]) }),
    );
  if (items.length === 0) return 'none';
  return items
    .map(({ protocol, port, net }) =>
      [protocol, ...(net === undefined ? [] : [net.includes(':') ? `[${net}]` : net]), port].join(':'),
    )
    .join(',');
}
