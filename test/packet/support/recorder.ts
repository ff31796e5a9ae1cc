// A namespace in which what programs send themselves is taken off its interfaces and kept: test runs of programs happen on its
// loopback interface. What ought to be sent is not known here.
import type { BpfObject, RingBuffer } from '../../../native/index.d.ts';
import { builtFile, loadNative } from '../../../src/kernel/native.ts';
import { Namespace } from '../../abi/native/fixture.ts';
import { addressBytes, concat, fields, internetChecksum } from '../../support/packets/bytes.ts';
import { ETHERNET_BYTES } from '../../support/packets/ethernet.ts';
import { viewOf } from './encoding.ts';

const LOOPBACK = 1;
/** struct record of recorder.bpf.c. */
const RECORD = { IFINDEX: 0, IS_INGRESS: 4, MARK: 8, LENGTH: 12, BYTES: 16 } as const;
const TCP_BYTES = 20;
const FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface Sent {
  readonly ifindex: number;
  readonly side: 'in' | 'out';
  readonly mark: number;
  readonly frame: Uint8Array;
}

export class Recorder {
  readonly #namespace = new Namespace('recorder');
  readonly #object: BpfObject;
  readonly #ring: RingBuffer;

  /** Besides the loopback interface there are some of these numbers. */
  constructor(interfaces: readonly number[]) {
    const { BpfObject: Native, RingBuffer: Ring } = loadNative();
    this.#object = Native.open(builtFile('build/bpf/test/recorder.bpf.o'), {});
    this.#ring = Ring.open(this.#object.map('records'));
    for (const number of interfaces) {
      const link = `l${number} index ${number} type veth peer name p${number}`.split(' ');
      this.#namespace.ip('link', 'add', ...link);
    }
    for (const number of [LOOPBACK, ...interfaces]) this.#attach(number);
    this.run(() => undefined);
  }

  close(): void {
    this.#ring.close();
    this.#object.close();
    this.#namespace.close();
  }

  /** Does something here; what was sent meanwhile, in order. */
  run(work: () => void): Sent[] {
    loadNative().inNamespace(`/run/netns/${this.#namespace.name}`, work);
    const chunk = this.#ring.drain();
    const view = viewOf(chunk);
    const sent: Sent[] = [];
    for (let at = 0; at < chunk.byteLength; at += 4 + view.getUint32(at, true)) sent.push(decode(chunk, at + 4));
    return sent;
  }

  #attach(ifindex: number): void {
    const name = ifindex === LOOPBACK ? 'lo' : `l${ifindex}`;
    this.#namespace.ip('link', 'set', name, 'addrgenmode', 'none', 'up');
    if (ifindex !== LOOPBACK) this.#namespace.ip('link', 'set', `p${ifindex}`, 'addrgenmode', 'none', 'up');
    const native = loadNative();
    native.inNamespace(`/run/netns/${this.#namespace.name}`, () => {
      native.clsactAttach(this.#object.program('record_in'), ifindex, 'ingress', 1, 1);
      native.clsactAttach(this.#object.program('record_out'), ifindex, 'egress', 1, 1);
    });
  }
}

function decode(chunk: Uint8Array, at: number): Sent {
  const view = viewOf(chunk);
  const length = view.getUint32(at + RECORD.LENGTH, true);
  return {
    ifindex: view.getUint32(at + RECORD.IFINDEX, true),
    side: view.getUint32(at + RECORD.IS_INGRESS, true) === 1 ? 'in' : 'out',
    mark: view.getUint32(at + RECORD.MARK, true),
    frame: chunk.slice(at + RECORD.BYTES, at + RECORD.BYTES + length),
  };
}

/** What a segment without options says; its lengths and checksums are right, or this throws. */
export function readTcp(frame: Uint8Array): Record<string, unknown> {
  const isV4 = (frame[ETHERNET_BYTES] as number) >> 4 === 4;
  const addressLength = isV4 ? 4 : 16;
  const ipBytes = isV4 ? 20 : 40;
  const ip = frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + ipBytes);
  const tcp = frame.subarray(ETHERNET_BYTES + ipBytes);
  const addresses = ip.subarray(ipBytes - 2 * addressLength);
  const length = viewOf(ip).getUint16(isV4 ? 2 : 4);
  const pseudo = fields([4, TCP_BYTES], [4, 6]);
  if (length !== (isV4 ? ipBytes : 0) + TCP_BYTES || tcp.length !== TCP_BYTES) throw new Error(`length ${length}`);
  if (isV4 && internetChecksum(ip) !== 0) throw new Error('checksum of IPv4');
  if (internetChecksum(addresses, pseudo, tcp) !== 0) throw new Error('checksum of TCP');
  if (tcp[12] !== 0x50 || ip[isV4 ? 9 : 6] !== 6) throw new Error('header');
  const view = viewOf(tcp);
  return {
    macs: frame.slice(0, 12),
    source: addresses.slice(0, addressLength),
    destination: addresses.slice(addressLength),
    ports: [view.getUint16(0), view.getUint16(2)],
    sequence: view.getUint32(4),
    acknowledged: view.getUint32(8),
    flags: Object.entries(FLAGS).flatMap(([flag, bit]) => ((tcp[13] as number) & bit ? [flag] : [])),
  };
}

/** The same, as it ought to be. */
export function expectedTcp(macs: readonly Uint8Array[], source: string, destination: string, more: object): object {
  return { macs: concat(...macs), source: addressBytes(source), destination: addressBytes(destination), ...more };
}
