// Names for flow logs, answered from what is in force: who has an address, what a word says.
import { isEqual } from '../../base/equal.ts';
import type { DesiredState } from '../../calc/resolved.ts';
import { type Cidr, type IpAddress, parseAddress } from '../../model/address.ts';
import type { HostEndpoint, NetworkSet, WorkloadEndpoint } from '../../model/endpoint.ts';
import { endpointOfInterface, type HostInterface, resolveInterfaces } from '../../model/host-interfaces.ts';
import type { FlowNames, NamedEnd, NamedService, WordVerdict } from '../../model/name-lookup.ts';
import type { World } from '../../model/world.ts';
import { alikeName } from '../../observe/flow-query/alike-name.ts';
import { protocolNumber } from '../../resources/protocols.ts';
import type { Resource } from '../../resources/resource.ts';
import type { TableCompiler } from '../../tables/compiler.ts';
import { decodeWord } from '../../tables/words.ts';

export interface FlowNameSources {
  readonly world: () => World;
  readonly desired: () => DesiredState;
  readonly resources: () => Iterable<Resource>;
  /** Another number than before: Services among them are others. */
  readonly serviceChanges: () => number;
  readonly compiler: Pick<TableCompiler, 'stories'>;
  readonly isLocal: (endpoint: { readonly node: string }) => boolean;
  /** Of this host: one list for as long as nothing about them is new. */
  readonly interfaces: () => readonly HostInterface[];
}

type AddressKey = number | string;

/** An address of an interface, and the host endpoint that is responsible there. */
interface HeldAddress {
  readonly address: IpAddress;
  readonly endpoint: HostEndpoint;
}

export class AgentFlowNames implements FlowNames {
  readonly #sources: FlowNameSources;
  #indexed: DesiredState | undefined;
  #interfaces: readonly HostInterface[] = [];
  #held: readonly HeldAddress[] = [];
  #ends = new Map<AddressKey, NamedEnd>();
  #nets = new PrefixIndex();
  #services = new Map<string, NamedService>();
  #serviceChanges: number | undefined;

  constructor(sources: FlowNameSources) {
    this.#sources = sources;
  }

  /** Looks at what is in force, if that, a Service or an address of the host is another than the last time; false = none is. */
  renew(): boolean {
    const isOfEnds = this.#renewEnds();
    return this.#renewServices() || isOfEnds;
  }

  #renewEnds(): boolean {
    const desired = this.#sources.desired();
    const interfaces = this.#sources.interfaces();
    if (desired === this.#indexed && interfaces === this.#interfaces) return false;
    const held = heldAddresses(desired, interfaces);
    const isKnown = desired === this.#indexed && isEqual(held, this.#held);
    this.#indexed = desired;
    this.#interfaces = interfaces;
    this.#held = held;
    if (!isKnown) this.#index();
    return !isKnown;
  }

  #index(): void {
    const { workloadEndpoints, hostEndpoints, networkSets } = this.#sources.world();
    this.#ends = new Map();
    for (const endpoint of workloadEndpoints.values()) this.#addEnd(endpoint, nameWorkload(endpoint));
    // Before what endpoints expect: who has the address is known here.
    for (const { address, endpoint } of this.#held)
      this.#addEnd({ node: endpoint.node, addresses: [address] }, nameHost(endpoint));
    for (const endpoint of hostEndpoints.values()) this.#addEnd(endpoint, nameHost(endpoint));
    this.#nets = new PrefixIndex();
    for (const set of networkSets.values()) this.#nets.add(set);
  }

  /** They are no part of the desired state. */
  #renewServices(): boolean {
    const changes = this.#sources.serviceChanges();
    if (changes === this.#serviceChanges) return false;
    this.#serviceChanges = changes;
    this.#services = servicesByPlace(this.#sources.resources());
    return true;
  }

  endAt(address: IpAddress): NamedEnd | undefined {
    return this.#ends.get(keyOf(address)) ?? this.#nets.find(address);
  }

  serviceAt(address: IpAddress, protocol: number, port: number): NamedService | undefined {
    if (this.#services.size === 0) return undefined;
    return this.#services.get(`${keyOf(address)} ${protocol} ${port}`);
  }

  verdict(word: number): WordVerdict {
    return decodeWord(word, '', this.#sources.compiler.stories);
  }

  /** Of endpoints that share an address the first counts. */
  #addEnd(
    endpoint: { readonly node: string; readonly addresses: readonly IpAddress[] },
    named: Omit<NamedEnd, 'isLocal'>,
  ): void {
    const end = { ...named, isLocal: this.#sources.isLocal(endpoint) };
    for (const address of endpoint.addresses) {
      const key = keyOf(address);
      if (!this.#ends.has(key)) this.#ends.set(key, end);
    }
  }
}

function nameWorkload(endpoint: WorkloadEndpoint): Omit<NamedEnd, 'isLocal'> {
  const { namespace, displayName, labels } = endpoint;
  const name = displayName.slice(namespace.length + 1);
  return { type: 'wep', namespace, name, aggregatedName: aggregatedName(name, labels), labels };
}

function nameHost({ name, node, labels }: HostEndpoint): Omit<NamedEnd, 'isLocal'> {
  return { type: 'hep', namespace: '', name, aggregatedName: node, labels };
}

/** Addresses of workloads' interfaces and of the loopback are nobody's. */
function heldAddresses({ hostEndpoints }: DesiredState, interfaces: readonly HostInterface[]): HeldAddress[] {
  if (hostEndpoints.size === 0) return [];
  const endpoints = [...hostEndpoints.values()].map(({ endpoint }) => endpoint);
  const resolved = resolveInterfaces(endpoints, interfaces);
  return interfaces.flatMap(({ name, kind, addresses }) => {
    const endpoint = kind === 'host' ? endpointOfInterface(resolved, name) : undefined;
    return endpoint === undefined ? [] : addresses.map((address) => ({ address, endpoint }));
  });
}

/** Labels that controllers put on the pods they make, whose names they complete themselves. */
const MADE_BY_CONTROLLER = [
  'pod-template-hash',
  'controller-revision-hash',
  'statefulset.kubernetes.io/pod-name',
  'batch.kubernetes.io/job-name',
  'job-name',
];

function aggregatedName(name: string, labels: Readonly<Record<string, string>>): string {
  return (MADE_BY_CONTROLLER.some((label) => Object.hasOwn(labels, label)) ? alikeName(name) : undefined) ?? name;
}

function keyOf({ words }: IpAddress): AddressKey {
  return words.length === 1 ? (words[0] as number) : words.join();
}

/** Longest prefix first, one map for each length that there is. */
class PrefixIndex {
  readonly #byFamily = {
    4: new Map<number, Map<AddressKey, NamedEnd>>(),
    6: new Map<number, Map<AddressKey, NamedEnd>>(),
  };
  readonly #lengths: { 4: readonly number[]; 6: readonly number[] } = { 4: [], 6: [] };

  add({ namespace = '', name, labels, nets }: NetworkSet): void {
    const end: NamedEnd = { type: 'ns', namespace, name, aggregatedName: name, labels, isLocal: false };
    for (const net of nets) this.#addNet(net, end);
  }

  find(address: IpAddress): NamedEnd | undefined {
    const maps = this.#byFamily[address.family];
    for (const length of this.#lengths[address.family]) {
      const end = maps.get(length)?.get(maskedKey(address, length));
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #addNet(net: Cidr, end: NamedEnd): void {
    const maps = this.#byFamily[net.family];
    let map = maps.get(net.length);
    if (map === undefined) {
      map = new Map();
      maps.set(net.length, map);
      this.#lengths[net.family] = [...maps.keys()].sort((a, b) => b - a);
    }
    const key = maskedKey(net, net.length);
    if (!map.has(key)) map.set(key, end);
  }
}

function maskedKey({ words }: IpAddress, length: number): AddressKey {
  const masked = words.map((word, index) => maskWord(word, length - 32 * index));
  return masked.length === 1 ? (masked[0] as number) : masked.join();
}

function maskWord(word: number, bits: number): number {
  if (bits >= 32) return word;
  return bits <= 0 ? 0 : (word & (0xffffffff << (32 - bits))) >>> 0;
}

/** By cluster address, protocol and port. */
function servicesByPlace(resources: Iterable<Resource>): Map<string, NamedService> {
  const services = new Map<string, NamedService>();
  for (const resource of resources) {
    if (resource.type !== 'Service') continue;
    const { clusterIP, clusterIPs, ports = [] } = resource.spec;
    for (const text of clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP])) {
      const address = parseAddress(text);
      if (address === undefined) continue;
      for (const { name = '', protocol = 'TCP', port } of ports) {
        const place = `${keyOf(address)} ${protocolNumber(protocol)} ${port}`;
        services.set(place, { namespace: resource.namespace ?? '', name: resource.name, portName: name, port });
      }
    }
  }
  return services;
}
