// Who the other end of a flow is, in the terms of a policy: a workload, a set of networks, a machine, a service, or nothing
// but an address.
import { DataplaneError } from '../../base/errors.ts';
import {
  type Cidr,
  containsAddress,
  type Family,
  formatAddress,
  type IpAddress,
  parseAddress,
  parseCidr,
} from '../../model/address.ts';
import type { HostEndpoint, NetworkSet, WorkloadEndpoint } from '../../model/endpoint.ts';
import type { ServiceReference } from '../../model/policy.ts';
import { type Inventory, itemKey, type Member } from '../inventory.ts';
import type { ClusterAddresses } from './cluster-addresses.ts';
import { chooseFor, namespaceOf, namespaceSelectorOf, type WorkloadGroup, type WorkloadGroups } from './groups.ts';
import { formatTerms } from './label-choice.ts';

export interface SetUnit {
  readonly kind: 'set' | 'host';
  readonly id: string;
  /** undefined = cluster-wide. */
  readonly namespace?: string;
  readonly name: string;
  readonly selector: string;
  readonly namespaceSelector?: string;
  readonly prefixes: readonly Cidr[];
  /** Of a host, those that its interfaces have besides: no selector knows them. */
  readonly found?: readonly Cidr[];
}

/** Who a policy is for: a workload, or an endpoint of a host, whose policy is global. */
export interface Subject {
  /** Of its unit. */
  readonly id: string;
  /** undefined = it is of none. */
  readonly namespace?: string;
  readonly name: string;
  readonly endpoints: readonly (WorkloadEndpoint | HostEndpoint)[];
  readonly selector: string;
  /** See WorkloadGroup. */
  readonly extra: number;
}

export interface ServiceUnit {
  readonly kind: 'service';
  readonly id: string;
  readonly service: ServiceReference;
  readonly addresses: readonly IpAddress[];
  /** `<protocol> <port>`: all that its backends offer. */
  readonly port: string;
}

export interface AddressUnit {
  readonly kind: 'address';
  readonly id: string;
  readonly address: IpAddress;
  /** `host node1`, `service shop/db`; undefined = nobody knows it. */
  readonly label?: string;
}

/** Addresses outside that a record does not name: those of the internet. */
export interface NetworkUnit {
  readonly kind: 'network';
  readonly id: string;
}

export type Unit = WorkloadGroup | SetUnit | ServiceUnit | AddressUnit | NetworkUnit;

export const PUBLIC_NETWORK: NetworkUnit = Object.freeze({ kind: 'network', id: 'network public' });

/** What is no public address: by family, as policies write it. */
export const NOT_PUBLIC: Readonly<Record<Family, readonly string[]>> = {
  4: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  6: ['fc00::/7', 'fe80::/10'],
};

/** Of the documentation's ranges (RFC 5737, RFC 3849): to be judged in the place of those that no record names. */
export const PUBLIC_EXAMPLES: readonly IpAddress[] = ['203.0.113.1', '2001:db8:ffff::1'].flatMap(
  (text) => parseAddress(text) ?? [],
);

const NOT_PUBLIC_NETS = Object.values(NOT_PUBLIC).flatMap((texts) => texts.flatMap((text) => parseCidr(text) ?? []));

export function isPublic(address: IpAddress): boolean {
  return !NOT_PUBLIC_NETS.some((net) => containsAddress(net, address));
}

/** Sets with shorter prefixes are not put in the place of addresses that were seen. */
const SET_BOUND = { 4: 16, 6: 48 } as const;

export class Units {
  readonly groups: WorkloadGroups;
  readonly #inventory: Inventory;
  readonly #global: readonly Member[];
  readonly #spaces = new Map<string, Member[]>();
  readonly #sets: readonly { readonly member: Member; readonly set: NetworkSet }[];
  readonly #hosts = new Map<string, Member>();
  readonly #chosen = new Map<string, SetUnit | undefined>();
  readonly #services = new Map<string, ServiceUnit>();
  readonly #clusterAddresses: ClusterAddresses;
  /** Names of services, by cluster address. */
  readonly #serviceNames: ReadonlyMap<string, string>;
  /** Hosts that are recommended for, by address: they come before all else that is known of it. */
  readonly #governed = new Map<string, SetUnit>();

  constructor(groups: WorkloadGroups, clusterAddresses: ClusterAddresses = new Map()) {
    this.groups = groups;
    this.#clusterAddresses = clusterAddresses;
    this.#serviceNames = new Map(
      [...clusterAddresses].flatMap(([name, all]) => all.map((address) => [formatAddress(address), name] as const)),
    );
    this.#inventory = groups.inventory;
    const members = [...this.#inventory.members.values()];
    this.#global = members.filter((member) => namespaceOf(member) === undefined);
    for (const member of members) this.#place(member);
    this.#sets = members.flatMap((member) =>
      member.object.type === 'networkSet' && isNarrow(member.object) ? [{ member, set: member.object }] : [],
    );
    this.#indexServices();
  }

  /** port = `<protocol> <port>` of a destination: a service's backends are meant where it offers nothing else. */
  at(address: IpAddress, port?: string): Unit {
    const group = this.groups.at(address);
    if (group !== undefined) return group;
    const text = formatAddress(address);
    const governed = this.#governed.get(text);
    if (governed !== undefined) return governed;
    const service = this.#services.get(text);
    if (service !== undefined && service.port === port) return service;
    const holders = this.#sets.filter(({ set }) => set.nets.some((net) => containsAddress(net, address)));
    // The narrowest set says most.
    holders.sort((a, b) => sizeOf(a.set) - sizeOf(b.set) || (a.member.key < b.member.key ? -1 : 1));
    for (const { member } of holders) {
      const unit = this.#unitOf(member);
      if (unit !== undefined) return unit;
    }
    return this.#outsider(address, text);
  }

  /**
   * A host as somebody that policies are for; found = on its interfaces. Throws INVALID_FIELD for one that no labels name, or
   * that has no address.
   */
  govern(endpoint: HostEndpoint, found: readonly IpAddress[] = []): Subject {
    const listed = new Set(endpoint.addresses.map(formatAddress));
    const others = found.filter((address) => !listed.has(formatAddress(address)));
    const whole = { ...endpoint, addresses: [...endpoint.addresses, ...others] };
    const known = this.#hostUnit(whole);
    const unit = others.length === 0 ? known : { ...known, found: prefixesOf({ addresses: others }) };
    for (const address of whole.addresses) this.#governed.set(formatAddress(address), unit);
    return { ...unit, endpoints: [whole], extra: 0 };
  }

  /** Addresses of a service, by name, of a record without an address. */
  addressesOf({ namespace, name }: ServiceReference): readonly IpAddress[] {
    return this.#clusterAddresses.get(`${namespace}/${name}`) ?? [];
  }

  /** By name, of a record without an address. */
  set(namespace: string | undefined, name: string): SetUnit | undefined {
    const found = this.#sets.find(({ set }) => set.name === name && set.namespace === namespace);
    return found && this.#unitOf(found.member);
  }

  #hostUnit(endpoint: HostEndpoint): SetUnit {
    const details = { operation: 'recommend', target: `host endpoint ${endpoint.name}` };
    const member = this.#inventory.members.get(itemKey(endpoint));
    if (member === undefined || endpoint.addresses.length === 0) {
      const hint = 'flows are told by address: list them in its expectedIPs';
      throw new DataplaneError('INVALID_FIELD', 'has no addresses', { ...details, hint });
    }
    const unit = this.#unitOf(member);
    if (unit !== undefined) return unit;
    const hint = 'give it a label that no other has, for a policy to select it by';
    throw new DataplaneError('INVALID_FIELD', 'has no labels that name it alone', { ...details, hint });
  }

  #outsider(address: IpAddress, text: string): Unit {
    const host = this.#hosts.get(text);
    const unit = host && this.#unitOf(host);
    if (unit !== undefined) return unit;
    const service = this.#serviceNames.get(text);
    const named = service === undefined ? undefined : `service ${service}`;
    const label = host === undefined ? named : `host ${host.object.name}`;
    return { kind: 'address', id: `address ${text}`, address, ...(label === undefined ? {} : { label }) };
  }

  /** undefined = no labels name it alone. */
  #unitOf(member: Member): SetUnit | undefined {
    if (this.#chosen.has(member.key)) return this.#chosen.get(member.key);
    const unit = this.#choose(member);
    this.#chosen.set(member.key, unit);
    return unit;
  }

  #choose(member: Member): SetUnit | undefined {
    const { object } = member;
    if (object.type === 'workloadEndpoint') return undefined;
    const namespace = namespaceOf(member);
    const among = namespace === undefined ? this.#global : (this.#spaces.get(namespace) ?? []);
    const { terms, extra } = chooseFor(member, among);
    if (extra > 0 || !terms.some(({ kind }) => kind === 'in')) return undefined;
    const namespaceSelector = namespace === undefined ? 'global()' : namespaceSelectorOf(member, namespace);
    const prefixes = object.type === 'networkSet' ? object.nets : prefixesOf(object);
    return {
      kind: object.type === 'networkSet' ? 'set' : 'host',
      id: `labels ${member.key}`,
      name: object.name,
      selector: formatTerms(terms),
      prefixes,
      ...(namespace === undefined ? {} : { namespace }),
      ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
    };
  }

  #place(member: Member): void {
    const namespace = namespaceOf(member);
    if (namespace !== undefined) {
      const space = this.#spaces.get(namespace);
      if (space === undefined) this.#spaces.set(namespace, [member]);
      else space.push(member);
    }
    if (member.object.type !== 'hostEndpoint') return;
    for (const address of member.object.addresses) this.#hosts.set(formatAddress(address), member);
  }

  /** Of services whose backends are no workloads, such as the API server. An address of two services is of neither. */
  #indexServices(): void {
    const units = new Map<string, { addresses: IpAddress[]; ports: Set<string> }>();
    for (const { namespace, service, addresses, ports } of this.#inventory.world.serviceSlices.values()) {
      const key = `${namespace}/${service}`;
      const all = units.get(key) ?? { addresses: [], ports: new Set() };
      all.addresses.push(...addresses);
      for (const { protocol, port } of ports) all.ports.add(`${protocol} ${port}`);
      units.set(key, all);
    }
    const shared = new Set<string>();
    for (const [key, rest] of units) {
      const [namespace = '', name = ''] = key.split('/');
      const [port, ...otherPorts] = rest.ports;
      if (port === undefined || otherPorts.length > 0) continue;
      const { addresses } = rest;
      const unit: ServiceUnit = {
        kind: 'service',
        id: `service ${key}`,
        service: { namespace, name },
        addresses,
        port,
      };
      for (const address of unit.addresses) {
        const text = formatAddress(address);
        if (this.#services.has(text) && this.#services.get(text) !== unit) shared.add(text);
        this.#services.set(text, unit);
      }
    }
    for (const text of shared) this.#services.delete(text);
  }
}

function prefixesOf({ addresses }: Pick<HostEndpoint, 'addresses'>): Cidr[] {
  return addresses.map((address) => ({ ...address, length: address.words.length * 32 }));
}

function isNarrow({ nets }: NetworkSet): boolean {
  return nets.every(({ family, length }) => length >= SET_BOUND[family]);
}

function sizeOf({ nets }: NetworkSet): number {
  return nets.reduce((sum, { words, length }) => sum + 2 ** (words.length * 32 - length), 0);
}
