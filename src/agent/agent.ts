// The node agent: builds the chain once, then keeps the kernel equal to the manifests. Killing it at any instant
// changes no verdict; starting it again takes over what is pinned.
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Reason, reasonName } from '../abi/event.gen.ts';
import { flowStateName } from '../abi/flow.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { CalcGraph } from '../calc/graph.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { Dataplane } from '../kernel/dataplane.ts';
import type { FileLock } from '../kernel/native.ts';
import { loadNative, translateErrors } from '../kernel/native.ts';
import { protocolName } from '../model/flow.ts';
import { tableStats } from '../tables/stats.ts';
import { AcceptedManifests } from './accepted-manifests.ts';
import { EndpointBinder, type EndpointStatus, interfaceOf, ManualInterfaces } from './endpoint-binder.ts';
import { EventHub } from './event-hub.ts';
import { Interfaces } from './interfaces.ts';
import { describeLiveManifests, type LiveManifests } from './live-manifests.ts';
import { ManifestFeed } from './manifest-feed.ts';
import { pinnedMapMemory } from './map-memory.ts';
import { AgentNames } from './names.ts';
import { type AgentOptions, isLocalNode } from './options.ts';
import type { AgentStatus } from './status.ts';
import { SyncLoop } from './sync-loop.ts';
import { kernelMemory, type TableReport } from './table-report.ts';
import { VERSION } from './version.ts';

/** How often attachments are checked without an event that asks for it. */
const AUDIT_MS = 5000;
const LOCK_DIRECTORY = '/run/tortie';

export class Agent {
  readonly options: AgentOptions;
  readonly events: EventHub;
  readonly #log: Logger;
  readonly #locks: readonly FileLock[];
  readonly #dataplane: Dataplane;
  readonly #memory: AcceptedManifests;
  readonly #feed: ManifestFeed;
  readonly #graph: CalcGraph;
  readonly #interfaces: Interfaces;
  readonly #manual: ManualInterfaces;
  readonly #binder = new EndpointBinder();
  readonly #loop: SyncLoop;
  readonly #audit: NodeJS.Timeout;
  #desired: DesiredState;
  #statuses: readonly EndpointStatus[] = [];
  /** Interfaces and their programs are to be looked at: a change of policy alone does not wait for that. */
  #isAuditWanted = true;
  #lastError: DataplaneError | undefined;
  #isStarted = false;
  #isAdopted = false;
  /** What could not be compiled: not tried again until it changes. */
  #refused: DesiredState | undefined;

  private constructor(options: AgentOptions, log: Logger, locks: readonly FileLock[], dataplane: Dataplane) {
    this.options = options;
    this.#log = log;
    this.#locks = locks;
    this.#dataplane = dataplane;
    this.#graph = new CalcGraph(isLocalNode(options.node), options.limits.calc);
    this.#memory = new AcceptedManifests(options, log);
    this.#feed = new ManifestFeed(options.manifests, this.#memory, log, options.limits.manifests);
    this.#manual = new ManualInterfaces(join(options.stateDirectory, 'interfaces.json'));
    this.#interfaces = new Interfaces(dataplane, options.interfacePrefix, log);
    this.#desired = this.#graph.flush();
    this.#loop = new SyncLoop(() => this.#sync(), log);
    const names = new AgentNames(
      () => this.#desired,
      dataplane.compiler,
      (ifindex) => this.#interfaces.nameOf(ifindex),
    );
    this.events = new EventHub(names);
    this.#audit = setInterval(() => this.#requestAudit(), AUDIT_MS);
  }

  /** Starts enforcing and resolves once the manifests are in force. Throws AGENT_RUNNING and what Dataplane.open throws. */
  static async start(options: AgentOptions, log: Logger): Promise<Agent> {
    requireDirectory(options.manifests);
    const locks = takeLocks(options);
    try {
      const { pinRoot, bpffs, attachMode, eventBudget, established } = options;
      const sizes = { ...options.sizes, limits: options.limits.tables };
      const keepEstablished = established === 'keep';
      const dataplane = await Dataplane.open({ bpffs, pinRoot, sizes, attachMode, eventBudget, keepEstablished });
      const agent = new Agent(options, log, locks, dataplane);
      await agent.#begin();
      return agent;
    } catch (error) {
      for (const lock of locks) lock.close();
      throw error;
    }
  }

  /** Lets go; enforcement goes on. */
  async stop(): Promise<void> {
    clearInterval(this.#audit);
    this.#feed.close();
    this.#interfaces.close();
    await this.#loop.stop();
    this.#memory.close();
    this.events.close();
    this.#dataplane.close();
    for (const lock of this.#locks) lock.close();
  }

  /** Counts changes of the policy in force. */
  get generation(): number {
    return this.#dataplane.generation;
  }

  /** All accepted manifests are in force. */
  get isInSync(): boolean {
    return this.#loop.isIdle && this.#lastError === undefined;
  }

  get endpoints(): readonly EndpointStatus[] {
    return this.#statuses;
  }

  status(): AgentStatus {
    return {
      version: VERSION,
      node: this.options.node,
      inSync: this.isInSync,
      error: this.#lastError?.toJSON() ?? null,
      generation: this.generation,
      attachMode: this.#dataplane.attachMode,
      manifests: this.#feed.status(),
      endpoints: this.endpoints,
      tables: this.#dataplane.image?.counts ?? null,
      flows: this.flows().reduce((sum, { flows }) => sum + flows, 0),
      repairs: this.#interfaces.repairs,
      counters: Object.fromEntries(this.counters()),
    };
  }

  /** Live flows by protocol and state, e.g. `tcp`, `established`. One sweep of the flow table. */
  flows(): { readonly protocol: string; readonly state: string; readonly flows: number }[] {
    return this.#dataplane.flowCensus().map(({ protocol, state, flows }) => ({
      protocol: protocolName(protocol).toLowerCase(),
      state: flowStateName(state).toLowerCase(),
      flows,
    }));
  }

  /** The resources in force, as manifests. */
  manifests(): LiveManifests {
    return describeLiveManifests(this.#feed.resources());
  }

  /** Sizes and fill of the compiled tables, and of all maps; null before the first compile. */
  tables(): TableReport | null {
    const { image, compiler } = this.#dataplane;
    if (image === undefined) return null;
    const { pinRoot, sizes } = this.options;
    return { ...tableStats(image, compiler), kernel: kernelMemory(pinnedMapMemory(pinRoot), sizes.flows) };
  }

  /** By reason name. */
  counters(): Map<string, { packets: number; bytes: number }> {
    const counts = this.#dataplane.counters();
    return new Map(
      counts
        .slice(0, Reason.COUNT)
        .map(({ packets, bytes }, reason) => [
          reasonName(reason).toLowerCase(),
          { packets: Number(packets), bytes: Number(bytes) },
        ]),
    );
  }

  /** Puts an endpoint behind an interface, whatever its manifest says. Throws NOT_FOUND for an unknown endpoint. */
  async setInterface(endpoint: string, interfaceName: string): Promise<void> {
    this.#requireEndpoint(endpoint);
    this.#manual.set(endpoint, interfaceName);
    await this.#loop.request();
  }

  /** Forgets setInterface. Throws NOT_FOUND when there is nothing to forget. */
  async unsetInterface(endpoint: string): Promise<void> {
    if (!this.#manual.delete(endpoint)) {
      throw new DataplaneError('NOT_FOUND', 'no interface was given by hand', {
        operation: 'remove endpoint',
        target: endpoint,
      });
    }
    await this.#loop.request();
  }

  async #begin(): Promise<void> {
    this.#feed.start((changes) => {
      this.#graph.apply(changes.changed, changes.removed);
      if (this.#isStarted) void this.#loop.request();
    });
    this.#interfaces.refresh();
    this.#interfaces.watch(() => {
      this.#guardNow();
      void this.#requestAudit();
    });
    this.#dataplane.readEvents((chunk) => this.events.publish(chunk));
    this.#isStarted = true;
    await this.#loop.request();
    this.#log.info('in force', { generation: this.#dataplane.generation, endpoints: this.#statuses.length });
  }

  #requestAudit(): Promise<void> {
    this.#isAuditWanted = true;
    return this.#loop.request();
  }

  async #sync(): Promise<void> {
    const isAudit = this.#isAuditWanted;
    this.#isAuditWanted = false;
    if (isAudit) this.#interfaces.refresh();
    const isResolved = this.#resolve();
    const { bindings, statuses } = this.#binder.bind(this.#desired, this.#interfaces.links, this.#manual.entries());
    this.#guard(statuses, isAudit);
    if (!isResolved || this.#desired === this.#refused) return;
    try {
      const { isChanged } = await this.#dataplane.apply(this.#desired, bindings);
      this.#lastError = undefined;
      if (isChanged) this.#log.info('policy changed', { generation: this.#dataplane.generation });
    } catch (error) {
      this.#refuse(error);
      if (this.#lastError?.code === 'TABLE_FULL' || this.#lastError?.code === 'LIMIT_EXCEEDED') {
        this.#refused = this.#desired;
      }
    }
  }

  /** Has our programs on every interface that needs them. Without an audit only new ones are looked at. */
  #guard(statuses: readonly EndpointStatus[], isAudit: boolean): void {
    const ready = readyInterfaces(statuses);
    const failures = isAudit ? this.#interfaces.guard(ready) : this.#interfaces.guardNew(ready);
    for (const [name, failure] of failures) {
      this.#log.error('interface is not guarded', { interface: name, error: failure.message });
    }
    this.#statuses = statuses.map((status) => {
      const failure = failures.get(status.interface);
      return failure === undefined ? status : { ...status, state: 'error', reason: failure.message };
    });
  }

  /**
   * Brings what must be enforced up to date; false = it cannot be resolved, and stays as it was. The first time the
   * dataplane takes over what is pinned: not before endpoints are known, because it goes by them.
   */
  #resolve(): boolean {
    try {
      this.#desired = this.#graph.flush();
    } catch (error) {
      this.#refuse(error);
      return false;
    }
    if (!this.#isAdopted) this.#dataplane.adopt(this.#keysByIfindex());
    this.#isAdopted = true;
    return true;
  }

  /** Said once for each error: it stands until the manifests change. */
  #refuse(error: unknown): void {
    if (!(error instanceof DataplaneError)) throw error;
    if (this.#lastError?.message !== error.message) {
      this.#log.error('policy not changed, the last good one stays in force', { error: error.toJSON() });
    }
    this.#lastError = error;
  }

  /** A new interface drops from here on; the run of the loop that may still be under way would come later. */
  #guardNow(): void {
    try {
      this.#interfaces.refresh();
      const { statuses } = this.#binder.bind(this.#desired, this.#interfaces.links, this.#manual.entries());
      this.#interfaces.guardNew(readyInterfaces(statuses));
    } catch (error) {
      this.#log.error('interfaces not looked at', { error: String(error) });
    }
  }

  #keysByIfindex(): Map<number, string> {
    const keys = new Map<number, string>();
    for (const [key, { endpoint }] of this.#desired.endpoints) {
      const link = this.#interfaces.links.get(interfaceOf(endpoint, this.#manual.entries()));
      if (link !== undefined) keys.set(link.ifindex, key);
    }
    return keys;
  }

  #requireEndpoint(name: string): void {
    for (const { endpoint } of this.#desired.endpoints.values()) {
      if (endpoint.displayName === name || endpoint.key === name) return;
    }
    throw new DataplaneError('NOT_FOUND', 'no such local workload endpoint', {
      operation: 'add endpoint',
      target: name,
      expected: '<namespace>/<pod> of a WorkloadEndpoint or Pod in the manifests',
    });
  }
}

/** Others do not exist, or are not a workload's to guard. */
function readyInterfaces(statuses: readonly EndpointStatus[]): string[] {
  return statuses.filter(({ state }) => state === 'ready').map((status) => status.interface);
}

/** Without it a typing error in the path would put an empty policy in force. */
function requireDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new DataplaneError('FILE_UNREADABLE', 'is not a directory', {
    operation: 'start agent',
    target: path,
    hint: 'create it, or name another with --manifests',
  });
}

/** One agent for each socket and each pin root: two writers would overwrite each other's tables. */
function takeLocks({ stateDirectory, socket, pinRoot }: AgentOptions): FileLock[] {
  for (const directory of [stateDirectory, dirname(socket), LOCK_DIRECTORY]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  const pins = createHash('sha256').update(resolve(pinRoot)).digest('hex').slice(0, 32);
  const locks: FileLock[] = [];
  try {
    for (const path of [`${socket}.lock`, join(LOCK_DIRECTORY, `pins-${pins}.lock`)]) locks.push(takeLock(path));
    return locks;
  } catch (error) {
    for (const lock of locks) lock.close();
    throw error;
  }
}

function takeLock(path: string): FileLock {
  try {
    return translateErrors('lock', path, () => loadNative().FileLock.acquire(path));
  } catch (cause) {
    throw new DataplaneError('AGENT_RUNNING', 'another agent holds the lock', {
      operation: 'start agent',
      target: path,
      hint: 'stop it first, or give this one its own --socket, --state-dir and --pin-root',
      cause,
    });
  }
}
