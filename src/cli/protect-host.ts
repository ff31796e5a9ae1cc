// This machine together with the policy that its agent has in force, as far as there is an agent: what a proposal is made from
// and judged with.

import { readLiveManifests } from '../agent/live-manifests.ts';
import { machineInterfaces } from '../agent/machine-interfaces.ts';
import { isLocalNode } from '../agent/options.ts';
import { Routes } from '../agent/protect/routes.ts';
import { watchHost } from '../agent/protect/watch.ts';
import { readIfThere, sshConnectionOf } from '../agent/ssh-connection.ts';
import type { HostObservation } from '../analysis/protect/observation.ts';
import { PROTECT_LABEL } from '../analysis/protect/proposal.ts';
import { DataplaneError } from '../base/errors.ts';
import { buildWorld } from '../model/build-world.ts';
import type { HostInterface } from '../model/host-interfaces.ts';
import { resolveInterfaces } from '../model/host-interfaces.ts';
import { type NodeSettings, settingsOfNode } from '../model/host-settings.ts';
import type { World } from '../model/world.ts';
import type { Resource } from '../resources/resource.ts';
import { askAgent } from './agent-client.ts';

/** Names of the host's ends of workloads' links begin so, where no manifest names them. */
const WORKLOAD_PREFIX = 'cali';

/** The machine, with an agent or without one. Throws what the agent answers, but AGENT_UNREACHABLE. */
export async function openLiveHost(socket: string): Promise<LiveHost> {
  try {
    const { node } = await askAgent<{ node: string }>(socket, 'GET', '/v1/status');
    const { objects } = readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests'));
    return new LiveHost([...objects.values()], node);
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'AGENT_UNREACHABLE') return new LiveHost([], '*');
    throw error;
  }
}

export class LiveHost {
  /** Without what protect has put in force: a proposal takes its place. */
  readonly #others: readonly Resource[];
  readonly #node: string;
  readonly #world: World;

  /** node `*` = every node's endpoints are this machine's. */
  constructor(resources: readonly Resource[], node: string) {
    this.#others = resources.filter(({ metadata }) => !Object.hasOwn(metadata.labels, PROTECT_LABEL));
    this.#node = node;
    this.#world = buildWorld(this.#others).world;
  }

  /** Failsafe ports and the like. */
  get settings(): NodeSettings {
    return settingsOfNode(this.#world.hostSettings, this.#node);
  }

  interfaces(): HostInterface[] {
    const named = new Set([...this.#world.workloadEndpoints.values()].map(({ interfaceName }) => interfaceName));
    return machineInterfaces((name) => named.has(name) || name.startsWith(WORKLOAD_PREFIX));
  }

  /** For so long; 0 = once. Its node is the agent's. */
  async observe(
    forMs: number,
    onLook?: (observation: HostObservation, restMs: number) => void,
  ): Promise<HostObservation> {
    const session = sshConnectionOf(process.pid);
    const seen = await watchHost({ interfaces: () => this.interfaces(), session, forMs, onLook });
    return this.#node === '*' ? seen : { ...seen, node: this.#node };
  }

  /** All that would be in force with the proposal. */
  worldWith(proposal: readonly Resource[]): World {
    const proposed = new Set(proposal.map(({ id }) => id));
    return buildWorld([...this.#others.filter(({ id }) => !proposed.has(id)), ...proposal]).world;
  }

  isLocal(endpoint: { readonly node: string }): boolean {
    return isLocalNode(this.#node)(endpoint);
  }

  routes(): Routes {
    return new Routes(readIfThere);
  }

  /** Host endpoints of the proposal that others are in the way of: one sentence each. */
  conflictsWith(proposal: readonly Resource[]): string[] {
    const own = new Set(proposal.filter(({ type }) => type === 'HostEndpoint').map(({ name }) => name));
    const endpoints = [...this.worldWith(proposal).hostEndpoints.values()].filter((each) => this.isLocal(each));
    const { overlaps, unbound } = resolveInterfaces(endpoints, this.interfaces());
    return [
      ...overlaps.flatMap(({ interfaceName, chosen, shadowed }) =>
        shadowed
          .filter(({ name }) => own.has(name))
          .map(
            ({ name }) =>
              `hostendpoint ${name} is without effect on ${interfaceName}: hostendpoint ${chosen.name} has it`,
          ),
      ),
      ...unbound
        .filter(
          ({ name }) => own.has(name) && !overlaps.some(({ shadowed }) => shadowed.some((each) => each.name === name)),
        )
        .map(
          ({ name, interfaceName }) => `hostendpoint ${name} is without effect: no interface ${interfaceName} is there`,
        ),
    ];
  }
}
