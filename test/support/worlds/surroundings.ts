// What of a world its flows may touch: addresses of workloads, edges of prefixes, ports and who offers them, and what
// single rules demand. Read from the manifests as written, not through the code under test.
import { maskWord } from '../../../src/base/ip-text.ts';
import { type Family, type IpAddress, parseAddress, parseCidr } from '../../../src/model/address.ts';
import { protocolNumber } from '../../../src/resources/protocols.ts';
import type { Manifest } from './manifests.ts';
import type { Json } from './rules.ts';
import { valuesOf } from './schema-paths.ts';
import { PORTS } from './vocabulary.ts';

export type ByFamily = Readonly<Record<Family, readonly IpAddress[]>>;

/** A port that some addresses offer, under a name or for a service. */
export interface Offer {
  readonly addresses: ByFamily;
  /** Of the port. */
  readonly name: unknown;
  /** `<namespace>/<name>` of the service; undefined = none. */
  readonly service: string | undefined;
  readonly protocol: number;
  readonly port: number;
}

/** What a packet must have for one rule to match it, as far as that can be read off the rule; empty = anything. */
export interface Target {
  readonly protocol: number | undefined;
  readonly icmp: { readonly type?: number; readonly code?: number };
  readonly source: SideTarget;
  readonly destination: SideTarget;
}

export interface SideTarget {
  readonly addresses: ByFamily;
  readonly ports: readonly number[];
  /** Of the names and services that the side asks for. */
  readonly offers: readonly Offer[];
}

export interface Surroundings {
  /** Of workloads. */
  readonly owned: ByFamily;
  /** Ends of every prefix, and the addresses next to them. */
  readonly edges: ByFamily;
  /** With their neighbours. */
  readonly ports: readonly number[];
  readonly offers: readonly Offer[];
  readonly targets: readonly Target[];
}

const WORKLOAD_KINDS: readonly unknown[] = ['WorkloadEndpoint', 'Pod'];
const OWN_FIELDS: readonly string[] = ['ipNetworks', 'ip', 'podIP'];
const ADDRESS_FIELDS: readonly string[] = [...OWN_FIELDS, 'expectedIPs', 'addresses'];
const PORT_FIELDS: readonly string[] = [
  'port',
  'endPort',
  'containerPort',
  'ports',
  'notPorts',
  'number',
  'start',
  'end',
];

export function surroundingsOf(manifests: readonly Manifest[]): Surroundings {
  const owned = new Addresses();
  const edges = new Addresses();
  const ports = new Set<number>([0, ...PORTS]);
  for (const manifest of manifests) {
    const isWorkload = WORKLOAD_KINDS.includes(manifest.kind);
    for (const { key, value } of valuesOf(manifest)) {
      (isWorkload && OWN_FIELDS.includes(key) ? owned : edges).addEdges(value);
      if (PORT_FIELDS.includes(key)) for (const port of portEdges(value)) ports.add(port);
    }
  }
  const offers = manifests.flatMap(offersOf);
  const targets = manifests.flatMap((manifest) => targetsOf(manifest, offers));
  return { owned, edges, ports: [...ports], offers, targets };
}

class Addresses implements ByFamily {
  readonly 4: IpAddress[] = [];
  readonly 6: IpAddress[] = [];

  /** First and last address of a prefix and the ones before and after; an address alone; nothing for other values. */
  addEdges(value: unknown): this {
    const prefix = typeof value === 'string' && ADDRESS_TEXT.test(value) ? parseCidr(value) : undefined;
    if (prefix === undefined) return this;
    const { family, words, length } = prefix;
    this[family].push({ family, words });
    if (length === words.length * 32) return this;
    const last = { family, words: words.map((word, index) => (word | ~maskWord(length, index)) >>> 0) };
    this[family].push(last, neighbour(prefix, -1), neighbour(last, 1));
    return this;
  }
}

const ADDRESS_TEXT = /^[0-9a-fA-F:.]+(?:\/\d+)?$/;

/** Of workloads, host endpoints and slices. */
function offersOf(manifest: Manifest): Offer[] {
  const addresses = new Addresses();
  const ports: Json[] = [];
  for (const { key, value } of valuesOf(manifest)) {
    if (ADDRESS_FIELDS.includes(key)) addresses.addEdges(value);
    if (key === 'ports' && typeof value === 'object' && !Array.isArray(value)) ports.push(value as Json);
  }
  if (addresses[4].length + addresses[6].length === 0) return [];
  const { namespace, labels = {} } = manifest.metadata as { namespace?: string; labels?: Json };
  const serviceName = labels['kubernetes.io/service-name'];
  const service = serviceName === undefined ? undefined : `${namespace}/${serviceName}`;
  return ports.flatMap(({ name, protocol = 'TCP', port, containerPort = port }) => {
    const number = protocolNumber(protocol as string | number);
    if (number === undefined || typeof containerPort !== 'number') return [];
    return [{ addresses, name, service, protocol: number, port: containerPort }];
  });
}

function targetsOf(manifest: Manifest, offers: readonly Offer[]): Target[] {
  const { namespace = '' } = manifest.metadata as { namespace?: string };
  const targets: Target[] = [];
  for (const { value } of valuesOf(manifest)) {
    if (typeof value !== 'object' || value === null || !('action' in value)) continue;
    const { protocol, icmp = {}, source = {}, destination = {} } = value as Json;
    targets.push({
      protocol: protocol === undefined ? undefined : protocolNumber(protocol as string | number),
      icmp: icmp as Target['icmp'],
      source: sideTargetOf(source as Json, namespace, offers),
      destination: sideTargetOf(destination as Json, namespace, offers),
    });
  }
  return targets;
}

function sideTargetOf(
  { nets = [], ports = [], services }: Json,
  namespace: string,
  offers: readonly Offer[],
): SideTarget {
  const addresses = new Addresses();
  for (const net of nets as string[]) addresses.addEdges(net);
  const wanted = services as { name: string; namespace?: string } | undefined;
  const service = wanted === undefined ? undefined : `${wanted.namespace || namespace}/${wanted.name}`;
  const isWanted = (offer: Offer): boolean =>
    service === undefined ? (ports as unknown[]).includes(offer.name) : offer.service === service;
  return { addresses, ports: (ports as unknown[]).flatMap(portEdges), offers: offers.filter(isWanted) };
}

/** The address one before or after; past the end of the family's space it starts again. */
function neighbour({ family, words }: IpAddress, step: 1 | -1): IpAddress {
  const result = [...words];
  for (let index = words.length - 1; index >= 0; index--) {
    const word = ((result[index] as number) + step) >>> 0;
    result[index] = word;
    if (step === 1 ? word !== 0 : word !== 0xffffffff) break;
  }
  return { family, words: result };
}

/** The numbers of a port item with those next to them. */
function portEdges(value: unknown): number[] {
  const numbers = typeof value === 'number' || typeof value === 'string' ? String(value).split(':').map(Number) : [];
  return numbers.flatMap((port) => [port - 1, port, port + 1]).filter((port) => port >= 0 && port <= 65535);
}

/** Text that the generators made, as an address. */
export function knownAddress(text: string): IpAddress {
  return parseAddress(text) as IpAddress;
}
