// The calc nodes, wired once: model changes in, what this node must enforce out. Part of CalcGraph, which makes new ones
// when these have thrown.
//
//                      profiles' labels
//   endpoints, sets --> LabelIndex --> SelectorIndex (peers) --+--> SetRegistry --> AddressSets --> prefixes
//                            |  local ones                     |         ^
//   service slices ---> ServiceIndex --------------------------+         |
//                            v                                           |
//                       SelectorIndex (governed) --> PolicyResolver <--> RuleScanner --> endpoints
//   tiers, policies, profiles, host settings -----------^
//
// There are two selector indexes because a cluster has many endpoints and many policies, but few endpoints are local
// and only rules of policies that govern those ask for anybody else.
import { hostCidr } from '../model/address.ts';
import type { HostEndpoint, NetworkSet, WorkloadEndpoint } from '../model/endpoint.ts';
import type { ModelObject, ModelType } from '../model/world.ts';
import { AddressSets } from './address-sets.ts';
import { LabelIndex } from './label-index.ts';
import { type CalcLimits, LimitedCount } from './limits.ts';
import { PolicyResolver } from './policy-resolver.ts';
import type { DesiredState, LabelledItem } from './resolved.ts';
import { RuleScanner } from './rule-scanner.ts';
import { SelectorIndex } from './selector-index.ts';
import { ServiceIndex } from './service-index.ts';
import { SetRegistry } from './set-registry.ts';

export class CalcNodes {
  readonly #isLocal: IsLocal;
  readonly #sets: AddressSets;
  readonly #labels: LabelIndex;
  readonly #services = new ServiceIndex();
  readonly #resolver: PolicyResolver;
  readonly #localKeys = new Set<string>();

  /** isLocal says which endpoints this node enforces. */
  constructor(isLocal: IsLocal, limits: CalcLimits) {
    this.#isLocal = isLocal;
    this.#sets = new AddressSets(limits);
    const tried = new LimitedCount('selectorConditions', limits);
    const peers = new SelectorIndex(tried);
    const governed = new SelectorIndex(tried);
    this.#labels = new LabelIndex((item, labels) => {
      peers.setItem(item, labels);
      if (item.localEndpoint !== undefined) governed.setItem(item, labels);
    });
    const registry = new SetRegistry(this.#sets, peers, this.#services);
    this.#resolver = new PolicyResolver(governed, new RuleScanner(registry, limits), limits);
  }

  /** Everything this node must enforce; the maps are live. Throws LIMIT_EXCEEDED. */
  flush(): DesiredState {
    this.#resolver.flush();
    const { endpoints, hostEndpoints, hostSettings } = this.#resolver;
    return { endpoints, hostEndpoints, hostSettings, prefixes: this.#sets.prefixes, prefixChanges: this.#sets.changes };
  }

  /** Throws LIMIT_EXCEEDED, and is of no use from then on. */
  remove(type: ModelType, key: string): void {
    this.#remove[type](key);
  }

  /** Throws LIMIT_EXCEEDED, and is of no use from then on. */
  set(object: ModelObject): void {
    switch (object.type) {
      case 'policy':
        this.#resolver.setPolicy(object.key, object);
        break;
      case 'tier':
        this.#resolver.setTier(object.name, object);
        break;
      case 'profile':
        this.#labels.setProfile(object.name, object.labels);
        this.#resolver.setProfile(object.name, object);
        break;
      case 'serviceSlice':
        this.#services.setSlice(object);
        break;
      case 'workloadEndpoint':
      case 'hostEndpoint':
        this.#setEndpoint(object);
        break;
      case 'hostSettings':
        this.#resolver.setHostSettings(object.key, object);
        break;
      case 'networkSet':
        this.#labels.setItem(new ObjectItem(itemKey(object.type, object.key), object));
        break;
    }
  }

  readonly #remove: Readonly<Record<ModelType, (key: string) => void>> = {
    policy: (key) => this.#resolver.setPolicy(key, undefined),
    tier: (key) => this.#resolver.setTier(key, undefined),
    profile: (key) => {
      this.#labels.setProfile(key, undefined);
      this.#resolver.setProfile(key, undefined);
    },
    serviceSlice: (key) => this.#services.removeSlice(key),
    workloadEndpoint: (key) => this.#removeEndpoint(itemKey('workloadEndpoint', key)),
    hostEndpoint: (key) => this.#removeEndpoint(itemKey('hostEndpoint', key)),
    hostSettings: (key) => this.#resolver.setHostSettings(key, undefined),
    networkSet: (key) => this.#labels.removeItem(itemKey('networkSet', key)),
  };

  #setEndpoint(endpoint: WorkloadEndpoint | HostEndpoint): void {
    const key = itemKey(endpoint.type, endpoint.key);
    const isLocal = this.#isLocal(endpoint);
    if (!isLocal && this.#localKeys.size > 0 && this.#localKeys.has(key)) this.#removeEndpoint(key);
    if (isLocal) {
      this.#localKeys.add(key);
      this.#resolver.setEndpoint(key, endpoint);
    }
    this.#labels.setItem(new ObjectItem(key, endpoint, isLocal ? endpoint : undefined));
  }

  #removeEndpoint(key: string): void {
    this.#labels.removeItem(key);
    if (this.#localKeys.delete(key)) this.#resolver.removeEndpoint(key);
  }
}

function itemKey(type: LabelledObject['type'], key: string): string {
  return `${type}:${key}`;
}

/** Which endpoints a node enforces. */
export type IsLocal = (endpoint: WorkloadEndpoint | HostEndpoint) => boolean;

type LabelledObject = WorkloadEndpoint | HostEndpoint | NetworkSet;

const NO_PORTS: LabelledItem['ports'] = [];

/** Prefixes are made when a set asks for them: most items of a cluster are in no set of this node. */
class ObjectItem implements LabelledItem {
  readonly key: string;
  readonly localEndpoint?: LabelledItem['localEndpoint'];
  readonly #object: LabelledObject;

  constructor(key: string, object: LabelledObject, localEndpoint?: LabelledItem['localEndpoint']) {
    this.key = key;
    this.#object = object;
    this.localEndpoint = localEndpoint;
  }

  get labels(): LabelledItem['labels'] {
    return this.#object.labels;
  }

  get profiles(): LabelledItem['profiles'] {
    return this.#object.profiles;
  }

  get prefixes(): LabelledItem['prefixes'] {
    return this.#object.type === 'networkSet' ? this.#object.nets : this.#object.addresses.map(hostCidr);
  }

  get ports(): LabelledItem['ports'] {
    return this.#object.type === 'networkSet' ? NO_PORTS : this.#object.ports;
  }
}
