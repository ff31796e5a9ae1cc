// The reference evaluator of packets on their way past a host's interfaces: every stage spelled out in the order in which
// a packet meets it. Sharing nothing with calc and tables.
import type { HostEndpoint } from '../endpoint.ts';
import type { Flow } from '../flow.ts';
import {
  endpointOfInterface,
  type HostInterface,
  type InterfaceKind,
  type ResolvedInterfaces,
  resolveInterfaces,
} from '../host-interfaces.ts';
import { settingsOfNode } from '../host-settings.ts';
import { isHostDiscovery, isLinkScopeDiscovery } from '../link-scope.ts';
import {
  flowBeforeNat,
  type Path,
  type PathFlow,
  type PathVerdict,
  type StageDecision,
  type StageVerdict,
} from '../path.ts';
import type { Direction, HostScope } from '../policy.ts';
import type { World } from '../world.ts';
import { ReferenceEvaluator } from './evaluator.ts';
import { ReferenceHostLists } from './host-lists.ts';

export class ReferencePathEvaluator {
  readonly #world: World;
  readonly #kinds: ReadonlyMap<string, InterfaceKind>;
  readonly #interfaces: ResolvedInterfaces;
  readonly #workloads: ReferenceEvaluator;
  readonly #lists: ReferenceHostLists;

  /** isLocal says whose endpoints are this host's. */
  constructor(
    world: World,
    interfaces: readonly HostInterface[],
    isLocal: (endpoint: { readonly node: string }) => boolean = () => true,
  ) {
    this.#world = world;
    this.#kinds = new Map(interfaces.map(({ name, kind }) => [name, kind]));
    this.#interfaces = resolveInterfaces([...world.hostEndpoints.values()].filter(isLocal), interfaces);
    this.#workloads = new ReferenceEvaluator(world, isLocal);
    this.#lists = new ReferenceHostLists(world);
  }

  evaluatePath(question: PathFlow): PathVerdict {
    const { flow, path } = question;
    const isFromWorkload = path.kind !== 'from-host' && this.#kindOf(path.in) === 'workload';
    if (isHostDiscovery(flow, { kind: path.kind, isFromWorkload })) return this.#discovery(flow, path);
    switch (path.kind) {
      case 'to-host':
        return this.#kindOf(path.in) === 'workload'
          ? this.#workloadToHost(question)
          : this.#toHost(question, this.#endpointOf(path.in));
      case 'from-host':
        return this.#fromHost(flow, this.#endpointOf(path.out));
      case 'forward':
        return this.#forward(question, path);
    }
  }

  /** No list of the host judges it. At a workload's own interface less passes before policy. */
  #discovery(flow: Flow, path: Path): PathVerdict {
    const way = new Way();
    if (isLinkScopeDiscovery(flow)) return way.end('allow');
    const isFromWorkload = path.kind !== 'from-host' && this.#kindOf(path.in) === 'workload';
    if (isFromWorkload && way.take(this.#workload('egress', flow)) === 'deny') return way.end('deny');
    const isToWorkload = path.kind === 'forward' && this.#kindOf(path.out) === 'workload';
    return way.end(isToWorkload ? way.take(this.#workload('ingress', flow)) : 'allow');
  }

  #toHost(question: PathFlow, endpoint: HostEndpoint | undefined): PathVerdict {
    const { flow } = question;
    const way = new Way();
    const untracked = way.take(this.#list(endpoint, 'untracked', 'ingress', flowBeforeNat(question)));
    if (untracked !== 'next') return way.end(untracked);
    const preDnat = way.take(this.#list(endpoint, 'preDnat', 'ingress', flowBeforeNat(question)));
    if (preDnat !== 'next') return way.end(preDnat);
    return way.end(way.take(this.#list(endpoint, 'normal', 'ingress', flow)));
  }

  /** No policy for the host's own traffic: the workload's, what `*` says before DNAT, and the setting. */
  #workloadToHost(question: PathFlow): PathVerdict {
    const { flow } = question;
    const way = new Way();
    if (way.take(this.#workload('egress', flow)) === 'deny') return way.end('deny');
    const preDnat = this.#list(this.#interfaces.any, 'preDnat', 'ingress', flowBeforeNat(question));
    if (way.take(preDnat) === 'deny') return way.end('deny');
    return way.end(way.take(this.#endpointToHost(flow)));
  }

  /** What the host sends to its own workloads, and to itself, always passes. */
  #fromHost(flow: Flow, endpoint: HostEndpoint | undefined): PathVerdict {
    const way = new Way();
    const untracked = way.take(this.#list(endpoint, 'untracked', 'egress', flow));
    if (untracked !== 'next') return way.end(untracked);
    return way.end(way.take(this.#list(endpoint, 'normal', 'egress', flow)));
  }

  /** An interface that workloads are behind has their policy, and `*` in the place of an endpoint of its own. */
  #forward(question: PathFlow, { in: from, out: to }: { readonly in: string; readonly out: string }): PathVerdict {
    const { flow } = question;
    const way = new Way();
    const isFromWorkload = this.#kindOf(from) === 'workload';
    if (isFromWorkload && way.take(this.#workload('egress', flow)) === 'deny') return way.end('deny');
    const incoming = isFromWorkload ? this.#interfaces.any : this.#endpointOf(from);
    let entered: StageDecision = 'next';
    const before = flowBeforeNat(question);
    if (!isFromWorkload) entered = way.take(this.#list(incoming, 'untracked', 'ingress', before));
    if (entered === 'next') entered = way.take(this.#list(incoming, 'preDnat', 'ingress', before));
    if (entered === 'next') entered = way.take(this.#list(incoming, 'forward', 'ingress', flow));
    if (entered === 'deny') return way.end('deny');
    const isToWorkload = this.#kindOf(to) === 'workload';
    const outgoing = isToWorkload ? this.#interfaces.any : this.#endpointOf(to);
    if (way.take(this.#list(outgoing, 'forward', 'egress', flow)) === 'deny') return way.end('deny');
    return way.end(isToWorkload ? way.take(this.#workload('ingress', flow)) : 'allow');
  }

  #kindOf(interfaceName: string): InterfaceKind {
    return this.#kinds.get(interfaceName) ?? 'host';
  }

  /** Of a host interface; nothing is responsible for the others. */
  #endpointOf(interfaceName: string): HostEndpoint | undefined {
    return this.#kindOf(interfaceName) === 'host' ? endpointOfInterface(this.#interfaces, interfaceName) : undefined;
  }

  #list(
    endpoint: HostEndpoint | undefined,
    scope: HostScope,
    direction: Direction,
    flow: Flow,
  ): StageVerdict | undefined {
    if (endpoint === undefined) return undefined;
    const list = this.#lists.evaluate(endpoint, scope, direction, flow);
    return list === undefined ? undefined : { stage: scope, endpoint: endpoint.name, direction, ...list };
  }

  /** Of the workload at that end; undefined = no workload of this host has the address. */
  #workload(direction: Direction, flow: Flow): StageVerdict | undefined {
    const endpoint = this.#workloads.endpointAt(direction === 'egress' ? flow.source : flow.destination);
    if (endpoint === undefined) return undefined;
    return { stage: direction, direction, ...this.#workloads.evaluateSide(endpoint, direction, flow) };
  }

  #endpointToHost({ source }: Flow): StageVerdict {
    const sender = this.#workloads.endpointAt(source);
    const { endpointToHost } = settingsOfNode(this.#world.hostSettings, sender?.node ?? '');
    const verdict = ({ drop: 'deny', accept: 'allow', return: 'next' } as const)[endpointToHost];
    const endpoint = sender?.displayName ?? '';
    return { stage: 'endpointToHost', endpoint, direction: 'egress', verdict, trace: [], isLogged: false };
  }
}

/** Stages as the packet meets them. */
class Way {
  readonly #stages: StageVerdict[] = [];

  /** A stage that there is not decides nothing. */
  take(stage: StageVerdict | undefined): StageDecision {
    if (stage === undefined) return 'next';
    this.#stages.push(stage);
    return stage.verdict;
  }

  /** What nothing has denied passes. */
  end(decision: StageDecision): PathVerdict {
    return { verdict: decision === 'deny' ? 'deny' : 'allow', stages: this.#stages };
  }
}
