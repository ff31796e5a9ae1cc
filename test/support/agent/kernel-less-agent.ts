// An agent without a kernel: manifests, store, graph and compiler as the agent composes them, with a socket of its own.
// Nothing is faked but the writing of the compiled tables to maps.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AcceptedManifests } from '../../../src/agent/accepted-manifests.ts';
import type { ApiAgent } from '../../../src/agent/api/route.ts';
import { AgentApi, type ApiOptions } from '../../../src/agent/api.ts';
import { BlockService, type BlockServiceParts } from '../../../src/agent/block/block-service.ts';
import { CaptureService } from '../../../src/agent/capture/capture-service.ts';
import { PacketCaptures } from '../../../src/agent/capture/packet-captures.ts';
import { EventHub } from '../../../src/agent/event-hub.ts';
import { FlowStoreService } from '../../../src/agent/flows/flow-store-service.ts';
import { StoreClient } from '../../../src/agent/flows/store-client.ts';
import type { HealthStatus } from '../../../src/agent/health.ts';
import { describeLiveManifests } from '../../../src/agent/live-manifests.ts';
import { ManifestFeed, type StoredChanges } from '../../../src/agent/manifest-feed.ts';
import { AgentMeter } from '../../../src/agent/metrics/agent-meter.ts';
import { AgentNames } from '../../../src/agent/names.ts';
import { completeOptions } from '../../../src/agent/options.ts';
import { PolicyTurns } from '../../../src/agent/policy-turns.ts';
import type { Lookout } from '../../../src/agent/protect/lookout.ts';
import { StoreSession } from '../../../src/agent/store/session.ts';
import { Logger } from '../../../src/base/log.ts';
import { finish } from '../../../src/base/steps.ts';
import { CalcGraph } from '../../../src/calc/graph.ts';
import { sendToAgent } from '../../../src/cli/agent-client.ts';
import type { Flow } from '../../../src/model/flow.ts';
import type { FlowVerdict } from '../../../src/model/verdict.ts';
import type { World } from '../../../src/model/world.ts';
import { FlowHub } from '../../../src/observe/flows/flow-hub.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { TableCompiler, type TableSizes } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import { TableEnforcement } from '../block/table-enforcement.ts';
import { startStoreHere } from './store-here.ts';
import { question } from './store-manifests.ts';

export interface KernelLessOptions {
  /** By file name. */
  readonly manifests?: Readonly<Record<string, string>>;
  /** Where another one was before. */
  readonly folder?: string;
  readonly api?: ApiOptions;
  /** Of the compiled tables. */
  readonly tableSizes?: TableSizes;
  /** Of the block list. */
  readonly block?: Pick<BlockServiceParts, 'clock' | 'read'>;
  /** Which flows are kept; all unless given. */
  readonly flowStore?: 'off' | 'aggregated' | 'all';
  /** Entries of history. */
  readonly keptRevisions?: number;
}

export class KernelLessAgent implements ApiAgent {
  readonly folder: string;
  readonly options: { readonly socket: string };
  readonly stored: StoreSession;
  readonly blocks: BlockService;
  /** What the block list has put in force. */
  readonly enforcement = new TableEnforcement();
  readonly events: EventHub;
  readonly flows: ApiAgent['flows'];
  readonly settings = undefined;
  readonly loaded = Promise.resolve();
  readonly isLoading = false;
  readonly endpoints = [];
  readonly readings: ApiAgent['readings'] = {
    counters: () => new Map(),
    flows: () => [],
    flowTable: () => ({ capacity: 0, flows: [], olderThan: [] }),
    localPolicies: () => 0,
    maps: () => [],
    programs: () => [],
    tables: () => null,
    usage: () => [],
    judge: (flow: Flow): FlowVerdict =>
      new TableEvaluator(this.#graph.flush(), this.#compiler, this.#image as TableImage).evaluate(flow),
  };
  readonly generation = 1;
  health: HealthStatus = { conditions: [], repairs: 0, repairsByCause: {} };
  readonly meter = new AgentMeter(completeOptions({}));
  /** What the kernel refuses tables with. */
  kernelFailure: Error | undefined;
  /** As a test says: all that could be read is in force. */
  isEnforcing = true;
  /** Likewise: flow logs are on, and the hub has all of them. */
  isTelling = true;
  readonly log: string[] = [];
  readonly #feed: ManifestFeed;
  readonly #memory: AcceptedManifests;
  readonly #graph = new CalcGraph(() => true);
  readonly #compiler: TableCompiler;
  readonly #turns: PolicyTurns;
  readonly #api: AgentApi;
  readonly #packetCaptures: PacketCaptures;
  #image: TableImage | undefined;

  private constructor(options: KernelLessOptions) {
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'tortie-api-'));
    this.options = { socket: join(this.folder, 'agent.sock') };
    const directory = join(this.folder, 'manifests');
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(options.manifests ?? {})) writeFileSync(join(directory, name), text);
    const log = new Logger({ level: 'info', write: (line) => this.log.push(line) });
    this.#memory = new AcceptedManifests({ stateDirectory: join(this.folder, 'state'), manifests: directory }, log);
    this.#feed = new ManifestFeed(directory, this.#memory, log);
    this.#compiler = new TableCompiler(options.tableSizes);
    const stateDirectory = join(this.folder, 'state');
    this.blocks = new BlockService({ stateDirectory, enforcement: this.enforcement, log, ...options.block });
    this.stored = new StoreSession(join(this.folder, 'state'), this, log, options.keptRevisions);
    this.#turns = new PolicyTurns({
      feed: this.#feed,
      graph: this.#graph,
      dataplane: {
        apply: async (desired, _wiring, accept) => {
          this.#image = this.#compiler.compile(desired, accept);
          if (this.kernelFailure !== undefined) throw this.kernelFailure;
          return { isChanged: true };
        },
      },
      wiringOf: () => ({ bindings: [], interfaces: [] }),
      onTry: () => undefined,
    });
    this.events = new EventHub(
      new AgentNames(
        () => this.#graph.flush(),
        this.#compiler,
        () => undefined,
      ),
      log,
    );
    const hub = new FlowHub(log);
    const store = new FlowStoreService({
      hub,
      stateDirectory,
      log,
      options: { flowStore: options.flowStore ?? 'all', flowStoreDays: 7, flowStoreBytes: 2 ** 30 },
      openStore: (directory) =>
        new StoreClient({ directory, retention: { days: 7, bytes: 2 ** 30 }, log, start: startStoreHere }),
    });
    const captures = new CaptureService({
      captures: {
        order: () => undefined,
        placesOf: () => new Map(),
        read: () => undefined,
        stop: () => undefined,
        tally: () => ({ captured: 0, suppressed: 0, lost: 0 }),
      },
      names: this.events.names,
      desired: () => this.#graph.flush(),
      world: () => this.#feed.world,
      interfaces: () => [],
      log,
    });
    const packetCaptures = new PacketCaptures({
      service: captures,
      resources: () => this.resources(),
      stateDirectory,
      node: 'here',
      log,
    });
    this.#feed.watchCaptures(() => packetCaptures.refresh());
    this.#packetCaptures = packetCaptures;
    this.flows = { hub, store, captures, packetCaptures };
    const identify = options.api?.identify ?? (() => ({ who: { kind: 'agent' as const }, from: {} }));
    this.#api = new AgentApi(this, log, { ...options.api, identify });
  }

  static async start(options: KernelLessOptions = {}): Promise<KernelLessAgent> {
    const agent = new KernelLessAgent(options);
    const stored = finish(agent.stored.loading());
    finish(agent.#feed.starting(({ changed, removed }) => agent.#graph.apply(changed, removed), stored));
    agent.#image = agent.#compiler.compile(agent.#graph.flush());
    agent.stored.begin();
    await agent.blocks.start();
    agent.#packetCaptures.start();
    await agent.#api.listen();
    return agent;
  }

  /** Of the listener for other machines. */
  get remotePort(): number | undefined {
    return this.#api.remotePort;
  }

  get isInSync(): boolean {
    return this.isEnforcing && this.stored.notInForce.length === 0;
  }

  get world(): World {
    return this.#feed.world;
  }

  /** What the machine cannot do without; a test says so. */
  lookOut: () => Lookout | undefined = () => undefined;

  fileOf(id: string): Resource['location'] | undefined {
    return this.#feed.fileOf(id);
  }

  async putStored(changes: StoredChanges, commit: (world: World) => void): Promise<void> {
    const done = this.#turns.put(changes, commit);
    await this.#turns.run();
    await done;
  }

  resources(): Iterable<Resource> {
    return this.#feed.resources();
  }

  manifests(): ReturnType<ApiAgent['manifests']> {
    return describeLiveManifests(this.#feed.resources());
  }

  status(): ReturnType<ApiAgent['status']> {
    const { hub, store } = this.flows;
    return {
      version: '0.0.0',
      node: '*',
      inSync: this.isInSync,
      loading: this.isLoading,
      error: null,
      config: null,
      store: this.stored.status(),
      generation: this.generation,
      attachMode: 'tcx',
      manifests: this.#feed.status(this.stored.errors),
      endpoints: this.endpoints,
      hostEndpoints: [],
      tables: this.#image?.counts ?? null,
      flows: 0,
      flowLogs: {
        isOn: this.isTelling,
        isWanted: this.isTelling,
        intervalSeconds: 1,
        records: hub.published,
        packets: 0,
        lost: hub.lost,
        isSampling: false,
      },
      flowStore: store.status(),
      flowStreams: { leftOut: hub.leftOut },
      exports: null,
      ...this.health,
      block: this.blocks.status(),
      counters: {},
    };
  }

  async setInterface(): Promise<void> {}

  async unsetInterface(): Promise<void> {}

  /** What `tortie verdict` would print of red's flow to that port of green: see store-manifests.ts. */
  async verdictOf(port: number): Promise<string> {
    const asked = { method: 'POST', path: '/v1/verdict', body: question(port) } as const;
    return (await sendToAgent<{ verdict: string }>(this.options.socket, asked)).body.verdict;
  }

  /** Another one in its place, with its files. */
  async restarted(block?: KernelLessOptions['block']): Promise<KernelLessAgent> {
    await this.stop();
    return KernelLessAgent.start({ folder: this.folder, block });
  }

  /** Stops it; its files stay for another one. */
  async stop(): Promise<void> {
    await this.#api.close();
    this.#packetCaptures.close();
    await this.flows.store.stop();
    await this.stored.close();
    await this.blocks.close();
    this.#feed.close();
    this.#memory.close();
  }

  /** Stops it, and its files go. */
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
