// The node agent: builds the chain once, then keeps the kernel equal to the manifests. Killing it at any instant
// changes no verdict; starting it again takes over what is pinned.
import { join } from 'node:path';
import type { Logger } from '../base/log.ts';
import { finish, type Steps } from '../base/steps.ts';
import { CalcGraph } from '../calc/graph.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { Dataplane } from '../kernel/dataplane.ts';
import type { FileLock } from '../kernel/native.ts';
import type { World } from '../model/world.ts';
import type { Resource } from '../resources/resource.ts';
import { AuditSchedule } from './audit-schedule.ts';
import { BlockService } from './block/block-service.ts';
import type { AgentSettings } from './config/agent-settings.ts';
import { type EndpointStatus, type GivenBy, ManualInterfaces } from './endpoint-binder.ts';
import { EventHub } from './event-hub.ts';
import { type AgentFlows, flowsOf, startFlows, stopFlows } from './flows/agent-flows.ts';
import { Health, type HealthStatus } from './health.ts';
import { InterfaceGuard } from './interface-guard.ts';
import { Interfaces } from './interfaces.ts';
import { KernelReadings } from './kernel-readings.ts';
import { describeLiveManifests, type LiveManifests } from './live-manifests.ts';
import { keysByIfindex, requireEndpoint, requireGiven } from './local-endpoints.ts';
import { takeLocks } from './locks.ts';
import type { ManifestFeed, StoredChanges } from './manifest-feed.ts';
import { ManifestIntake } from './manifest-intake.ts';
import { AgentMeter } from './metrics/agent-meter.ts';
import { AgentNames } from './names.ts';
import { type AgentOptions, isLocalNode, type LiveOptions, requireDirectory, toStateSettings } from './options.ts';
import { PolicyTurns } from './policy-turns.ts';
import { type Asker, type Lookout, lookOut } from './protect/lookout.ts';
import { Refusal } from './refusal.ts';
import { ResumePoint, type Resumption } from './resume-point.ts';
import { Settling } from './settling.ts';
import { finishInSlices } from './slices.ts';
import { type AgentStatus, describeFlows, describeManifests } from './status.ts';
import { StoreSession } from './store/session.ts';
import { SyncLoop } from './sync-loop.ts';
import { sayWhatIsTakenOver } from './takeover-log.ts';
import { VERSION } from './version.ts';
import { Wires } from './wires.ts';

export class Agent {
  readonly options: AgentOptions;
  /** undefined = the options are all there is. */
  readonly settings: AgentSettings | undefined;
  readonly events: EventHub;
  readonly flows: AgentFlows;
  readonly meter: AgentMeter;
  readonly readings: KernelReadings;
  readonly stored: StoreSession;
  readonly blocks: BlockService;
  readonly #turns: PolicyTurns;
  readonly #log: Logger;
  readonly #locks: readonly FileLock[];
  readonly #dataplane: Dataplane;
  readonly #intake: ManifestIntake;
  readonly #feed: ManifestFeed;
  readonly #graph: CalcGraph;
  readonly #health: Health;
  readonly #interfaces: Interfaces;
  readonly #guard: InterfaceGuard;
  readonly #manual: ManualInterfaces;
  readonly #wires: Wires;
  readonly #settling: Settling;
  readonly #loop: SyncLoop;
  readonly #audits = new AuditSchedule(() => void this.#loop.request());
  #desired: DesiredState;
  readonly #refusal: Refusal;
  #isStarted = false;
  #isAdopted = false;
  /** Manifests are still being loaded, but the kernel was found to enforce them. */
  #resumption: Resumption | undefined;
  #loaded: Promise<void> = Promise.resolve();
  #isStopped = false;

  private constructor(
    options: AgentOptions,
    log: Logger,
    locks: readonly FileLock[],
    dataplane: Dataplane,
    settings: AgentSettings | undefined,
  ) {
    this.options = options;
    this.settings = settings;
    this.#log = log;
    this.#locks = locks;
    this.#dataplane = dataplane;
    this.meter = new AgentMeter(options);
    this.#refusal = new Refusal(log, () => this.meter.failed());
    this.#graph = new CalcGraph(isLocalNode(options.node), options.limits.calc);
    this.readings = new KernelReadings(dataplane, options, () => this.#desired);
    this.stored = new StoreSession(options.stateDirectory, this, log);
    this.#intake = new ManifestIntake(options, this.stored, log);
    this.#feed = this.#intake.feed;
    this.#turns = new PolicyTurns({
      feed: this.#feed,
      graph: this.#graph,
      dataplane: { apply: (...all) => this.meter.applying(() => dataplane.apply(...all)) },
      wiringOf: (desired) => this.#wires.wire(desired).wiring,
      onTry: () => this.#settling.clear(),
    });
    this.#settling = new Settling({
      resumePoint: new ResumePoint(options, log),
      dataplane,
      memory: this.#intake.memory,
      feed: this.#feed,
      stored: this.stored,
      inForce: () => (this.isInSync ? this.#desired : undefined),
    });
    this.#manual = new ManualInterfaces(join(options.stateDirectory, 'interfaces.json'), log);
    this.#health = new Health(dataplane, options.stateDirectory, log, () => this.flows, this.stored);
    this.#interfaces = new Interfaces(dataplane.attachments, options.interfacePrefix, this.#health.repairs);
    this.#guard = InterfaceGuard.of(this.#interfaces, log, options, dataplane);
    this.#wires = new Wires(this.#interfaces, this.#manual);
    this.blocks = BlockService.of(options, log, this.#guard, this.#health.repairs);
    this.#desired = this.#graph.flush();
    this.#loop = new SyncLoop(() => this.#sync(), log);
    const nameOf = (ifindex: number): string | undefined => this.#interfaces.nameOf(ifindex);
    this.events = new EventHub(new AgentNames(() => this.#desired, dataplane.compiler, nameOf), log);
    this.meter.countHits(this.events);
    this.flows = flowsOf({ dataplane, options, log, wires: this.#wires }, this.events, this.#feed, () => this.#desired);
  }

  /** Starts enforcing and resolves once the manifests are in force. Throws AGENT_RUNNING and what Dataplane.open throws. */
  static async start(options: AgentOptions, log: Logger, settings?: AgentSettings): Promise<Agent> {
    requireDirectory(options.manifests);
    const locks = takeLocks(options);
    let close = async () => {};
    try {
      const sizes = { ...options.sizes, limits: options.limits.tables };
      const dataplane = await Dataplane.open({ ...options, ...toStateSettings(options), sizes });
      close = async () => dataplane.close();
      sayWhatIsTakenOver(dataplane, log);
      const agent = new Agent(options, log, locks, dataplane, settings);
      close = () => agent.stop();
      await agent.#begin();
      return agent;
    } catch (error) {
      // Half an agent that lived on would write to what the next one writes to.
      await close().catch((cause: unknown) =>
        log.warn('the start that failed is not undone', { error: String(cause) }),
      );
      for (const lock of locks) lock.close();
      throw error;
    }
  }

  /** Lets go; enforcement goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#audits.close();
    await this.#loaded;
    this.#resumption?.close();
    await this.#intake.close();
    this.#settling.close();
    await stopFlows(this.flows);
    await this.stored.close();
    await this.blocks.close();
    this.#interfaces.close();
    await this.#loop.stop();
    this.#intake.memory.close();
    this.events.close();
    this.#dataplane.close();
    for (const lock of this.#locks) lock.close();
  }

  /** Counts changes of the policy in force. */
  get generation(): number {
    return this.#dataplane.generation;
  }

  /** All accepted manifests are in force, and all that is stored. */
  get isInSync(): boolean {
    return this.isEnforcing && this.stored.notInForce.length === 0;
  }

  /** All that could be read of them is: more than that no start has to wait for. */
  get isEnforcing(): boolean {
    const isDone = this.#loop.isIdle && !this.#loop.hasFailed;
    return isDone && this.#refusal.error === undefined && this.#resumption?.holds !== false;
  }

  /** Resolves when all that is not asked of the kernel can be asked: objects, tables, names of rules. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  get isLoading(): boolean {
    return this.#resumption !== undefined;
  }

  get endpoints(): readonly EndpointStatus[] {
    return this.#guard.statuses;
  }

  status(): AgentStatus {
    return {
      version: VERSION,
      node: this.options.node,
      inSync: this.isInSync,
      loading: this.isLoading,
      error: this.#refusal.error?.toJSON() ?? null,
      config: this.settings?.status() ?? null,
      store: this.stored.status(),
      generation: this.generation,
      attachMode: this.#dataplane.attachMode,
      manifests: describeManifests(this.#feed, this.#resumption, this.#manual, this.stored),
      endpoints: this.endpoints,
      hostEndpoints: this.#wires.describeHostEndpoints(this.#desired, this.#dataplane),
      tables: this.#dataplane.image?.counts ?? null,
      flows: this.readings.flows().reduce((sum, { flows }) => sum + flows, 0),
      ...describeFlows(this.flows, this.settings),
      ...this.#health.status(),
      block: this.blocks.status(),
      counters: Object.fromEntries(this.readings.counters()),
    };
  }

  get health(): HealthStatus {
    return this.#health.status();
  }

  /** Where a file defines the object; undefined = none does. */
  fileOf(id: string): Resource['location'] | undefined {
    return this.#feed.fileOf(id);
  }

  /** Of all that is in force. A live view. */
  get world(): World {
    return this.#feed.world;
  }

  /** What no change may cut, as this machine is now. */
  lookOut(asker: Asker): Lookout {
    return lookOut(this.world, this.options, asker);
  }

  /** Of all that is in force: see PolicyHost. */
  async putStored(changes: StoredChanges, commit: (world: World) => void): Promise<void> {
    await this.#loaded;
    const done = this.meter.asked(this.#turns.put(changes, commit));
    void this.#loop.request();
    await done;
  }

  /** What is in force, of files and of the store. */
  resources(): Iterable<Resource> {
    return this.#feed.resources();
  }

  /** The resources in force, as manifests. */
  manifests(): LiveManifests {
    return describeLiveManifests(this.#feed.resources());
  }

  /** Takes settings that may change; no verdict of the policy in force does. Resolves when interfaces were looked at. */
  async reconfigure(live: LiveOptions): Promise<void> {
    this.#audits.begin(live.auditSeconds);
    this.#dataplane.configure(toStateSettings(live));
    this.#interfaces.setPrefixes(live.interfacePrefix);
    await this.blocks.configure(live);
    await Promise.all([this.flows.store.configure(live), this.flows.logs.configure(live)]);
    await this.#lookAtInterfaces();
  }

  /** Puts an endpoint behind an interface, whatever its manifest says. Throws NOT_FOUND for an unknown endpoint, STORE_FAILED. */
  async setInterface(endpoint: string, interfaceName: string, by: GivenBy): Promise<void> {
    await this.#loaded;
    requireEndpoint(this.#desired, endpoint);
    this.#manual.set(endpoint, interfaceName, by);
    await this.#loop.request();
  }

  /** Forgets setInterface. Throws NOT_FOUND when there is nothing to forget, STORE_FAILED. */
  async unsetInterface(endpoint: string, by: GivenBy): Promise<void> {
    await this.#loaded;
    requireGiven(endpoint, this.#manual.delete(endpoint, by));
    await this.#loop.request();
  }

  async #begin(): Promise<void> {
    this.#audits.begin(this.options.auditSeconds);
    this.#interfaces.refresh();
    void this.blocks.start();
    this.#resumption = this.#settling.resume((desired, isPoliced) => this.#wires.wire(desired, isPoliced).wiring);
    if (this.#resumption !== undefined) this.#desired = this.#resumption.desired;
    if (this.#resumption === undefined) finish(this.#loading());
    this.#interfaces.refresh();
    this.#interfaces.watch(() => {
      this.#guardNow();
      void this.#lookAtInterfaces();
    });
    this.#dataplane.watchPins(() => void this.#lookAtInterfaces());
    if (this.#resumption === undefined) return this.#enforce();
    await this.#loop.request();
    this.#log.info('taken over in force, loading goes on', { generation: this.#dataplane.generation });
    this.#loaded = this.#load();
  }

  *#loading(): Steps<void> {
    yield* this.#intake.memory.recalling();
    const stored = yield* this.stored.loading();
    yield* this.#feed.starting((changes) => {
      this.#graph.apply(changes.changed, changes.removed);
      this.meter.filesChanged(changes.noticedMs);
      if (this.#isStarted) void this.#loop.request();
    }, stored);
    this.#feed.watchFelix((objects) => this.settings?.felixChanged(objects));
  }

  /** What cannot be loaded ends the agent, as it would have at the start; the next one starts in the ordinary way. */
  async #load(): Promise<void> {
    try {
      await finishInSlices(this.#loading(), () => !this.#isStopped);
    } catch (error) {
      this.#settling.clear();
      throw error;
    }
    if (this.#isStopped) return;
    this.#resumption?.close();
    this.#resumption = undefined;
    await this.#enforce();
  }

  async #enforce(): Promise<void> {
    this.#isStarted = true;
    await this.#loop.request();
    if (this.#isStopped) return;
    // Not before: what an earlier agent left is named by the tables in force.
    this.#dataplane.readEvents((chunk, records) => this.events.publish(this.meter.counted(chunk, records)));
    startFlows(this.flows);
    this.stored.begin();
    this.#log.info('in force', { generation: this.#dataplane.generation, endpoints: this.#guard.statuses.length });
  }

  #lookAtInterfaces(): Promise<void> {
    this.#audits.want({ isListing: true });
    return this.#loop.request();
  }

  async #sync(): Promise<void> {
    await this.#turns.run();
    const { isAudit, isListing } = this.#audits.take();
    if (isAudit) this.#health.audit(this.#guard.failures);
    if (isListing) this.#wires.refresh();
    const inForce = [this.meter.takeChanges(), this.#intake.taking()];
    const isResolved = this.#resumption === undefined && this.#resolve();
    const { wiring, statuses } = this.#wires.wire(this.#desired, this.#resumption?.isHostPoliced);
    this.#guard.guard(statuses, isAudit);
    this.#resumption?.noteWiring(wiring);
    if (!isResolved) return;
    if (this.#refusal.standsFor(this.#desired, wiring)) return;
    try {
      const desired = this.#desired;
      this.flows.logs.policyChanges(desired);
      this.#settling.expect(desired, wiring);
      const { takesOverFrom } = this.#dataplane;
      const { isChanged } = await this.meter.applying(() => this.#dataplane.apply(desired, wiring));
      this.#guard.noteInForce(this.#dataplane.unplaced);
      if (takesOverFrom !== undefined) this.#log.info('taken over from another layout', { layout: takesOverFrom });
      this.#refusal.clear();
      for (const tell of inForce) tell();
      this.#settling.note(desired, wiring);
      if (isChanged) this.#log.info('policy changed', { generation: this.#dataplane.generation });
      void this.blocks.policyChanged();
    } catch (error) {
      this.#refusal.note(error, { desired: this.#desired, wiring });
    }
  }

  /**
   * Brings what must be enforced up to date; false = it cannot be resolved, and stays as it was. The first time the
   * dataplane takes over what is pinned: not before endpoints are known, because it goes by them.
   */
  #resolve(): boolean {
    try {
      this.#desired = this.#graph.flush();
    } catch (error) {
      this.#refusal.note(error);
      return false;
    }
    if (!this.#isAdopted) {
      const keys = keysByIfindex(this.#desired, this.#interfaces.links, this.#manual.entries());
      this.#dataplane.adopt(keys, this.#desired, this.#wires.wire(this.#desired).wiring.interfaces);
    }
    this.#isAdopted = true;
    return true;
  }

  /** A new interface drops from here on; the run of the loop that may still be under way would come later. */
  #guardNow(): void {
    try {
      this.#wires.refresh();
      this.#guard.guardNew(this.#wires.wire(this.#desired).statuses);
    } catch (error) {
      this.#log.error('interfaces not looked at', { error: String(error) });
    }
  }
}
