// Wires the calc nodes once. Feed it model changes, read what this node must enforce.
//
//                      profiles' labels
//   endpoints, sets --> LabelIndex --> SelectorIndex --+--> SetRegistry --> AddressSets --> prefixes
//   service slices ---> ServiceIndex ------------------+         ^
//   tiers, policies, profiles --------> PolicyResolver <--> RuleScanner --> endpoints
//
// The output depends on the current inputs only, never on the order in which they came.
import { hostCidr } from '../model/address.ts';
import type { HostEndpoint, NetworkSet, WorkloadEndpoint } from '../model/endpoint.ts';
import type { ModelObject, ModelType } from '../model/world.ts';
import { AddressSets } from './address-sets.ts';
import { LabelIndex } from './label-index.ts';
import { PolicyResolver } from './policy-resolver.ts';
import type { DesiredState, LabelledItem } from './resolved.ts';
import { RuleScanner } from './rule-scanner.ts';
import { SelectorIndex } from './selector-index.ts';
import { ServiceIndex } from './service-index.ts';
import { SetRegistry } from './set-registry.ts';

export interface RemovedObject {
  readonly type: ModelType;
  readonly key: string;
}

export class CalcGraph {
  readonly #isLocal: (endpoint: WorkloadEndpoint) => boolean;
  readonly #sets = new AddressSets();
  readonly #selectors = new SelectorIndex();
  readonly #labels = new LabelIndex((item, labels) => this.#selectors.setItem(item, labels));
  readonly #services = new ServiceIndex();
  readonly #resolver: PolicyResolver;
  readonly #localKeys = new Set<string>();

  /** isLocal says which workload endpoints this node enforces. */
  constructor(isLocal: (endpoint: WorkloadEndpoint) => boolean) {
    this.#isLocal = isLocal;
    const registry = new SetRegistry(this.#sets, this.#selectors, this.#services);
    this.#resolver = new PolicyResolver(this.#selectors, new RuleScanner(registry));
  }

  /** Applies changes in any order; `changed` objects replace those of the same type and key. */
  apply(changed: Iterable<ModelObject>, removed: Iterable<RemovedObject>): void {
    for (const { type, key } of removed) this.#remove[type](key);
    for (const object of changed) this.#set(object);
  }

  /** Everything this node must enforce; the maps are live until the next apply. */
  flush(): DesiredState {
    this.#resolver.flush();
    return { endpoints: this.#resolver.endpoints, prefixes: this.#sets.prefixes };
  }

  #set(object: ModelObject): void {
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
        this.#setWorkloadEndpoint(object);
        break;
      case 'hostEndpoint':
      case 'networkSet':
        this.#labels.setItem(toItem(object));
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
    workloadEndpoint: (key) => this.#removeWorkloadEndpoint(itemKey('workloadEndpoint', key)),
    hostEndpoint: (key) => this.#labels.removeItem(itemKey('hostEndpoint', key)),
    networkSet: (key) => this.#labels.removeItem(itemKey('networkSet', key)),
  };

  #setWorkloadEndpoint(endpoint: WorkloadEndpoint): void {
    const key = itemKey('workloadEndpoint', endpoint.key);
    const isLocal = this.#isLocal(endpoint);
    if (!isLocal && this.#localKeys.has(key)) this.#removeWorkloadEndpoint(key);
    if (isLocal) {
      this.#localKeys.add(key);
      this.#resolver.setEndpoint(key, endpoint);
    }
    this.#labels.setItem(toItem(endpoint, isLocal ? endpoint : undefined));
  }

  #removeWorkloadEndpoint(key: string): void {
    this.#labels.removeItem(key);
    if (this.#localKeys.delete(key)) this.#resolver.removeEndpoint(key);
  }
}

function itemKey(type: LabelledObject['type'], key: string): string {
  return `${type}:${key}`;
}

type LabelledObject = WorkloadEndpoint | HostEndpoint | NetworkSet;

function toItem(object: LabelledObject, localEndpoint?: WorkloadEndpoint): LabelledItem {
  const { type, labels, profiles } = object;
  const prefixes = object.type === 'networkSet' ? object.nets : object.addresses.map(hostCidr);
  const ports = object.type === 'networkSet' ? [] : object.ports;
  return { key: itemKey(type, object.key), labels, profiles, prefixes, ports, localEndpoint };
}
