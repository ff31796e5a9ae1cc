// What of this machine policy is tied to: interfaces of workloads by their endpoints, interfaces of the host by policy of host
// endpoints. Part of Agent; it only looks.
import type { DesiredState } from '../calc/resolved.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { Wiring } from '../kernel/wiring.ts';
import { EndpointBinder, type EndpointStatus, type ManualInterfaces } from './endpoint-binder.ts';
import { describeHostEndpoints, type HostEndpointStatus } from './host-endpoint-status.ts';
import { asksForHost, HostView } from './host-view.ts';
import type { Interfaces } from './interfaces.ts';

export interface Wired {
  readonly wiring: Wiring;
  /** Of workload endpoints. */
  readonly statuses: readonly EndpointStatus[];
}

/** One list for as long as nothing is asked. */
const NO_INTERFACES: Wiring['interfaces'] = [];

export class Wires {
  readonly #interfaces: Interfaces;
  readonly #manual: ManualInterfaces;
  readonly #binder = new EndpointBinder();
  readonly #hostView = new HostView();

  constructor(interfaces: Interfaces, manual: ManualInterfaces) {
    this.#interfaces = interfaces;
    this.#manual = manual;
  }

  /** Interfaces, their addresses, or which of them are workloads' may have changed. */
  refresh(): void {
    this.#interfaces.refresh();
    this.#hostView.refresh();
  }

  /** The host's, as they were looked at last; none before anything was asked of them. */
  get hostInterfaces(): Wiring['interfaces'] {
    return this.#hostView.interfaces;
  }

  /** The host's interfaces are left out unless the state asks for them, or isHostPoliced. */
  wire(desired: DesiredState, isHostPoliced = asksForHost(desired)): Wired {
    const { links } = this.#interfaces;
    const { bindings, statuses } = this.#binder.bind(desired, links, this.#manual.entries());
    if (!isHostPoliced) return { wiring: { bindings, interfaces: NO_INTERFACES }, statuses };
    const isWorkload = (name: string): boolean => this.#interfaces.isWorkloadName(name);
    return { wiring: { bindings, interfaces: this.#hostView.look({ links, bindings, isWorkload }) }, statuses };
  }

  describeHostEndpoints(desired: DesiredState, { hostProblem }: Pick<Dataplane, 'hostProblem'>): HostEndpointStatus[] {
    if (desired.hostEndpoints.size === 0) return [];
    const endpoints = [...desired.hostEndpoints.values()].map(({ endpoint }) => endpoint);
    return describeHostEndpoints(endpoints, this.wire(desired).wiring.interfaces, hostProblem?.message);
  }
}
