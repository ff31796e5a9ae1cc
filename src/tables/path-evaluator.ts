// The `tables` engine for packets on their way past a host's interfaces: the stages that the programs of bpf/programs/host.bpf.c
// and of workloads go through, each answered by lookup in a compiled image.
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { Flow } from '../model/flow.ts';
import type { HostInterface } from '../model/host-interfaces.ts';
import { type EndpointToHostAction, settingsOfNode } from '../model/host-settings.ts';
import { isHostDiscovery, isLinkScopeDiscovery } from '../model/link-scope.ts';
import {
  flowBeforeNat,
  type PathFlow,
  type PathVerdict,
  type StageDecision,
  type StageVerdict,
} from '../model/path.ts';
import type { Direction, HostScope } from '../model/policy.ts';
import type { TableCompiler } from './compiler.ts';
import { type HostEntries, type HostEntry, type HostLists, hostEntries } from './host-entries.ts';
import type { TableImage } from './image.ts';
import { lookupWord } from './lookup.ts';
import { decodeListWord } from './words.ts';

const TO_HOST: Readonly<Record<EndpointToHostAction, StageDecision>> = {
  drop: 'deny',
  accept: 'allow',
  return: 'next',
};

export class TablePathEvaluator {
  readonly #desired: DesiredState;
  readonly #compiler: TableCompiler;
  readonly #image: TableImage;
  readonly #entries: HostEntries;
  readonly #workloads = new Map<string, { readonly id: number; readonly endpoint: WorkloadEndpoint }>();

  /** The image is one of the desired state. */
  constructor(desired: DesiredState, interfaces: readonly HostInterface[], compiler: TableCompiler, image: TableImage) {
    this.#desired = desired;
    this.#compiler = compiler;
    this.#image = image;
    for (const [key, { endpoint }] of desired.endpoints) {
      const id = image.endpointIds.get(key) as number;
      for (const address of endpoint.addresses) this.#workloads.set(formatAddress(address), { id, endpoint });
    }
    this.#entries = hostEntries(desired, interfaces, image);
  }

  evaluatePath(question: PathFlow): PathVerdict {
    const { flow, path } = question;
    const stages: StageVerdict[] = [];
    const run = (stage: StageVerdict | undefined): StageDecision => {
      if (stage === undefined) return 'next';
      stages.push(stage);
      return stage.verdict;
    };
    const decided = this.#isDiscovery(question) ? this.#discover(flow, run, path) : this.#stages(question, run, path);
    return { verdict: decided === 'deny' ? 'deny' : 'allow', stages };
  }

  #isDiscovery({ flow, path }: PathFlow): boolean {
    const isFromWorkload = path.kind !== 'from-host' && this.#entry(path.in).kind === 'workload';
    return isHostDiscovery(flow, { kind: path.kind, isFromWorkload });
  }

  /** Past the host's lists, but not past those of workloads, whose hooks let less of it through. */
  #discover(flow: Flow, run: Run, path: PathFlow['path']): StageDecision {
    if (path.kind === 'from-host' || isLinkScopeDiscovery(flow)) return 'allow';
    const isFromWorkload = this.#entry(path.in).kind === 'workload';
    if (isFromWorkload && run(this.#workload('egress', flow)) === 'deny') return 'deny';
    const isToWorkload = path.kind === 'forward' && this.#entry(path.out).kind === 'workload';
    return isToWorkload ? run(this.#workload('ingress', flow)) : 'allow';
  }

  #stages(question: PathFlow, run: Run, path: PathFlow['path']): StageDecision {
    const from = path.kind === 'from-host' ? undefined : this.#entry(path.in);
    const to = path.kind === 'to-host' ? undefined : this.#entry(path.out);
    if (from === undefined) return this.#leave(to as HostEntry, question.flow, run);
    const entered = this.#enter(from, question, run);
    if (entered === 'deny') return 'deny';
    if (to !== undefined) return this.#cross(from, to, entered, question.flow, run);
    if (from.kind === 'workload') return run(this.#endpointToHost(question.flow));
    return entered === 'allow' ? 'allow' : run(this.#list(from.lists, 'normal', 'ingress', question.flow));
  }

  /** What is common to packets for the host and through it, before the two part. */
  #enter({ kind, lists }: HostEntry, question: PathFlow, run: Run): StageDecision {
    const before = flowBeforeNat(question);
    if (kind === 'workload') {
      if (run(this.#workload('egress', question.flow)) === 'deny') return 'deny';
    } else {
      const untracked = run(this.#list(lists, 'untracked', 'ingress', before));
      if (untracked !== 'next') return untracked;
    }
    return run(this.#list(lists, 'preDnat', 'ingress', before));
  }

  #cross(from: HostEntry, to: HostEntry, entered: StageDecision, flow: Flow, run: Run): StageDecision {
    if (entered === 'next' && run(this.#list(from.lists, 'forward', 'ingress', flow)) === 'deny') return 'deny';
    if (run(this.#list(to.lists, 'forward', 'egress', flow)) === 'deny') return 'deny';
    return to.kind === 'workload' ? run(this.#workload('ingress', flow)) : 'allow';
  }

  #leave({ kind, lists }: HostEntry, flow: Flow, run: Run): StageDecision {
    if (kind === 'workload') return 'allow';
    const untracked = run(this.#list(lists, 'untracked', 'egress', flow));
    return untracked === 'next' ? run(this.#list(lists, 'normal', 'egress', flow)) : untracked;
  }

  #entry(interfaceName: string): HostEntry {
    return this.#entries.byName.get(interfaceName) ?? this.#entries.others;
  }

  #list(lists: HostLists | undefined, scope: HostScope, direction: Direction, flow: Flow): StageVerdict | undefined {
    const id = lists?.ids[scope];
    if (lists === undefined || id === undefined) return undefined;
    return { stage: scope, endpoint: lists.name, direction, ...this.#judge(id, direction, flow) };
  }

  #workload(direction: Direction, flow: Flow): StageVerdict | undefined {
    const local = this.#workloads.get(formatAddress(direction === 'egress' ? flow.source : flow.destination));
    if (local === undefined) return undefined;
    const { displayName } = local.endpoint;
    return { stage: direction, endpoint: displayName, direction, ...this.#judge(local.id, direction, flow) };
  }

  #judge(id: number, direction: Direction, flow: Flow): ReturnType<typeof decodeListWord> {
    const { heap, v6Nodes, stories } = this.#compiler;
    const arrays = { heap: heap.words, v6Nodes: v6Nodes.words };
    return decodeListWord(lookupWord(arrays, this.#image.root, id, direction, flow), stories);
  }

  #endpointToHost({ source }: Flow): StageVerdict {
    const sender = this.#workloads.get(formatAddress(source))?.endpoint;
    const { endpointToHost } = settingsOfNode(this.#desired.hostSettings, sender?.node ?? '');
    const said = { verdict: TO_HOST[endpointToHost], trace: [], isLogged: false };
    return { stage: 'endpointToHost', endpoint: sender?.displayName ?? '', direction: 'egress', ...said };
  }
}

/** Notes a stage and says what it decided; a stage that there is not decides nothing. */
type Run = (stage: StageVerdict | undefined) => StageDecision;
