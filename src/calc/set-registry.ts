// The sets that rules ask for, by definition: CIDR lists, selectors, named ports, services. Equal definitions share a
// set; the last user's release takes its members away.

import { type Cidr, formatCidr } from '../model/address.ts';
import type { ServiceReference } from '../model/policy.ts';
import type { Selector } from '../model/selector/ast.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import { supportsPorts } from '../resources/protocols.ts';
import type { AddressSets } from './address-sets.ts';
import { PortPoints } from './port-points.ts';
import type { LabelledItem, PortSet, SetId } from './resolved.ts';
import type { SelectorIndex } from './selector-index.ts';
import type { ServiceIndex } from './service-index.ts';

/** Something acquired; close gives it back. */
export interface Acquired<T> {
  readonly value: T;
  release(): void;
}

interface Shared<T> {
  readonly value: T;
  users: number;
  readonly close: () => void;
}

export class SetRegistry {
  readonly #shared = new Map<string, Shared<unknown>>();
  readonly #sets: AddressSets;
  readonly #selectors: SelectorIndex;
  readonly #services: ServiceIndex;

  constructor(sets: AddressSets, selectors: SelectorIndex, services: ServiceIndex) {
    this.#sets = sets;
    this.#selectors = selectors;
    this.#services = services;
  }

  /** Addresses in any of the CIDRs. */
  cidrs(cidrs: readonly Cidr[]): Acquired<SetId> {
    const unique = new Map(cidrs.map((cidr) => [formatCidr(cidr), cidr]));
    return this.#acquire(`cidrs:${[...unique.keys()].sort().join(',')}`, () => {
      const set = this.#sets.newSet();
      this.#sets.addAll(set, unique.values());
      return { value: set, close: () => this.#sets.removeAll(set, unique.values()) };
    });
  }

  /** Addresses of the endpoints and network sets that the selector matches. */
  selected(selector: Selector): Acquired<SetId> {
    return this.#acquire(`selector:${formatSelector(selector)}`, () => {
      const set = this.#sets.newSet();
      const close = this.#follow(
        selector,
        (item) => this.#sets.addAll(set, item.prefixes),
        (item) => this.#sets.removeAll(set, item.prefixes),
      );
      return { value: set, close };
    });
  }

  /** Holders of the port name among the endpoints that the selector matches; protocol undefined = every protocol with ports. */
  namedPort(selector: Selector, name: string, protocol: number | undefined): Acquired<PortSet> {
    return this.#acquire(`port:${name}:${protocol ?? 'any'}:${formatSelector(selector)}`, () => {
      const points = new PortPoints(this.#sets);
      const portsOf = (item: LabelledItem) =>
        item.ports.filter(
          (port) =>
            port.name === name && (protocol === undefined ? supportsPorts(port.protocol) : port.protocol === protocol),
        );
      const close = this.#follow(
        selector,
        (item) => points.addAll(portsOf(item), item.prefixes),
        (item) => points.removeAll(portsOf(item), item.prefixes),
      );
      return { value: points, close };
    });
  }

  /** Addresses of a service's backends. */
  backends(service: ServiceReference): Acquired<SetId> {
    return this.#acquire(`backends:${service.namespace}/${service.name}`, () => {
      const set = this.#sets.newSet();
      const close = this.#services.register(service, {
        onBackends: (prefixes) => this.#sets.addAll(set, prefixes),
        onBackendsGone: (prefixes) => this.#sets.removeAll(set, prefixes),
      });
      return { value: set, close };
    });
  }

  /** Addresses and ports of a service's backends. */
  backendPorts(service: ServiceReference): Acquired<PortSet> {
    return this.#acquire(`backend-ports:${service.namespace}/${service.name}`, () => {
      const points = new PortPoints(this.#sets);
      const close = this.#services.register(service, {
        onBackends: (prefixes, ports) => points.addAll(ports, prefixes),
        onBackendsGone: (prefixes, ports) => points.removeAll(ports, prefixes),
      });
      return { value: points, close };
    });
  }

  /** Calls add and remove as items start and stop matching; the returned function removes what is left and stops. */
  #follow(selector: Selector, add: (item: LabelledItem) => void, remove: (item: LabelledItem) => void): () => void {
    const members = new Set<LabelledItem>();
    const listener = {
      onMatch: (item: LabelledItem) => {
        members.add(item);
        add(item);
      },
      onMismatch: (item: LabelledItem) => {
        members.delete(item);
        remove(item);
      },
    };
    this.#selectors.register(selector, listener);
    return () => {
      this.#selectors.unregister(selector, listener);
      for (const item of members) remove(item);
    };
  }

  #acquire<T>(key: string, create: () => { value: T; close: () => void }): Acquired<T> {
    let shared = this.#shared.get(key) as Shared<T> | undefined;
    if (shared === undefined) {
      shared = { ...create(), users: 0 };
      this.#shared.set(key, shared);
    }
    const held = shared;
    held.users += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      held.users -= 1;
      if (held.users > 0) return;
      this.#shared.delete(key);
      held.close();
    };
    return { value: held.value, release };
  }
}
