// The kernel side of one node: loaded programs, pinned maps, attached interfaces, and the policy in force.
// One change at a time: compile, write, switch, wait until nobody reads the old, reuse its space.

import { Layout } from '../abi/common.gen.ts';
import type { DataplaneError } from '../base/errors.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { TableCompiler } from '../tables/compiler.ts';
import { hostEntries } from '../tables/host-entries.ts';
import type { TableImage } from '../tables/image.ts';
import { type AttachMode, Attachments, bestAttachMode } from './attachment.ts';
import { Bridge } from './bridge.ts';
import { Captures } from './captures.ts';
import { KernelClock } from './clock.ts';
import { type BoundEndpoint, EndpointWriter } from './endpoint-writer.ts';
import { FlowCounting } from './flow-counter.ts';
import { FlowTable, type FlowTally, flowTableShape } from './flow-table.ts';
import { HostHooks } from './host-hooks.ts';
import { type HostTable, judgesTransit, type NumberedInterface } from './host-table.ts';
import { ImageWriter, type StateSettings } from './image-writer.ts';
import type { BpfObject, RingBuffer } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { loadObject, type MapSizes, mapsOf } from './object.ts';
import { PinWatch } from './pin-watch.ts';
import { Pins } from './pins.ts';
import { PolicyFingerprint } from './policy-fingerprint.ts';
import { type ProgramRuns, programRuns } from './program-runs.ts';
import { type ReasonCount, readCounters } from './reason-counts.ts';
import type { Repair } from './repair.ts';
import { Takeover } from './takeover.ts';
import { Upkeep } from './upkeep.ts';
import {
  type EndpointBinding,
  hasOwnerChanged,
  hostTableOf,
  isSameBound,
  isSameWiring,
  type Wiring,
} from './wiring.ts';

export interface DataplaneOptions extends LiveSettings {
  /** Mount point of bpffs; mounted there when nothing is. */
  readonly bpffs: string;
  /** Directory inside bpffs that holds everything Tortie pins. */
  readonly pinRoot: string;
  readonly sizes: MapSizes;
  /** auto = TCX where the kernel has it. */
  readonly attachMode: AttachMode | 'auto';
}

/** What may be set at any time. */
type LiveSettings = Omit<StateSettings, 'hz'>;

/** Where it is pinned, and whose place it takes. */
interface Place {
  readonly pins: Pins;
  readonly bridge: Bridge;
  readonly takeover: Takeover;
  readonly clock: KernelClock;
}

export class Dataplane {
  readonly attachMode: AttachMode;
  readonly compiler: TableCompiler;
  readonly captures: Captures;
  readonly #object: BpfObject;
  readonly #clock: KernelClock;
  readonly #images: ImageWriter;
  readonly #hz: number;
  readonly #sizes: MapSizes;
  readonly #endpoints: EndpointWriter;
  readonly #hosts: HostHooks;
  readonly #fingerprint: PolicyFingerprint;
  readonly #flows: FlowTable;
  readonly #attachments: Attachments;
  readonly #pins: Pins;
  readonly #bridge: Bridge;
  readonly #takeover: Takeover;
  readonly #upkeep: Upkeep;
  #pinWatch: PinWatch | undefined;
  #events: RingBuffer | undefined;
  #image: TableImage | undefined;
  /** What the image in force was made from; undefined = not known. */
  #desired: DesiredState | undefined;
  #bound: readonly BoundEndpoint[] = [];
  /** What bound and the table of interfaces were made from: the same lists again mean that nothing about them is new. */
  #wiring: Wiring | undefined;
  /** Workloads may hand packets to each other past the host's stack. */
  #hasPeerDelivery = true;
  /** The endpoint maps hold all of it. */
  #isBoundWritten = false;

  private constructor(object: BpfObject, options: DataplaneOptions, place: Place, hz: number) {
    const { sizes } = options;
    const { pins, bridge, takeover } = place;
    this.#object = object;
    this.#clock = place.clock;
    this.#hz = hz;
    this.#sizes = sizes;
    const maps = mapsOf(object);
    this.#images = new ImageWriter(maps, bridge);
    this.#endpoints = new EndpointWriter(maps);
    this.captures = new Captures(object, this.#images, this.#endpoints);
    this.#hosts = new HostHooks(sizes, pins, this.#images);
    this.#fingerprint = new PolicyFingerprint(maps, () => this.#hosts.words);
    this.#flows = new FlowTable(maps.flows, flowTableShape(sizes.flows).room);
    this.compiler = new TableCompiler(sizes);
    this.configure(options);
    this.attachMode = options.attachMode === 'auto' ? bestAttachMode() : options.attachMode;
    const programs = { ingress: object.program('tt_from_work'), egress: object.program('tt_to_work') };
    this.#attachments = new Attachments(programs, this.attachMode, pins, bridge.programs);
    this.#attachments.leavesOthers = takeover.leavesOthers;
    this.#pins = pins;
    this.#bridge = bridge;
    this.#takeover = takeover;
    const writers = { images: this.#images, endpoints: this.#endpoints, hosts: this.#hosts };
    this.#upkeep = new Upkeep(object, maps, writers, bridge, pins);
    takeover.begin(programs);
  }

  /**
   * Loads the programs and takes over what is pinned; where that is of another layout, it stays in force until the first
   * apply. Throws PERMISSION, PROGRAM_REJECTED, ABI_MISMATCH, KERNEL.
   */
  static async open(options: DataplaneOptions): Promise<Dataplane> {
    const pins = new Pins(options.pinRoot);
    pins.create(options.bpffs);
    const bridge = new Bridge(pins);
    let object: BpfObject | undefined;
    let clock: KernelClock | undefined;
    try {
      const takeover = new Takeover(bridge, pins);
      object = loadObject('workload', options.sizes, pins, { tt_cache_mark: takeover.mark });
      clock = KernelClock.of(object);
      return new Dataplane(object, options, { pins, bridge, takeover, clock }, await clock.measureHz());
    } catch (error) {
      clock?.close();
      object?.close();
      bridge.close();
      throw error;
    }
  }

  /** Layout version whose tables were in force before; undefined = ours, or none. */
  get takesOverFrom(): number | undefined {
    const { from, isFinished } = this.#takeover;
    return isFinished || from === 0 || from === Layout.VERSION ? undefined : from;
  }

  /** See Takeover. */
  get losesFlows(): boolean {
    return this.#takeover.losesFlows;
  }

  /** See Bridge: until all is in force. */
  get isApart(): boolean {
    return this.#bridge.isApart;
  }

  /** Endpoints that the tables have no place for, by interface number, and why: these interfaces drop. */
  get unplaced(): ReadonlyMap<number, DataplaneError> {
    return this.#endpoints.refused;
  }

  /** Counts for every packet from here on; the policy in force stays as it is. */
  configure(settings: LiveSettings): void {
    this.#images.configure({ ...settings, hz: this.#hz });
  }

  /** Only while flowLogs are configured. */
  get flowCounting(): FlowCounting {
    return new FlowCounting(this.#pins, this.#sizes, this.#hz);
  }

  /**
   * Takes over the policy in force: `keys` names the endpoint behind each interface that still exists, `interfaces` says who
   * is responsible for each now.
   */
  adopt(keys: ReadonlyMap<number, string>, desired: DesiredState, interfaces: readonly NumberedInterface[]): void {
    this.#images.adopt(this.compiler);
    const ids = new Map<string, number>();
    const inForce = this.#endpoints.idsByIfindex();
    for (const [ifindex, id] of inForce) {
      const key = keys.get(ifindex);
      if (key !== undefined) ids.set(key, id);
    }
    const taken = new Set(inForce.values());
    const entries = hostEntries(desired, interfaces, { endpointIds: new Map() });
    for (const [key, id] of this.#hosts.idsInForce(entries, interfaces)) if (!taken.has(id)) ids.set(key, id);
    this.compiler.adoptEndpointIds(ids);
  }

  /** Why host endpoints are not enforced, though there are some; undefined = they are. */
  get hostProblem(): DataplaneError | undefined {
    return this.#hosts.problem;
  }

  /** The image in force, once one was published by this process. */
  get image(): TableImage | undefined {
    return this.#image;
  }

  get generation(): number {
    return this.#images.generation;
  }

  /** Of what is in force in the kernel, whoever put it there; undefined = nothing is. Not while apply is under way. */
  policyFingerprint(): string | undefined {
    return this.#fingerprint.take();
  }

  /**
   * Puts the desired state in force for the endpoints that have an interface. Resolves when the space of the state before
   * can be reused. Where lists of the host begin to judge what passes between workloads, it first waits until nothing goes
   * past them. accept is called when it compiles, before anything is in force. Throws TABLE_FULL where the policy has no
   * room, and what accept throws: the state before stays in force. An endpoint that has no room costs itself only: see
   * unplaced.
   */
  async apply(desired: DesiredState, wiring: Wiring, accept?: () => void): Promise<{ readonly isChanged: boolean }> {
    const hasSettled = this.#isBoundWritten && this.#takeover.isFinished;
    if (desired === this.#desired && isSameWiring(wiring, this.#wiring) && hasSettled) {
      accept?.();
      return { isChanged: false };
    }
    this.#desired = undefined;
    if (wiring.bindings !== this.#wiring?.bindings) this.#handOverIds(desired, wiring.bindings);
    const image = this.compiler.compile(desired, accept);
    // Before anything can fail: the next image builds on what this one has.
    this.#images.write(image, this.compiler);
    const table = this.#hosts.admit(hostTableOf(desired, wiring, image));
    await this.#keepPeersApart(table);
    const bound = this.#bindTo(image, wiring, !judgesTransit(table));
    if (bound === this.#bound) {
      const isChanged = this.#publish(image, table);
      this.#desired = desired;
      if (isChanged || !this.#takeover.isFinished) await this.#settle();
      return { isChanged };
    }
    // If anything fails before all is written, the next change begins with it again.
    this.#isBoundWritten = false;
    if (this.#endpoints.removeAllBut(bound)) this.#images.forgetCachedFlows();
    const isChanged = this.#publish(image, table);
    try {
      this.#endpoints.writeAll(bound);
      this.#isBoundWritten = true;
      this.#desired = desired;
    } finally {
      this.#images.forgetCachedFlows();
      const hasMoved = hasOwnerChanged(this.#bound, bound);
      this.#bound = bound;
      await this.#retire();
      if (hasMoved) this.#images.judgeFlowsAgain(image.root);
    }
    await this.#settle();
    return { isChanged };
  }

  /** Before lists of the host judge what passes between workloads: nothing may go past them any more. */
  async #keepPeersApart(table: HostTable): Promise<void> {
    if (!judgesTransit(table) || !this.#bound.some(({ peerDelivery }) => peerDelivery)) return;
    this.#isBoundWritten = false;
    this.#bound = this.#bound.map((endpoint) => ({ ...endpoint, peerDelivery: false }));
    this.#endpoints.writeAll(this.#bound);
    this.#images.forgetCachedFlows();
    await loadNative().waitForPrograms();
    this.#endpoints.clearReplaced();
  }

  /** The endpoints with their ids; the very list of the last time if nothing about them is new. */
  #bindTo(image: TableImage, wiring: Wiring, hasPeerDelivery: boolean): readonly BoundEndpoint[] {
    const before = this.#bound;
    const { bindings } = wiring;
    const hasSameIds = before.every(({ key, id }) => image.endpointIds.get(key) === id);
    const isAsBefore = bindings === this.#wiring?.bindings && hasPeerDelivery === this.#hasPeerDelivery;
    this.#wiring = wiring;
    this.#hasPeerDelivery = hasPeerDelivery;
    if (this.#isBoundWritten && isAsBefore && hasSameIds) return before;
    const bound = bindings.flatMap((binding): BoundEndpoint[] => {
      const id = image.endpointIds.get(binding.key);
      const peerDelivery = binding.peerDelivery && hasPeerDelivery;
      return id === undefined ? [] : [{ ...binding, id, peerDelivery }];
    });
    const isSame =
      this.#isBoundWritten &&
      before.length === bound.length &&
      bound.every((each, at) => isSameBound(each, before[at]));
    return isSame ? before : bound;
  }

  /** Image and table come into force by one store. */
  #publish(image: TableImage, table: HostTable): boolean {
    const isNewTable = !this.#hosts.isInForce(table);
    if (isNewTable) this.#hosts.prepare(table);
    this.#image = image;
    if (!isNewTable) return this.#images.putInForce(image.root);
    // Programs that are there have all of it at once; a takeover's come when the tables are in force.
    if (!this.#takeover.isNeeded) this.#hosts.attach();
    this.#images.judgeFlowsAgain(image.root);
    return true;
  }

  /** All is written: what is left of a takeover is done. */
  async #settle(): Promise<void> {
    if (!this.#takeover.isFinished) this.#takeover.cross(this.#attachments);
    this.#hosts.attach();
    await this.#retire();
    if (!this.#takeover.isFinished) this.#takeover.finish(this.#attachments);
  }

  /** Gives back what packets may have read before, once none of them is under way. */
  async #retire(): Promise<void> {
    await loadNative().waitForPrograms();
    if (this.#endpoints.clearReplaced()) this.#images.forgetCachedFlows();
    this.compiler.retireOlderImages();
    this.#hosts.settle();
  }

  /** An endpoint that takes the place of one that is gone takes its id too: the interface has policy at any moment. */
  #handOverIds(desired: DesiredState, bindings: readonly EndpointBinding[]): void {
    const before = new Map(this.#bound.map(({ ifindex, key }) => [ifindex, key]));
    for (const { ifindex, key } of bindings) {
      const predecessor = before.get(ifindex);
      if (predecessor !== undefined && !desired.endpoints.has(predecessor))
        this.compiler.renameEndpoint(predecessor, key);
    }
  }

  /** The interfaces' side of it: which programs are where, under which name. */
  get attachments(): Attachments {
    return this.#attachments;
  }

  /**
   * Undoes what others did to pins and to the tables of the image in force; of large tables, to a part of them. Only between
   * two changes. Throws PERMISSION or KERNEL.
   */
  restore(): Repair[] {
    this.#pinWatch?.renew();
    const pins = this.#upkeep.restorePins();
    return this.#image === undefined ? pins : [...pins, ...this.#upkeep.restoreTables(this.#image, this.compiler)];
  }

  /** Calls back at once when a pin was removed or renamed. */
  watchPins(onChange: () => void): void {
    const directories = [this.#pins.linkDirectory, this.#hosts.linkDirectory, ...this.#pins.mapDirectories];
    this.#pinWatch = new PinWatch(directories, (fileName) => {
      this.#attachments.suspect(fileName);
      onChange();
    });
  }

  /** Hands over ring-buffer chunks ([u32 length][record]...), each with its number of records, until close. */
  readEvents(onChunk: (chunk: Uint8Array, records: number) => void): void {
    this.#events = translateErrors('read events', 'tt_events', () =>
      loadNative().RingBuffer.open(this.#object.map('tt_events'), onChunk),
    );
  }

  /** Hands over what was read already; what comes later waits for the next reader. */
  closeEvents(): void {
    this.#events?.close();
  }

  /** Packets and bytes by enum tt_reason, summed over CPUs. */
  counters(): ReasonCount[] {
    return readCounters(this.#object);
  }

  /** Flows that have not ended, by protocol and state. */
  flowCensus(): FlowTally[] {
    return this.#flows.census(this.#clock.read().jiffies);
  }

  /** Flows that there is room for. */
  get flowCapacity(): number {
    return this.#flows.capacity;
  }

  /** For each number of seconds, fewest first, the flows that have not ended and began longer ago. */
  flowsOlderThan(seconds: readonly number[]): number[] {
    const ages = seconds.map((age) => age * this.#hz);
    return this.#flows.olderThan(this.#clock.read().jiffies, ages);
  }

  /** What runs of our programs have cost since they were loaded; 0 unless the kernel counts: kernel.bpf_stats_enabled. */
  programs(): ProgramRuns[] {
    return [...programRuns(this.#object), ...this.#hosts.programs()];
  }

  /** Lets go of everything; enforcement goes on. */
  close(): void {
    this.#pinWatch?.close();
    this.closeEvents();
    this.#attachments.close();
    this.#hosts.close();
    this.#clock.close();
    this.#object.close();
    this.#bridge.close();
  }
}
