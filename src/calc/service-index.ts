// EndpointSlices by service, for rules that name a service.
//
//   service slices --setSlice-->  ServiceIndex  --onBackends / onBackendsGone-->  SetRegistry
import { type Cidr, hostCidr } from '../model/address.ts';
import type { NamedPort, ServiceSlice } from '../model/endpoint.ts';
import type { ServiceReference } from '../model/policy.ts';

export interface BackendListener {
  onBackends(prefixes: readonly Cidr[], ports: readonly NamedPort[]): void;
  onBackendsGone(prefixes: readonly Cidr[], ports: readonly NamedPort[]): void;
}

interface Slice {
  readonly service: string;
  readonly prefixes: readonly Cidr[];
  readonly ports: readonly NamedPort[];
}

export class ServiceIndex {
  readonly #slices = new Map<string, Slice>();
  readonly #byService = new Map<string, Set<string>>();
  readonly #listeners = new Map<string, Set<BackendListener>>();

  /** Reports the backends there are, then every change; the returned function takes back what was reported and stops. */
  register(service: ServiceReference, listener: BackendListener): () => void {
    const name = `${service.namespace}/${service.name}`;
    this.#listeners.set(name, (this.#listeners.get(name) ?? new Set()).add(listener));
    for (const slice of this.#slicesOf(name)) listener.onBackends(slice.prefixes, slice.ports);
    return () => {
      for (const slice of this.#slicesOf(name)) listener.onBackendsGone(slice.prefixes, slice.ports);
      const listeners = this.#listeners.get(name);
      listeners?.delete(listener);
      if (listeners?.size === 0) this.#listeners.delete(name);
    };
  }

  setSlice(slice: ServiceSlice): void {
    this.removeSlice(slice.key);
    const service = `${slice.namespace}/${slice.service}`;
    const known: Slice = { service, prefixes: slice.addresses.map(hostCidr), ports: slice.ports };
    this.#slices.set(slice.key, known);
    this.#byService.set(service, (this.#byService.get(service) ?? new Set()).add(slice.key));
    for (const listener of this.#listeners.get(service) ?? []) listener.onBackends(known.prefixes, known.ports);
  }

  removeSlice(key: string): void {
    const slice = this.#slices.get(key);
    if (slice === undefined) return;
    this.#slices.delete(key);
    const keys = this.#byService.get(slice.service);
    keys?.delete(key);
    if (keys?.size === 0) this.#byService.delete(slice.service);
    for (const listener of this.#listeners.get(slice.service) ?? [])
      listener.onBackendsGone(slice.prefixes, slice.ports);
  }

  #slicesOf(service: string): Slice[] {
    return [...(this.#byService.get(service) ?? [])].map((key) => this.#slices.get(key) as Slice);
  }
}
