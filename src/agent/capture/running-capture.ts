// One capture: whose packets it wants, and which of those that come are its own.
import type { DesiredState } from '../../calc/resolved.ts';
import type { CapturedPacket } from '../../events/packet.ts';
import type { CaptureOrder, CaptureTally, CaptureWish } from '../../kernel/captures.ts';
import type { NumberedInterface } from '../../kernel/host-table.ts';
import { formatAddress } from '../../model/address.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import type { NameLookup } from '../../model/name-lookup.ts';
import { matches } from '../../model/selector/evaluate.ts';
import type { World } from '../../model/world.ts';
import { type CapturedRecord, describePacket } from '../../observe/capture/captured-record.ts';
import type { CaptureRequest, EndpointChoice } from './capture-request.ts';
import { HostDenials } from './host-denials.ts';

export interface CaptureListener {
  onPacket(packet: CapturedRecord): void;
  /** Now and then. */
  onTick(): void;
  /** Once, and nothing after it: its time is over, or the agent stops. */
  onEnd(): void;
}

/** What there is to choose among. */
export interface CaptureScene {
  readonly desired: DesiredState;
  readonly world: World;
  /** Of this host: another list whenever one may have changed. */
  readonly interfaces: readonly NumberedInterface[];
}

export type Missed = Pick<CaptureTally, 'suppressed' | 'lost'>;

export class RunningCapture {
  readonly request: CaptureRequest;
  readonly listener: CaptureListener;
  readonly #tally: () => CaptureTally;
  readonly #before: CaptureTally;
  readonly #endsAt: number;
  #scene: CaptureScene | undefined;
  /** By key in the desired state, which is the dataplane's as well. */
  #selected: ReadonlyMap<string, WorkloadEndpoint> = new Map();
  #addresses: ReadonlySet<string> = new Set();
  #places: ReadonlyMap<number, string> = new Map();
  /** Of the host endpoint that it is about: undefined as well while that is not here. */
  #denials: HostDenials | undefined;

  constructor(request: CaptureRequest, listener: CaptureListener, tally: () => CaptureTally) {
    this.request = request;
    this.listener = listener;
    this.#tally = tally;
    this.#before = tally();
    this.#endsAt = performance.now() + request.seconds * 1000;
  }

  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  /** Names of the endpoints whose packets it wants; null = it asks for none. */
  get endpoints(): readonly string[] | null {
    const { endpoints, hostEndpoint } = this.request;
    if (hostEndpoint !== undefined) return this.#denials === undefined ? [] : [`hostendpoint/${hostEndpoint}`];
    if (endpoints === undefined) return null;
    return [...this.#selected.values()].map(({ displayName }) => displayName).sort();
  }

  get keys(): ReadonlySet<string> {
    return new Set(this.#selected.keys());
  }

  /** Of all captures that run, since this one began: which one a packet would have been of nobody knows. */
  get missed(): Missed {
    const { suppressed, lost } = this.#tally();
    return { suppressed: suppressed - this.#before.suppressed, lost: lost - this.#before.lost };
  }

  /** Endpoints may have changed. */
  select(scene: CaptureScene): void {
    const { endpoints: choice, hostEndpoint } = this.request;
    const before = this.#scene;
    this.#scene = scene;
    const isSame = scene.desired === before?.desired;
    if (hostEndpoint !== undefined && !(isSame && scene.interfaces === before.interfaces))
      this.#denials = denialsOf(hostEndpoint, scene);
    if (choice === undefined || isSame) return;
    const { desired, world } = scene;
    const endpoints = [...desired.endpoints].map(([key, { endpoint }]) => [key, endpoint] as const);
    this.#selected = new Map(endpoints.filter(([, endpoint]) => isChosen(endpoint, choice, world)));
    const addresses = [...this.#selected.values()].flatMap((endpoint) => endpoint.addresses);
    this.#addresses = new Set(addresses.map(formatAddress));
  }

  /** By interface number, where the chosen are. */
  place(places: ReadonlyMap<number, string>): void {
    this.#places = places;
  }

  /** Takes the packet if it is one of its own. */
  offer(packet: CapturedPacket, names: NameLookup, offsetNs: bigint): void {
    if (!this.#wants(packet)) return;
    this.listener.onPacket(describePacket(packet, names, { offsetNs, snapBytes: this.request.snapBytes }));
  }

  #wants({ event, isDenied }: CapturedPacket): boolean {
    const { endpoints, hostEndpoint, allowed, denied } = this.request;
    if (!(isDenied ? denied : allowed)) return false;
    if (hostEndpoint !== undefined) return this.#denials?.denierOf(event) === hostEndpoint;
    if (endpoints === undefined) return true;
    const { hook, ifindex, destination } = event;
    const isWorkload = hook === 'from_workload' || hook === 'to_workload';
    if (isWorkload && this.#places.has(ifindex)) return true;
    // The sender's hook judges for the receiver too: what it drops the receiver's never sees.
    return hook === 'from_workload' && isDenied && destination !== undefined
      ? this.#addresses.has(formatAddress(destination))
      : false;
  }
}

/** What all of them together want of the programs. */
export function orderOf(running: readonly RunningCapture[]): CaptureOrder {
  const endpoints = new Map<string, CaptureWish>();
  for (const { keys, request } of running) {
    for (const key of keys) {
      const before = endpoints.get(key);
      endpoints.set(key, {
        allowed: request.allowed || before?.allowed === true,
        denied: request.denied || before?.denied === true,
      });
    }
  }
  return {
    snapBytes: Math.max(...running.map(({ request }) => request.snapBytes)),
    packetsPerSecond: Math.max(...running.map(({ request }) => request.packetsPerSecond)),
    allDenied: running.some(({ request }) => request.endpoints === undefined),
    endpoints,
  };
}

/** undefined = no host endpoint of that name is here. */
function denialsOf(name: string, { desired, interfaces }: CaptureScene): HostDenials | undefined {
  const isHere = [...desired.hostEndpoints.values()].some(({ endpoint }) => endpoint.name === name);
  return isHere ? new HostDenials(desired, interfaces) : undefined;
}

function isChosen(endpoint: WorkloadEndpoint, choice: EndpointChoice, world: World): boolean {
  const { selector, namespace, endpoint: name } = choice;
  if (namespace !== undefined && endpoint.namespace !== namespace) return false;
  if (name !== undefined && endpoint.displayName !== name && endpoint.key !== name) return false;
  return selector === undefined || matches(selector, (label) => labelOf(endpoint, label, world));
}

/** Its own, else that of the first profile that has it. */
function labelOf({ labels, profiles }: WorkloadEndpoint, label: string, world: World): string | undefined {
  if (Object.hasOwn(labels, label)) return labels[label];
  const lender = profiles.find((name) => Object.hasOwn(world.profiles.get(name)?.labels ?? {}, label));
  return lender === undefined ? undefined : world.profiles.get(lender)?.labels[label];
}
