// Packets through an arena, injected and counted by programs in the guests' namespaces: which arrive, and what one costs.
import { DataplaneError } from '../base/errors.ts';
import { type BpfMap, type BpfObject, builtFile, loadNative, type SendJob } from '../kernel/native.ts';
import type { Arena } from './arena.ts';
import { type Guest, ROUTER_MAC } from './arena-plan.ts';
import { type ForwardSample, ROUTER, type SentFlow } from './arena-spec.ts';
import { planCpus } from './cpus.ts';
import { flowFrame, MAX_TAG, parseMac } from './frames.ts';
import { attachIngress, interfaceIndex } from './hooks.ts';

const LOOPBACK = 'lo';
/** Ethernet frames that are measured, without checksum; the headers of TCP over IPv6 need the longer ones. */
const FRAME_BYTES = 64;
const LONG_FRAME_BYTES = 80;
const PATIENCE_MS = 100;
/** What an older kernel says about a flag that it does not know. */
const UNSUPPORTED: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUPP', 'EOPNOTSUPP']);

/** How frames get in: made by the kernel (5.18), or through a packet socket. */
export type Injection = 'live frames' | 'packet socket';

export interface TrafficOptions {
  readonly injection?: Injection;
  /**
   * `router`: packets end where they enter the router, before anybody decides. What is measured then is the injection itself.
   * `sockets`: they end at the router's own, see receive().
   */
  readonly end?: 'guests' | 'router' | 'sockets';
  /** Guests whose packets end; all of them where it is absent. What others receive goes on to their sockets. */
  readonly receivers?: readonly string[];
}

interface SentFrame {
  readonly guest: Guest;
  readonly ifindex: number;
  readonly bytes: Uint8Array;
}

export class Traffic {
  readonly #arena: Arena;
  readonly #object: BpfObject;
  readonly #arrivals: BpfMap;
  /** By number of the flow: the MAC that its last packet arrived at; entry 0 is a count. */
  readonly #arrivedAt: BigUint64Array;
  readonly #detach: (() => void)[] = [];
  readonly #injecting = new Set<string>();
  readonly #ifindexes = new Map<string, number>();
  #injection: Injection;

  private constructor(arena: Arena, injection: Injection) {
    this.#arena = arena;
    this.#injection = injection;
    this.#object = loadNative().BpfObject.open(builtFile('build/bpf/traffic.bpf.o'), {});
    this.#arrivals = this.#object.map('tt_arrivals');
    this.#arrivedAt = new BigUint64Array(this.#arrivals.mmap());
  }

  /** From here on counts, and takes, what arrives: until close(), or the arena's. Throws KERNEL. */
  static open(arena: Arena, options: TrafficOptions = {}): Traffic {
    const { injection = 'live frames', end = 'guests', receivers } = options;
    const traffic = new Traffic(arena, injection);
    arena.onClose(() => traffic.close());
    const arrive = traffic.#object.program('tt_arrive');
    const counted = arena.guests.filter(({ name }) => end !== 'sockets' && receivers?.includes(name) !== false);
    for (const { namespace, device, hostInterface } of counted) {
      const [place, name] = end === 'guests' ? [namespace, device] : [ROUTER, hostInterface];
      traffic.#detach.push(attachIngress(arena.namespacePath(place), name, arrive));
    }
    return traffic;
  }

  /** Takes, and counts, datagrams to an address of the router's own. Throws KERNEL. */
  receive(address: string, port: number): void {
    const { inNamespace, UdpSink } = loadNative();
    const program = this.#object.program('tt_arrive_at_socket');
    const sink = inNamespace(this.#arena.namespacePath(ROUTER), () => UdpSink.open(program, address, port));
    this.#detach.push(() => sink.close());
  }

  /** What measure() uses; on a kernel without live frames it learns that from its first call. */
  get injection(): Injection {
    return this.#injection;
  }

  /** For each flow the name of the guest where its first packet arrived; undefined = nowhere. Throws NOT_FOUND or KERNEL. */
  async arrivals(flows: readonly SentFlow[]): Promise<(string | undefined)[]> {
    const found: (string | undefined)[] = [];
    for (let first = 0; first < flows.length; first += MAX_TAG) {
      found.push(...(await this.#arrivalsOf(flows.slice(first, first + MAX_TAG))));
    }
    return found;
  }

  /**
   * Sends the flows' packets in turn, as fast as they arrive, on one CPU. Throws NOT_FOUND, USAGE for flows that do not start in one
   * namespace, LIMIT_EXCEEDED for more flows than there is room for, or KERNEL. Where packets are to be lost, a long `patienceMs` would be part
   * of the time.
   */
  async measure(flows: readonly SentFlow[], packets: number, patienceMs = PATIENCE_MS): Promise<ForwardSample> {
    const frames = this.#measuredFrames(flows);
    const namespaces = [...new Set(frames.map(({ guest }) => guest.namespace))];
    if (namespaces.length !== 1) {
      throw new DataplaneError('USAGE', 'flows must start in one namespace', {
        operation: 'measure',
        target: 'flows',
        found: namespaces.join(', '),
      });
    }
    const job = { ...this.#job(namespaces[0] as string, packets), patienceMs };
    if (this.#injection === 'live frames') {
      try {
        return await this.#sendLive(frames, job);
      } catch (error) {
        if (!UNSUPPORTED.has(((error as Error).cause as { readonly code?: string } | undefined)?.code)) throw error;
        this.#injection = 'packet socket';
      }
    }
    return sendThrough(frames, job);
  }

  /** May be called again. */
  close(): void {
    for (const detach of this.#detach.splice(0)) detach();
    this.#object.close();
  }

  async #arrivalsOf(flows: readonly SentFlow[]): Promise<(string | undefined)[]> {
    this.#arrivedAt.fill(0n);
    const frames = flows.map((flow, index) => this.#frame(flow, index + 1, 0));
    await this.#sendOnce(frames);
    // A packet that a queue lost looks like one that was dropped: what is missing gets a second chance.
    await this.#sendOnce(frames.filter((_, index) => this.#arrivedAt[index + 1] === 0n));
    const names = new Map(this.#arena.guests.map(({ mac, name }) => [macWord(mac), name]));
    return flows.map((_, index) => names.get(this.#arrivedAt[index + 1] ?? 0n));
  }

  async #sendOnce(frames: readonly SentFrame[]): Promise<void> {
    for (const ifindex of new Set(frames.map((frame) => `${frame.guest.namespace} ${frame.ifindex}`))) {
      const own = frames.filter((frame) => `${frame.guest.namespace} ${frame.ifindex}` === ifindex);
      await sendThrough(own, this.#job(own[0]?.guest.namespace ?? '', own.length));
    }
  }

  #measuredFrames(flows: readonly SentFlow[]): SentFrame[] {
    const room = this.#object.map('tt_frames').info.maxEntries;
    if (flows.length === 0 || flows.length > room) {
      throw new DataplaneError('LIMIT_EXCEEDED', 'not a number of flows that can be measured at once', {
        operation: 'measure',
        target: 'flows',
        found: String(flows.length),
        expected: `1 to ${room}`,
      });
    }
    const short = flows.map((flow, index) => this.#frame(flow, index + 1, FRAME_BYTES));
    if (short.every(({ bytes }) => bytes.length === FRAME_BYTES)) return short;
    return flows.map((flow, index) => this.#frame(flow, index + 1, LONG_FRAME_BYTES));
  }

  #sendLive(frames: readonly SentFrame[], job: SendJob): Promise<ForwardSample> {
    const [first] = frames as [SentFrame, ...SentFrame[]];
    this.#writeFrames(frames);
    if (!this.#injecting.has(job.namespace)) {
      this.#injecting.add(job.namespace);
      this.#detach.push(attachIngress(job.namespace, LOOPBACK, this.#object.program('tt_send')));
    }
    return loadNative().sendLive(this.#object.program('tt_live'), first.bytes, job);
  }

  /** A ring of them; what lies beyond leads back into it, should the last packet before have been from there. */
  #writeFrames(frames: readonly SentFrame[]): void {
    const map = this.#object.map('tt_frames');
    const { maxEntries, valueSize } = map.info;
    for (let index = 0; index < maxEntries; index += 1) {
      const frame = frames[index % frames.length] as SentFrame;
      const value = new Uint8Array(valueSize);
      const view = new DataView(value.buffer);
      view.setUint32(0, frame.ifindex, true);
      view.setUint32(4, (index + 1) % frames.length, true);
      value.set(frame.bytes, 8);
      map.update(new Uint8Array(Uint32Array.of(index).buffer), value, 0);
    }
  }

  #frame({ from, flow }: SentFlow, tag: number, bytes: number): SentFrame {
    const guest = this.#arena.guest(from);
    const key = guest.name;
    const ifindex =
      this.#ifindexes.get(key) ?? interfaceIndex(this.#arena.namespacePath(guest.namespace), guest.device);
    this.#ifindexes.set(key, ifindex);
    const options = { tag, sourceMac: guest.mac, destinationMac: ROUTER_MAC, bytes };
    return { guest, ifindex, bytes: flowFrame(flow, options) };
  }

  #job(namespace: string, packets: number): SendJob {
    return {
      namespace: this.#arena.namespacePath(namespace),
      cpu: planCpus().traffic,
      packets,
      arrivals: this.#arrivals,
      patienceMs: PATIENCE_MS,
    };
  }
}

function sendThrough(frames: readonly SentFrame[], job: SendJob): Promise<ForwardSample> {
  const [first] = frames as [SentFrame, ...SentFrame[]];
  return loadNative().sendPackets(
    first.ifindex,
    frames.map(({ bytes }) => bytes),
    job,
  );
}

/** As the arrival program stores it: the bytes in the order of the frame, in the lower part of a little-endian word. */
function macWord(mac: string): bigint {
  return parseMac(mac).reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
}
