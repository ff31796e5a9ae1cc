// The conformance cases' lab: all their pods as network namespaces with servers, an agent on one manifest file, and truth tables
// asked with real sockets. What ought to be open comes from the cases.
import { join } from 'node:path';
import { podInterfaceName } from '../../../src/model/parse/pods.ts';
import { Agent } from '../../../tools/lab/agent.ts';
import { ManifestFolder } from '../../../tools/lab/manifest-folder.ts';
import { Lab } from '../../../tools/lab/namespaces.ts';
import type { Peer, Transport } from '../../../tools/lab/peer.ts';
import { startPeers } from '../../../tools/lab/peers.ts';
import type { WorkloadSpec } from '../../../tools/lab/topology.ts';
import {
  describeDisagreements,
  type TruthCase,
  type TruthOutcome,
  truthTable,
} from '../../../tools/lab/truth-table.ts';
import type { Cluster, Manifest, ServedPort } from './case.ts';
import { NODE } from './cluster.ts';
import { type PodAddresses, podsIn } from './state.ts';
import type { Cell } from './truth.ts';

/** What must not get through is waited for this long at least, and twice as long as the slowest answer of its table took. */
const DENY_TIMEOUT_MS = 200;
const ALLOW_TIMEOUT_MS = 5000;
const SWITCH_LIMIT_MS = 20_000;
const SWITCH_POLL_MS = 40;
/** Each round of questions comes from other ports; after so many the same come again, from flows that the agent's host knows. */
const ROUNDS = 8;
const FIRST_PORT = 20_000;
const PORTS_A_ROUND = 1000;
const MANIFESTS = 'conformance.yaml';
const MARKER_NAMESPACE = 'conformance';

export interface LabPods {
  readonly pods: readonly Manifest[];
  readonly ports: readonly ServedPort[];
}

export class ConformanceLab {
  readonly #lab: Lab;
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #folder: ManifestFolder;
  readonly #agent: Agent;
  #switches = 0;
  #rounds = 0;

  private constructor(lab: Lab, peers: ReadonlyMap<string, Peer>, folder: ManifestFolder, agent: Agent) {
    this.#lab = lab;
    this.#peers = peers;
    this.#folder = folder;
    this.#agent = agent;
  }

  /** Builds the network of all pods, with or without manifests, and starts an agent on an empty cluster. Throws what Lab.create does. */
  static async create(parts: readonly LabPods[]): Promise<ConformanceLab> {
    Lab.sweep();
    const guests = parts.flatMap(({ pods, ports }) => pods.map((pod) => ({ ...workloadOf(pod), ports })));
    const lab = await Lab.create({ workloads: guests });
    try {
      const portsOf = new Map(guests.map(({ name, ports }) => [name, ports]));
      const listeners = (name: string) =>
        (portsOf.get(name) ?? []).map(({ protocol, port }) => ({ transport: transportOf(protocol), port }));
      const peers = await startPeers(lab, listeners);
      const folder = new ManifestFolder(join(lab.directory, 'manifests'));
      folder.write(MANIFESTS, [markerOf(0)]);
      return new ConformanceLab(lab, peers, folder, await Agent.start(lab, { manifests: folder.path, node: NODE }));
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** Puts these manifests in force and no others. Throws KERNEL if that takes too long, an ordinary Error if one is refused. */
  async enforce(manifests: readonly Manifest[]): Promise<void> {
    this.#switches += 1;
    const marker = markerOf(this.#switches);
    const name = `${MARKER_NAMESPACE}/${marker.metadata.name}`;
    const ready = podsIn(manifests).map((pod) => pod.name);
    this.#folder.write(MANIFESTS, [marker, ...manifests]);
    // A pod of this switch alone: the agent knows it only once it has read the whole file.
    await this.#agent.waitFor(
      ({ inSync, endpoints, manifests: { errors } }) => {
        const states = new Map(endpoints.map(({ endpoint, state }) => [endpoint, state]));
        if (!inSync || !states.has(name)) return false;
        if (errors[0] !== undefined) throw new Error(`a manifest is refused: ${errors[0].message}`);
        return ready.every((pod) => states.get(pod) === 'ready');
      },
      SWITCH_LIMIT_MS,
      SWITCH_POLL_MS,
    );
  }

  /** Asks every cell at once. One line for each that is not as the table says. */
  async disagreements(cells: readonly Cell[]): Promise<string[]> {
    const outcomes = await this.#ask(cells, DENY_TIMEOUT_MS);
    const slowestMs = Math.max(
      ...outcomes.filter(({ answer }) => answer.result === 'open').map(({ answer }) => answer.ms),
    );
    if (2 * slowestMs <= DENY_TIMEOUT_MS) return describeDisagreements(outcomes);
    const denied = cells.filter((cell) => !cell.isAllowed);
    return describeDisagreements([...outcomes, ...(await this.#ask(denied, Math.ceil(2 * slowestMs)))]);
  }

  /** Each pod asks itself, at every port and in both families. One line for each cell that is not open. */
  async closedToThemselves(cluster: Cluster): Promise<string[]> {
    const cells = podsIn(cluster.pods).flatMap((pod) =>
      cluster.ports.flatMap(({ protocol, port }) =>
        ([4, 6] as const).map((family) => ({ source: pod, destination: pod, protocol, port, family, isAllowed: true })),
      ),
    );
    return describeDisagreements(await this.#ask(cells, DENY_TIMEOUT_MS));
  }

  async close(): Promise<void> {
    await this.#lab.close();
  }

  #ask(cells: readonly Cell[], denyTimeoutMs: number): Promise<TruthOutcome[]> {
    this.#rounds += 1;
    const nextPorts = new Map<string, number>();
    const cases = cells.map((cell) => {
      const sourcePort = nextPorts.get(cell.source.name) ?? FIRST_PORT + PORTS_A_ROUND * (this.#rounds % ROUNDS);
      nextPorts.set(cell.source.name, sourcePort + 1);
      return truthCase(cell, sourcePort, cell.isAllowed ? ALLOW_TIMEOUT_MS : denyTimeoutMs);
    });
    return truthTable(this.#peers, cases, { concurrency: Math.max(1, cases.length) });
  }
}

function truthCase(cell: Cell, sourcePort: number, timeoutMs: number): TruthCase {
  const { source, destination, protocol, port, family, isAllowed } = cell;
  const at = (pod: PodAddresses): string => pod.addresses[family === 4 ? 0 : 1] ?? '';
  const request = {
    transport: transportOf(protocol),
    port,
    address: at(destination),
    sourceAddress: at(source),
    sourcePort,
    timeoutMs,
  };
  return { from: guestName(source.name), to: destination.name, request, expected: [isAllowed ? 'open' : 'timeout'] };
}

function transportOf(protocol: ServedPort['protocol']): Exclude<Transport, 'icmp'> {
  return ({ TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const)[protocol];
}

/** Of its network namespace. */
function guestName(pod: string): string {
  return pod.replace('/', '-');
}

function workloadOf(pod: Manifest): WorkloadSpec {
  const [found] = podsIn([pod]);
  if (found === undefined) throw new Error(`not a pod: ${pod.kind} ${pod.metadata.name}`);
  const { name, addresses } = found;
  const hostInterface = podInterfaceName(pod.metadata.namespace ?? '', pod.metadata.name);
  return { name: guestName(name), hostInterface, addresses };
}

/** A pod that has no network: known to the agent, waiting for an interface for ever. */
function markerOf(number: number): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `switch-${number}`, namespace: MARKER_NAMESPACE },
    spec: { nodeName: NODE },
    status: { phase: 'Running', podIPs: [{ ip: '10.66.255.1' }, { ip: 'fd00:66:ffff::1' }] },
  };
}
