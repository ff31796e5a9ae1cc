// Connections that live through everything, as the kernel has counted them: the entry in the flow table, and what slots of the
// flow cache have not handed over yet.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  CachedFlow,
  decodeCachedFlow,
  decodeFlowEntry,
  FlowBucket,
  FlowDims,
  FlowEntry,
} from '../../../src/abi/flow.gen.ts';
import { mappedWords } from '../../../src/kernel/endpoint-writer.ts';
import { loadNative } from '../../../src/kernel/native.ts';
import { Pins } from '../../../src/kernel/pins.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { pinRoot } from '../../../tools/lab/agent.ts';
import type { FlipArena } from '../../../tools/lab/flip-arena.ts';
import type { JudgedFlow } from '../../../tools/lab/flip-judge.ts';

const ENTRIES_AT = FlowDims.REGION_HEAD + FlowDims.REGION_BUCKETS * FlowBucket.SIZE;
const REGION_BYTES = ENTRIES_AT + FlowDims.REGION_ENTRIES * FlowEntry.SIZE;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
const POLL_MS = 20;
/** More than a flow of one datagram or of one refused connection ever has. */
const MANY = 40;

interface LiveFlow {
  /** Names the flow: of the end that began it. */
  readonly port: number;
  readonly createdJiffies: bigint;
  /** From the end that began it. */
  readonly packets: number;
}

export class LiveFlows {
  readonly #pins: Pins;
  readonly #arena: FlipArena;
  /** By kind: an endless connection, as it was found first. */
  readonly #first = new Map<JudgedFlow, LiveFlow>();

  private constructor(arena: FlipArena) {
    this.#arena = arena;
    this.#pins = new Pins(pinRoot(arena.lab));
  }

  /** Of traffic that has begun: one connection and one row of datagrams that every version of the policy allows. */
  static async find(arena: FlipArena): Promise<LiveFlows> {
    const live = new LiveFlows(arena);
    for (const kind of ['tcp', 'udp'] as const) {
      const flow = arena.judge.flows.find((one) => one.kind === kind && one.isAllowed(0) && one.isAllowed(1));
      if (flow === undefined) throw new Error(`no ${kind} that is always allowed`);
      let found: LiveFlow | undefined;
      while (found === undefined) {
        await sleep(POLL_MS);
        found = live.#flowsTo(flow).find(({ packets }) => packets > MANY);
      }
      live.#first.set(flow, found);
    }
    return live;
  }

  /** They are the same connections, and have been counted on. */
  expectCountedOn(): void {
    for (const [flow, first] of this.#first) {
      const now = this.#flowsTo(flow).find(({ port }) => port === first.port);
      expect(now?.createdJiffies, flow.kind).toBe(first.createdJiffies);
      expect(now?.packets, flow.kind).toBeGreaterThan(first.packets);
      if (now !== undefined) this.#first.set(flow, now);
    }
  }

  /** Once the traffic has ended: each datagram has been counted once. */
  expectExact(): void {
    for (const [flow, { port }] of this.#first) {
      if (flow.kind !== 'udp') continue;
      const { flows, cameByFlow } = this.#arena.judge;
      const counted = this.#flowsTo(flow).find((now) => now.port === port)?.packets;
      expect(counted).toBe(cameByFlow[flows.indexOf(flow)]);
    }
  }

  #flowsTo(flow: JudgedFlow): LiveFlow[] {
    const slots = this.#slotsTo(flow);
    return this.#entriesTo(flow).map((entry) => {
      const waiting = slots.filter(({ port, since }) => port === entry.port && since >= entry.createdJiffies);
      return { ...entry, packets: waiting.reduce((sum, { packets }) => sum + packets, entry.packets) };
    });
  }

  #entriesTo(flow: JudgedFlow): LiveFlow[] {
    const view = memoryOf(this.#pins.map('tt_flows'));
    const entries: LiveFlow[] = [];
    for (let region = 0; region < view.byteLength; region += REGION_BYTES) {
      for (let number = 0; number < FlowDims.REGION_ENTRIES; number += 1) {
        const at = region + ENTRIES_AT + number * FlowEntry.SIZE;
        if (view.getUint32(at + FlowEntry.OFFSET.named_by, true) === 0) continue;
        const { key, flow: counted } = decodeFlowEntry(view, at);
        const server = [0, 1].find((end) => key.port[end] === flow.port && isAt(key.address[end]?.word, flow));
        if (key.protocol !== protocolOf(flow) || server === undefined) continue;
        const { created_jiffies: createdJiffies, packets } = counted;
        entries.push({ port: key.port[1 - server] as number, createdJiffies, packets: Number(packets[0]) });
      }
    }
    return entries;
  }

  #slotsTo(flow: JudgedFlow): { readonly port: number; readonly since: bigint; readonly packets: number }[] {
    const view = memoryOf(this.#pins.map('tt_flow_cache'));
    const slots: { port: number; since: bigint; packets: number }[] = [];
    for (let at = 0; at < view.byteLength; at += CachedFlow.SIZE) {
      if (view.getBigUint64(at + CachedFlow.OFFSET.packets, true) === 0n) continue;
      const slot = decodeCachedFlow(view, at);
      if (slot.protocol !== protocolOf(flow) || slot.destination_port !== flow.port) continue;
      if (!isAt(slot.destination.word, flow)) continue;
      slots.push({ port: slot.source_port, since: slot.synced_jiffies, packets: Number(slot.packets) });
    }
    return slots;
  }
}

function protocolOf({ kind }: JudgedFlow): number {
  return kind === 'tcp' || kind === 'syn' ? PROTOCOLS.tcp : PROTOCOLS.udp;
}

function isAt(words: readonly number[] | undefined, { address }: JudgedFlow): boolean {
  return mappedWords(parseAddress(address)).every((word, index) => word === words?.[index]);
}

/** A copy, of one moment as far as there is one. */
function memoryOf(path: string): DataView {
  const map = loadNative().BpfMap.openPinned(path);
  try {
    return new DataView(map.mmap().slice(0));
  } finally {
    map.close();
  }
}
