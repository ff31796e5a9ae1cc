import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodePacketEvent, PacketEvent } from '../../../../src/abi/capture.gen.ts';
import { Hook, Reason } from '../../../../src/abi/event.gen.ts';
import { WordBits } from '../../../../src/abi/heap.gen.ts';
import { parseCaptureRequest } from '../../../../src/agent/capture/capture-request.ts';
import { CaptureService } from '../../../../src/agent/capture/capture-service.ts';
import type { CaptureListener } from '../../../../src/agent/capture/running-capture.ts';
import { Logger } from '../../../../src/base/log.ts';
import { CalcGraph } from '../../../../src/calc/graph.ts';
import type { CaptureOrder } from '../../../../src/kernel/captures.ts';
import type { NumberedInterface } from '../../../../src/kernel/host-table.ts';
import type { NameLookup } from '../../../../src/model/name-lookup.ts';
import type { ModelObject } from '../../../../src/model/world.ts';
import type { CapturedRecord } from '../../../../src/observe/capture/captured-record.ts';
import { worldFrom } from '../../../support/world-from.ts';

const endpoint = (namespace: string, pod: string, number: number) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: node-k8s-${pod}-eth0, namespace: ${namespace}, labels: {app: ${pod}}}
spec: {node: node, orchestrator: k8s, pod: ${pod}, endpoint: eth0, interfaceName: cali${pod}, ipNetworks: [10.0.0.${number}/32]}
`;
const GATE = `
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: gate}
spec: {node: node, interfaceName: eth0}
`;
const world = worldFrom(
  [endpoint('shop', 'web', 1), endpoint('shop', 'db', 2), endpoint('infra', 'dns', 3), GATE].join('---'),
);
const graph = new CalcGraph(() => true);
for (const objects of Object.values(world))
  graph.apply([...(objects as ReadonlyMap<string, ModelObject>).values()], []);
const desired = graph.flush();
const keys = [...desired.endpoints.keys()];
const keyOf = (name: string) => keys.find((key) => key.includes(name)) as string;
const PLACES = new Map(
  [
    ['web', 11],
    ['db', 12],
    ['dns', 13],
  ].map(([name, number]) => [Number(number), keyOf(String(name))]),
);

const eth0 = (ifindex: number): NumberedInterface => ({ ifindex, name: 'eth0', kind: 'host', addresses: [] });
let interfaces: readonly NumberedInterface[] = [];

/** Stands for the programs. */
class Programs {
  orders: (CaptureOrder | undefined)[] = [];
  missed = 0;
  onChunk: ((chunk: Uint8Array) => void) | undefined;
  left: Uint8Array | undefined;

  order(order: CaptureOrder): void {
    this.orders.push(order);
  }
  placesOf(wanted: ReadonlySet<string>): Map<number, string> {
    return new Map([...PLACES].filter(([, key]) => wanted.has(key)));
  }
  read(onChunk: (chunk: Uint8Array) => void): void {
    this.onChunk = onChunk;
  }
  stop(): void {
    this.orders.push(undefined);
    if (this.left !== undefined) this.onChunk?.(this.left);
    this.onChunk = undefined;
  }
  tally() {
    return { captured: 0, suppressed: this.missed, lost: 0 };
  }
}

interface Shape {
  readonly ifindex: number;
  readonly isDenied?: boolean;
  readonly hook?: number;
  readonly to?: number;
  readonly ingressWord?: number;
}

function chunk({ ifindex, isDenied = false, hook = Hook.FROM_WORKLOAD, to = 9, ingressWord = 0 }: Shape): Uint8Array {
  const bytes = new Uint8Array(4 + PacketEvent.SIZE + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, PacketEvent.SIZE + 8, true);
  const address = (last: number) => ({ word: [0, 0, 0xffff, 0x0a000000 + last] });
  encodePacketEvent(view, 4, {
    event: {
      jiffies: 1n,
      kind: isDenied ? 2 : 0,
      reason: isDenied ? Reason.DROP_INGRESS_POLICY : Reason.ALLOWED_FLOW,
      hook,
      protocol: 6,
      ifindex,
      source: address(8),
      destination: address(to),
      source_port: 1000,
      destination_port: 80,
      icmp_type: 0,
      icmp_code: 0,
      tcp_flags: 0,
      family: 4,
      egress_word: 0,
      ingress_word: ingressWord,
      generation: 1,
      length: 40,
      out_ifindex: 0,
      egress_scope: 0,
      ingress_scope: 0,
      is_reply: 0,
    },
    monotonic_ns: 5n,
    length: 54,
    captured: 8,
    link: 1,
    is_denied: Number(isDenied),
  });
  bytes.fill(7, 4 + PacketEvent.SIZE);
  return bytes;
}

const names: NameLookup = {
  endpointAt: () => undefined,
  interfaceName: (ifindex) => `if${ifindex}`,
  verdict: () => ({ verdict: 'allow', trace: [] }),
};

let programs: Programs;
let service: CaptureService;
beforeEach(() => {
  vi.useFakeTimers();
  programs = new Programs();
  const log = new Logger({ level: 'error', write: (line) => expect.unreachable(line) });
  service = new CaptureService({
    captures: programs,
    names,
    desired: () => desired,
    world: () => world,
    interfaces: () => interfaces,
    log,
  });
});
afterEach(() => {
  service.close();
  vi.useRealTimers();
});

interface Taken extends CaptureListener {
  packets: CapturedRecord[];
  ended: boolean;
  stop: () => void;
  endpoints: () => readonly string[] | null;
}

function start(body: object): Taken {
  const taken = {
    packets: [] as CapturedRecord[],
    ended: false,
    onPacket: (packet: CapturedRecord) => void taken.packets.push(packet),
    onTick: () => undefined,
    onEnd: () => {
      taken.ended = true;
    },
    stop: (): void => undefined,
    endpoints: (): readonly string[] | null => null,
  };
  const running = service.start(parseCaptureRequest(body), taken);
  taken.stop = () => service.stop(running);
  taken.endpoints = () => running.endpoints;
  return taken;
}

describe('captures', () => {
  it('ask of the programs what all of them want together, and nothing when none is left', () => {
    const first = start({ selector: "app == 'web'", verdict: 'deny', snapBytes: 64 });
    expect(programs.orders.at(-1)).toMatchObject({ snapBytes: 64, allDenied: false });
    const second = start({ namespace: 'shop', verdict: 'allow', snapBytes: 200 });
    const third = start({ drops: true });
    expect(programs.orders.at(-1)).toMatchObject({ snapBytes: 200, allDenied: true });
    expect(programs.orders.at(-1)?.endpoints).toEqual(
      new Map([
        [keyOf('web'), { allowed: true, denied: true }],
        [keyOf('db'), { allowed: true, denied: false }],
      ]),
    );
    second.stop();
    expect([...(programs.orders.at(-1)?.endpoints.keys() ?? [])]).toEqual([keyOf('web')]);
    first.stop();
    third.stop();
    third.stop();
    expect(programs.orders.at(-1)).toBeUndefined();
    expect(service.count).toBe(0);
  });

  it('get each their own packets', () => {
    const web = start({ endpoint: 'shop/web' });
    const denied = start({ namespace: 'shop', verdict: 'deny' });
    const drops = start({ drops: true });
    const counts = () => [web, denied, drops].map(({ packets }) => packets.length);
    const offer = (shape: Shape) => {
      programs.onChunk?.(chunk(shape));
      return counts();
    };
    expect(offer({ ifindex: 11 })).toEqual([1, 0, 0]);
    expect(offer({ ifindex: 12 })).toEqual([1, 0, 0]);
    expect(offer({ ifindex: 11, isDenied: true })).toEqual([2, 1, 1]);
    expect(offer({ ifindex: 99, isDenied: true })).toEqual([2, 1, 2]);
    // Dropped where it was sent, for the receiver.
    expect(offer({ ifindex: 99, isDenied: true, to: 1 })).toEqual([3, 2, 3]);
    expect(offer({ ifindex: 99, to: 1 })).toEqual([3, 2, 3]);
    expect(offer({ ifindex: 11, isDenied: true, hook: Hook.TO_HOST })).toEqual([3, 2, 4]);
    expect(web.packets[0]).toMatchObject({ verdict: 'allow', direction: 'inbound', length: 54, link: 'ethernet' });
    expect(web.packets[0]?.bytes).toEqual(new Uint8Array(8).fill(7));
    expect(web.packets[1]?.record).toMatchObject({ reason: 'drop_ingress_policy', interface: 'if11' });
  });

  it('of a host endpoint get what its policy has denied, wherever it is by then', () => {
    interfaces = [eth0(3)];
    const gate = start({ hostEndpoint: 'gate', verdict: 'deny' });
    expect(programs.orders.at(-1)).toMatchObject({ allDenied: true, endpoints: new Map() });
    expect(gate.endpoints()).toEqual(['hostendpoint/gate']);
    const denied = { isDenied: true, hook: Hook.TO_HOST, ingressWord: WordBits.DENY };
    const offer = (shape: Shape) => {
      programs.onChunk?.(chunk(shape));
      return gate.packets.length;
    };
    expect(offer({ ...denied, ifindex: 3 })).toBe(1);
    expect(offer({ ...denied, ifindex: 4 })).toBe(1);
    expect(offer({ ...denied, ifindex: 3, ingressWord: 0 })).toBe(1);
    expect(offer({ ...denied, ifindex: 3, hook: Hook.FROM_WORKLOAD })).toBe(1);
    interfaces = [eth0(4)];
    vi.advanceTimersByTime(1000);
    expect(offer({ ...denied, ifindex: 3 })).toBe(1);
    expect(offer({ ...denied, ifindex: 4 })).toBe(2);
    expect(() => start({ hostEndpoint: 'none', verdict: 'deny' })).toThrow(/none/);
  });

  it('end when their time is over, with all that was captured in it', () => {
    const short = start({ namespace: 'shop', seconds: 2 });
    vi.advanceTimersByTime(1900);
    expect(short.ended).toBe(false);
    programs.left = chunk({ ifindex: 11 });
    vi.advanceTimersByTime(1000);
    expect(short.ended).toBe(true);
    expect(short.packets).toHaveLength(1);
    expect(programs.orders.at(-1)).toBeUndefined();
  });

  it('are few at once', () => {
    const running = Array.from({ length: 8 }, () => start({ drops: true }));
    expect(() => start({ drops: true })).toThrow(/too many captures/);
    running[0]?.stop();
    expect(() => start({ drops: true })).not.toThrow();
  });

  it('are refused of an endpoint that is not here, and wait for what a selector may select later', () => {
    expect(() => start({ endpoint: 'shop/none' })).toThrow(/shop\/none/);
    expect(service.count).toBe(0);
    expect(() => start({ selector: "app == 'none'" })).not.toThrow();
  });

  it('end with the agent', () => {
    const one = start({ drops: true });
    service.close();
    expect(one.ended).toBe(true);
    expect(programs.orders.at(-1)).toBeUndefined();
  });
});
