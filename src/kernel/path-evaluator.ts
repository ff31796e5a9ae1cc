// The `kernel` engine for packets past a host's interfaces: each goes through the loaded programs, of the workloads at either end and
// of the host's hook between. Stages are those that the programs report: the last word of each direction.
import { EventKind } from '../abi/event.gen.ts';
import { Scope } from '../abi/host.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { formatAddress } from '../model/address.ts';
import type { Flow } from '../model/flow.ts';
import type { HostInterface } from '../model/host-interfaces.ts';
import { settingsOfNode } from '../model/host-settings.ts';
import { isLinkScopeDiscovery } from '../model/link-scope.ts';
import type { Path, PathFlow, PathVerdict, StageVerdict } from '../model/path.ts';
import type { Direction, HostScope } from '../model/policy.ts';
import type { SideVerdict } from '../model/verdict.ts';
import { type HostEntries, hostEntries } from '../tables/host-entries.ts';
import type { TableImage } from '../tables/image.ts';
import { decodeListWord } from '../tables/words.ts';
import { DetachedHost, type HostArrival, type HostOutcome } from './detached-host.ts';
import { KernelEvaluator, type KernelRoom } from './evaluator.ts';
import { buildHostTable, type HostTable, type NumberedInterface } from './host-table.ts';
import type { NetfilterHook } from './native.ts';
import { probePacket } from './probe-packet.ts';

const LOOPBACK = 1;
const FIRST_IFINDEX = 16;
/** Of an interface that nobody named. */
const UNKNOWN_IFINDEX = 15;
/** Of an IPv6 packet, in its frame. */
const HOP_LIMIT = 14 + 7;
const HOOKS: Readonly<Record<Path['kind'], NetfilterHook>> = {
  'to-host': 'local-in',
  forward: 'forward',
  'from-host': 'local-out',
};
const SCOPES: Readonly<Record<number, HostScope>> = {
  [Scope.NORMAL]: 'normal',
  [Scope.FORWARD]: 'forward',
  [Scope.PRE_DNAT]: 'preDnat',
  [Scope.UNTRACKED]: 'untracked',
};

/** What a state comes to on a machine. */
interface Loaded {
  readonly desired: DesiredState;
  readonly entries: HostEntries;
  readonly interfaces: readonly NumberedInterface[];
  readonly image: TableImage;
}

export class KernelPathEvaluator {
  readonly #workloads: KernelEvaluator;
  readonly #host: DetachedHost;
  #loaded: Loaded;
  /** Whether packets of workloads to the host are dropped, as the table in force has it. */
  #isCutOff: boolean | undefined;

  /** Loads the programs and writes the desired state. Throws PERMISSION, FEATURE_UNSUPPORTED, PROGRAM_REJECTED, TABLE_FULL. */
  constructor(desired: DesiredState, interfaces: readonly HostInterface[], room: KernelRoom = {}) {
    this.#workloads = new KernelEvaluator(desired, room);
    this.#host = new DetachedHost(room.sizes);
    this.#loaded = this.#put(desired, interfaces);
  }

  /** Judges by another desired state, on another machine, from here on. Throws TABLE_FULL. */
  load(desired: DesiredState, interfaces: readonly HostInterface[]): void {
    this.#workloads.load(desired);
    this.#loaded = this.#put(desired, interfaces);
  }

  evaluatePath(question: PathFlow): PathVerdict {
    const { flow, path } = question;
    const isFrom = path.kind !== 'from-host' && this.#isWorkload(path.in);
    const isTo = path.kind === 'forward' && this.#isWorkload(path.out);
    const sides = isFrom || isTo ? this.#workloads.evaluate(flow) : undefined;
    const egress = isFrom ? stageOfSide('egress', sides?.egress) : [];
    if (egress.some(({ verdict }) => verdict === 'deny')) return { verdict: 'deny', stages: egress };
    const { isAccepted, stages } = this.#judge(question);
    if (!isAccepted) return { verdict: 'deny', stages: [...egress, ...stages] };
    const ingress = isTo ? stageOfSide('ingress', sides?.ingress) : [];
    const isDenied = ingress.some(({ verdict }) => verdict === 'deny');
    return { verdict: isDenied ? 'deny' : 'allow', stages: [...egress, ...stages, ...ingress] };
  }

  close(): void {
    this.#workloads.close();
    this.#host.close();
  }

  #put(desired: DesiredState, known: readonly HostInterface[]): Loaded {
    const interfaces = known.map((each, index): NumberedInterface => {
      return { ...each, ifindex: each.kind === 'loopback' ? LOOPBACK : FIRST_IFINDEX + index };
    });
    const image = this.#host.load(desired);
    this.#isCutOff = undefined;
    return { desired, entries: hostEntries(desired, interfaces, image), interfaces, image };
  }

  #judge({ flow, path, beforeNat }: PathFlow): Pick<HostOutcome, 'isAccepted'> & Pick<PathVerdict, 'stages'> {
    this.#cutOff(flow);
    const arrival: HostArrival = {
      hook: HOOKS[path.kind],
      in: path.kind === 'from-host' ? 0 : this.#ifindexOf(path.in),
      out: path.kind === 'to-host' ? 0 : this.#ifindexOf(path.out),
      family: flow.source.family,
      frame: frameAt(path, flow),
      original: beforeNat,
    };
    const { isAccepted, events } = this.#host.run(arrival);
    const event = events.findLast(({ kind }) => kind !== EventKind.LOG);
    if (event === undefined) return { isAccepted, stages: [] };
    const stages = [
      ...this.#stage('ingress', event.ingress_scope, event.ingress_word, path),
      ...this.#stage('egress', event.egress_scope, event.egress_word, path),
    ];
    return { isAccepted, stages };
  }

  #stage(direction: Direction, scopeNumber: number, word: number, path: Path): StageVerdict[] {
    const stage = SCOPES[scopeNumber];
    const name = direction === 'ingress' ? inOf(path) : outOf(path);
    if (stage === undefined || word === 0 || name === undefined) return [];
    const { byName, others } = this.#loaded.entries;
    const endpoint = (byName.get(name) ?? others).lists?.name ?? '';
    return [{ stage, endpoint, direction, ...decodeListWord(word, this.#host.compiler.stories) }];
  }

  /** By the setting for the sender's node, whatever interface it came by. */
  #cutOff({ source }: Flow): void {
    const { desired, entries, interfaces, image } = this.#loaded;
    const text = formatAddress(source);
    const senders = [...desired.endpoints.values()].map(({ endpoint }) => endpoint);
    const sender = senders.findLast(({ addresses }) => addresses.some((each) => formatAddress(each) === text));
    const isCutOff = settingsOfNode(desired.hostSettings, sender?.node ?? '').endpointToHost === 'drop';
    if (isCutOff === this.#isCutOff) return;
    const cutOff = new Set(isCutOff ? interfaces.map(({ ifindex }) => ifindex) : []);
    const table: HostTable = buildHostTable(entries, interfaces, cutOff);
    this.#host.publish(image, table);
    this.#isCutOff = isCutOff;
  }

  #ifindexOf(interfaceName: string): number {
    return this.#loaded.interfaces.find(({ name }) => name === interfaceName)?.ifindex ?? UNKNOWN_IFINDEX;
  }

  #isWorkload(interfaceName: string): boolean {
    return this.#loaded.interfaces.find(({ name }) => name === interfaceName)?.kind === 'workload';
  }
}

function inOf(path: Path): string | undefined {
  return path.kind === 'from-host' ? undefined : path.in;
}

function outOf(path: Path): string | undefined {
  return path.kind === 'to-host' ? undefined : path.out;
}

/** What is forwarded has lost a hop by then, unless it was bridged, which alone can be of the link. */
function frameAt(path: Path, flow: Flow): Uint8Array {
  const frame = probePacket(flow);
  const isRouted = path.kind === 'forward' && flow.source.family === 6 && !isLinkScopeDiscovery(flow);
  if (isRouted) frame[HOP_LIMIT] = (frame[HOP_LIMIT] as number) - 1;
  return frame;
}

/** Nothing is told of what passes before policy. */
function stageOfSide(direction: Direction, side: SideVerdict | null | undefined): StageVerdict[] {
  if (side === null || side === undefined || side.trace.length === 0) return [];
  return [{ stage: direction, direction, ...side }];
}
