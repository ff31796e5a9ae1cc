// New flows at rates that no traffic reaches: programs of an agent's own kind, on the maps that it has pinned, judge packets that
// BPF_PROG_TEST_RUN makes for one of its workloads' interfaces. To the agent they are flows like any other.

import { parseMac } from '../src/bench/frames.ts';
import { interfaceIndex } from '../src/bench/hooks.ts';
import { type BpfObject, type BpfProgram, loadNative } from '../src/kernel/native.ts';
import { DEFAULT_MAP_SIZES, loadObject } from '../src/kernel/object.ts';
import { Pins } from '../src/kernel/pins.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { PROTOCOL } from '../src/model/flow.ts';

/** Behind an IPv4 header without options. */
const PORTS_AT = 34;
const SOURCE_MAC_AT = 6;
/** Of struct __sk_buff on Linux 5.10, the oldest kernel: its size, and where ifindex is. */
const SK_BUFF_BYTES = 192;
const SK_BUFF_IFINDEX = 40;
/** Addresses outside that flows go to in turn: 11.0.0.0 on. */
const FIRST_DESTINATION = 11 * 2 ** 24;
const DESTINATIONS = 4096;
const TC_ACT_OK = 0;

export interface FlowSourcePlace {
  /** Where an agent with maps of the default sizes pins. */
  readonly pinRoot: string;
  /** Of the namespace that the agent is in. */
  readonly namespacePath: string;
  /** Of the workload that opens the flows: its interface, MAC and IPv4 address. */
  readonly hostInterface: string;
  readonly mac: string;
  readonly address: string;
}

/** One datagram for each flow, no two alike. */
export class FlowSource {
  readonly #object: BpfObject;
  readonly #program: BpfProgram;
  readonly #path: string;
  readonly #context = new Uint8Array(SK_BUFF_BYTES);
  readonly #packets: readonly Uint8Array[];
  #calls = 0;

  /** Throws what loading an object does. */
  constructor({ pinRoot, namespacePath, hostInterface, mac, address }: FlowSourcePlace) {
    const ifindex = interfaceIndex(namespacePath, hostInterface);
    new DataView(this.#context.buffer).setUint32(SK_BUFF_IFINDEX, ifindex, true);
    this.#path = namespacePath;
    this.#packets = Array.from({ length: DESTINATIONS }, (_, index) => packet(address, FIRST_DESTINATION + index, mac));
    this.#object = loadObject('bench', DEFAULT_MAP_SIZES, new Pins(pinRoot), { tt_bench_ports: PORTS_AT });
    this.#program = this.#object.program('tt_bench_open');
  }

  /**
   * So many more, all to one address: the next one's turn comes with the next call. Fewer if a signal comes meanwhile: how many
   * there were the kernel counts, as ALLOWED_NEW. Blocks. Throws unless they are let pass.
   */
  open(count: number): void {
    const data = this.#packets[this.#calls % DESTINATIONS] as Uint8Array;
    this.#calls += 1;
    const options = { data, context: this.#context, repeat: count };
    try {
      const { returnValue } = loadNative().inNamespace(this.#path, () => this.#program.testRun(options));
      if (returnValue !== TC_ACT_OK) throw new Error(`a new flow came to ${returnValue}, not to ${TC_ACT_OK}`);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
      if (code !== 'EINTR') throw error;
    }
  }

  close(): void {
    this.#program.close();
    this.#object.close();
  }
}

function packet(from: string, destination: number, mac: string): Uint8Array {
  const bytes = probePacket({
    source: parseAddress(from) as IpAddress,
    destination: { family: 4, words: [destination] },
    protocol: PROTOCOL.UDP,
    sourcePort: 0,
    destinationPort: 0,
    icmpType: 0,
    icmpCode: 0,
  });
  bytes.set(parseMac(mac), SOURCE_MAC_AT);
  return bytes;
}
