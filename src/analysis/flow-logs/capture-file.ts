// Capture files, pcap and pcapng, in either byte order and with any time resolution: pieces of the file in, frames out.
// What is in the frames is packet.ts's business. Times are not looked at.
import { ByteQueue } from './byte-queue.ts';

/** One captured frame. */
export interface CapturedFrame {
  /** LINKTYPE_* of the interface it was captured on. */
  readonly linkType: number;
  /** As much of it as was captured. Valid until the next frame is asked for. */
  readonly bytes: Uint8Array;
}

/** The file is not what its beginning promised: nothing after this place can be found. */
export class CaptureError extends Error {}

/** Frames longer than this do not exist; libpcap's own limit. */
const MAX_FRAME_BYTES = 256 * 1024;
const MAX_INTERFACES = 4096;

const PCAP_MAGICS: ReadonlySet<number> = new Set([0xa1b2c3d4, 0xa1b23c4d]);
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const BLOCK = { INTERFACE: 1, PACKET: 2, SIMPLE_PACKET: 3, ENHANCED_PACKET: 6 } as const;
/** Bytes of a pcapng block around its body: type and length before, length after. */
const BLOCK_FRAME = 12;
/** Before the frame in an enhanced (or old) packet block: type and length, then interface, times, two lengths. */
const PACKET_HEADER = 28;

/** Whether a file that begins so is a capture file. Needs four bytes. */
export function isCaptureFile(start: Uint8Array): boolean {
  if (start.length < 4) return false;
  const view = new DataView(start.buffer, start.byteOffset, 4);
  const magics = [view.getUint32(0, true), view.getUint32(0, false)];
  return magics.some((magic) => PCAP_MAGICS.has(magic) || magic === SECTION_HEADER);
}

type State =
  | { readonly kind: 'start' }
  | { readonly kind: 'pcap'; readonly isLittle: boolean; readonly linkType: number }
  | { readonly kind: 'pcapng'; readonly isLittle: boolean; readonly interfaces: CaptureInterface[] };

interface CaptureInterface {
  readonly linkType: number;
  /** 0 = no limit. */
  readonly snapLength: number;
}

export class CaptureReader {
  readonly #queue = new ByteQueue();
  #state: State = { kind: 'start' };

  /** The frames that the piece completes. Throws CaptureError. */
  *push(piece: Uint8Array): Generator<CapturedFrame> {
    this.#queue.push(piece);
    for (let step = this.#step(); step !== 'wait'; step = this.#step()) if (step !== 'next') yield step;
  }

  /** Throws CaptureError if the file ends in the middle of something. */
  end(): void {
    if (this.#state.kind === 'start') throw new CaptureError('is too short for a capture file');
    if (this.#queue.length > 0)
      throw new CaptureError(`ends in the middle of a packet at byte ${this.#queue.position}`);
  }

  #step(): CapturedFrame | 'next' | 'wait' {
    const state = this.#state;
    if (state.kind === 'start') return this.#start();
    return state.kind === 'pcap' ? this.#pcapRecord(state) : this.#block(state);
  }

  #start(): 'next' | 'wait' {
    const bytes = this.#queue.peek(24);
    if (bytes === undefined) return 'wait';
    const header = view(bytes);
    if (header.getUint32(0) === SECTION_HEADER) {
      this.#state = { kind: 'pcapng', isLittle: true, interfaces: [] };
      return 'next';
    }
    const isLittle = PCAP_MAGICS.has(header.getUint32(0, true));
    if (!isLittle && !PCAP_MAGICS.has(header.getUint32(0))) throw new CaptureError('is no pcap or pcapng file');
    const major = header.getUint16(4, isLittle);
    if (major !== 2) throw new CaptureError(`has pcap version ${major}, expected 2`);
    this.#queue.skip(24);
    // The upper bits say how long the frame check sequence is.
    this.#state = { kind: 'pcap', isLittle, linkType: header.getUint32(20, isLittle) & 0xffff };
    return 'next';
  }

  #pcapRecord({ isLittle, linkType }: Extract<State, { kind: 'pcap' }>): CapturedFrame | 'wait' {
    const header = this.#queue.peek(16);
    if (header === undefined) return 'wait';
    const length = view(header).getUint32(8, isLittle);
    this.#checkFrameLength(length);
    const record = this.#queue.take(16 + length);
    return record === undefined ? 'wait' : { linkType, bytes: record.subarray(16) };
  }

  #block(state: Extract<State, { kind: 'pcapng' }>): CapturedFrame | 'next' | 'wait' {
    const start = this.#queue.peek(BLOCK_FRAME);
    if (start === undefined) return 'wait';
    if (view(start).getUint32(0) === SECTION_HEADER) return this.#section(start);
    const { isLittle } = state;
    const type = view(start).getUint32(0, isLittle);
    const length = this.#blockLength(start, isLittle);
    const isRead = Object.values<number>(BLOCK).includes(type);
    if (!isRead) {
      this.#queue.skip(length);
      return 'next';
    }
    // Options come after what is read: a block of packets is as long as its packet allows, and somewhat longer.
    if (length > MAX_FRAME_BYTES * 2) throw this.#corrupt(`a block of ${length} bytes`);
    const block = this.#queue.take(length);
    if (block === undefined) return 'wait';
    if (type === BLOCK.INTERFACE) return this.#addInterface(block, state);
    return this.#packet(type, block, state);
  }

  #section(start: Uint8Array): 'next' | 'wait' {
    const magic = view(start).getUint32(8, true);
    const isLittle = magic === BYTE_ORDER_MAGIC;
    if (!isLittle && view(start).getUint32(8) !== BYTE_ORDER_MAGIC) throw this.#corrupt('a section without byte order');
    this.#queue.skip(this.#blockLength(start, isLittle));
    this.#state = { kind: 'pcapng', isLittle, interfaces: [] };
    return 'next';
  }

  #addInterface(block: Uint8Array, { isLittle, interfaces }: Extract<State, { kind: 'pcapng' }>): 'next' {
    if (block.length < BLOCK_FRAME + 8) throw this.#corrupt('an interface block that is too short');
    if (interfaces.length >= MAX_INTERFACES) throw this.#corrupt(`more than ${MAX_INTERFACES} interfaces`);
    interfaces.push({
      linkType: view(block).getUint16(8, isLittle),
      snapLength: view(block).getUint32(12, isLittle),
    });
    return 'next';
  }

  #packet(type: number, block: Uint8Array, { isLittle, interfaces }: Extract<State, { kind: 'pcapng' }>) {
    const isSimple = type === BLOCK.SIMPLE_PACKET;
    const header = isSimple ? 12 : PACKET_HEADER;
    if (block.length < header + 4) throw this.#corrupt('a packet block that is too short');
    const fields = view(block);
    let index = 0;
    if (type === BLOCK.PACKET) index = fields.getUint16(8, isLittle);
    else if (!isSimple) index = fields.getUint32(8, isLittle);
    const captured = interfaces[index];
    if (captured === undefined) throw this.#corrupt(`a packet of interface ${index}, which is not described`);
    const room = block.length - header - 4;
    const length = isSimple
      ? simpleLength(fields.getUint32(8, isLittle), captured, room)
      : fields.getUint32(20, isLittle);
    this.#checkFrameLength(length);
    if (length > room) throw this.#corrupt(`a packet of ${length} bytes in a block with room for ${room}`);
    return { linkType: captured.linkType, bytes: block.subarray(header, header + length) };
  }

  #blockLength(start: Uint8Array, isLittle: boolean): number {
    const length = view(start).getUint32(4, isLittle);
    if (length < BLOCK_FRAME || length % 4 !== 0) throw this.#corrupt(`a block of ${length} bytes`);
    return length;
  }

  #checkFrameLength(length: number): void {
    if (length > MAX_FRAME_BYTES) throw this.#corrupt(`a packet of ${length} bytes`);
  }

  #corrupt(what: string): CaptureError {
    return new CaptureError(`is damaged: ${what} near byte ${this.#queue.position}`);
  }
}

/** A simple packet block only says how long the packet was on the wire. */
function simpleLength(original: number, { snapLength }: CaptureInterface, room: number): number {
  return Math.min(original, snapLength === 0 ? original : snapLength, room);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
