// Which packets the programs hand over with their bytes, and the ring buffer that they come in. Nothing is asked of the programs,
// and no thread reads, unless somebody captures.
import {
  CaptureBits,
  CaptureCounts,
  CaptureDims,
  CaptureSettings,
  decodeCaptureCounts,
  encodeCaptureSettings,
} from '../abi/capture.gen.ts';
import type { EndpointWriter } from './endpoint-writer.ts';
import type { ImageWriter } from './image-writer.ts';
import type { BpfMap, BpfObject, RingBuffer } from './native.ts';
import { loadNative, translateErrors } from './native.ts';

/** Most bytes of a packet that can be had. */
export const MAX_SNAP_BYTES: number = CaptureDims.LONG_BYTES;

export interface CaptureWish {
  readonly allowed: boolean;
  readonly denied: boolean;
}

/** What the programs are to hand over. */
export interface CaptureOrder {
  /** Of each packet. */
  readonly snapBytes: number;
  /** For each CPU. */
  readonly packetsPerSecond: number;
  /** Every packet that is denied or dropped. */
  readonly allDenied: boolean;
  /** By endpoint key; of what it sends and what it is sent. */
  readonly endpoints: ReadonlyMap<string, CaptureWish>;
}

export interface CaptureTally {
  readonly captured: number;
  /** Over the packets for each second. */
  readonly suppressed: number;
  /** The ring buffer had no room. */
  readonly lost: number;
}

export class Captures {
  readonly #ring: BpfMap;
  readonly #settings: BpfMap;
  readonly #counts: BpfMap;
  readonly #images: ImageWriter;
  readonly #endpoints: EndpointWriter;
  #reader: RingBuffer | undefined;
  #onChunk: (chunk: Uint8Array) => void = () => {};

  /** What an agent before has left running ends here. */
  constructor(object: BpfObject, images: ImageWriter, endpoints: EndpointWriter) {
    this.#ring = object.map('tt_captures');
    this.#settings = object.map('tt_capture_set');
    this.#counts = object.map('tt_capture_cpus');
    this.#images = images;
    this.#endpoints = endpoints;
    this.#set(0, 0);
  }

  /** Interface numbers of the endpoints, by key, that are in force. */
  placesOf(keys: ReadonlySet<string>): Map<number, string> {
    return this.#endpoints.placesOf(keys);
  }

  /** From here on, until stop. */
  order({ snapBytes, packetsPerSecond, allDenied, endpoints }: CaptureOrder): void {
    this.#set(Math.min(snapBytes, MAX_SNAP_BYTES), packetsPerSecond);
    this.#images.captureDenied(allDenied);
    const isChanged = this.#endpoints.mark(new Map([...endpoints].map(([key, wish]) => [key, bitsOf(wish)])));
    // Their packets must not be answered by the flow cache any more.
    if (isChanged) this.#images.forgetCachedFlows();
  }

  /** Ring-buffer chunks ([u32 length][struct tt_packet_event]...) until stop. What earlier captures left is thrown away. */
  read(onChunk: (chunk: Uint8Array) => void): void {
    translateErrors('read packets', 'tt_captures', () => {
      this.#drain();
      this.#reader = loadNative().RingBuffer.open(this.#ring, onChunk);
    });
    this.#onChunk = onChunk;
  }

  /** Programs hand over nothing more. What they have handed over is read first. */
  stop(): void {
    this.#set(0, 0);
    this.#images.captureDenied(false);
    this.#endpoints.mark(new Map());
    if (this.#reader === undefined) return;
    this.#reader.close();
    this.#reader = undefined;
    this.#onChunk(this.#drain());
  }

  #drain(): Uint8Array {
    const ring = loadNative().RingBuffer.open(this.#ring);
    const chunk = ring.drain();
    ring.close();
    return chunk;
  }

  /** Since the maps are there. */
  tally(): CaptureTally {
    const value = this.#counts.lookup(new Uint8Array(4)) as Uint8Array;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const sum = { captured: 0, suppressed: 0, lost: 0 };
    for (let at = 0; at < value.byteLength; at += CaptureCounts.SIZE) {
      const { captured, suppressed, lost } = decodeCaptureCounts(view, at);
      sum.captured += Number(captured);
      sum.suppressed += Number(suppressed);
      sum.lost += Number(lost);
    }
    return sum;
  }

  #set(bytes: number, budget: number): void {
    const value = new Uint8Array(CaptureSettings.SIZE);
    encodeCaptureSettings(new DataView(value.buffer), 0, { bytes, budget });
    translateErrors('set capture', 'tt_capture_set', () => this.#settings.update(new Uint8Array(4), value, 0));
  }
}

function bitsOf({ allowed, denied }: CaptureWish): number {
  return (allowed ? CaptureBits.ALLOWED : 0) | (denied ? CaptureBits.DENIED : 0);
}
