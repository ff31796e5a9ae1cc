// What is new of every flow, for the flow logs: the flow table against what was told of it before. Nothing here is loaded, and
// nothing is asked of the programs, unless flow logs are kept.
import { existsSync, rmSync } from 'node:fs';
import { FlowDims } from '../abi/flow.gen.ts';
import { KernelClock } from './clock.ts';
import { flowTableShape } from './flow-table.ts';
import type { BpfObject, BpfProgram, FlowBook } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { loadObject, type MapSizes } from './object.ts';
import { FLOW_TOLD_MAP, type Pins } from './pins.ts';

/** Reports of one part of a sweep: some places of the table take longer than others to have said all. */
const PART_REPORTS = 8192;

/** Where flows can be counted. */
export class FlowCounting {
  readonly #pins: Pins;
  readonly #sizes: MapSizes;
  readonly #hz: number;

  constructor(pins: Pins, sizes: MapSizes, hz: number) {
    this.#pins = pins;
    this.#sizes = sizes;
    this.#hz = hz;
  }

  /** Throws what loading an object does. */
  open(): FlowCounter {
    return FlowCounter.open(this.#pins, this.#sizes, this.#hz);
  }

  /** Nobody counts any more: who begins again begins anew. */
  forget(): void {
    rmSync(this.#pins.map(FLOW_TOLD_MAP), { force: true });
  }
}

export interface FlowMoment {
  /** Of the kernel. */
  readonly jiffies: number;
  readonly hz: number;
}

export class FlowCounter {
  readonly #object: BpfObject;
  readonly #book: FlowBook;
  readonly #clock: KernelClock;
  readonly #flush: BpfProgram;
  readonly #hz: number;

  private constructor(object: BpfObject, book: FlowBook, hz: number) {
    this.#object = object;
    this.#book = book;
    this.#clock = KernelClock.of(object);
    this.#flush = object.program('tt_flush_cache');
    this.#hz = hz;
  }

  /**
   * Goes on where the last agent ended. Where nobody has counted before, what flows have counted so far is not told: what is
   * told is pinned once that is written down, so that a pin means as much. Throws what loading an object does.
   */
  static open(pins: Pins, sizes: MapSizes, hz: number): FlowCounter {
    const shape = flowTableShape(sizes.flows);
    const pin = pins.map(FLOW_TOLD_MAP);
    const isKnown = existsSync(pin);
    const map = { maxEntries: shape.regions * FlowDims.REGION_ENTRIES, ...(isKnown && { pinPath: pin }) };
    const object = loadObject('flow-logs', sizes, pins, {}, { [FLOW_TOLD_MAP]: map });
    let book: FlowBook | undefined;
    try {
      const maps = {
        flows: object.map('tt_flows'),
        cache: object.map('tt_flow_cache'),
        told: object.map(FLOW_TOLD_MAP),
      };
      book = translateErrors('map the flow table', pin, () =>
        loadNative().FlowBook.open(maps, { ...shape, cacheSlots: sizes.flowCache, hz }),
      );
      if (!isKnown) {
        book.adopt();
        translateErrors('pin map', pin, () => maps.told.pin(pin));
      }
      return new FlowCounter(object, book, hz);
    } catch (error) {
      book?.close();
      object.close();
      throw error;
    }
  }

  now(): FlowMoment {
    return { jiffies: Number(this.#clock.read().jiffies), hz: this.#hz };
  }

  /** Slots of the flow cache whose counts wait and cannot be had: this process may not run on their CPU. */
  flush({ jiffies }: FlowMoment): number {
    return this.#book.flush(this.#flush, jiffies).waiting;
  }

  /**
   * Reports of all flows of which something is new, in parts, so that other work comes in between. Of more than `most`
   * reports the rest is counted only.
   */
  *sweep({ jiffies }: FlowMoment, most: number): Generator<Uint8Array, void> {
    let isDone = false;
    let left = most;
    for (let from = 0; !isDone; ) {
      const room = Math.min(PART_REPORTS, left);
      const part = this.#book.sweep(from, jiffies, room, room < PART_REPORTS);
      yield part.reports;
      left = Math.max(0, left - PART_REPORTS);
      from = part.next;
      isDone = part.isDone;
    }
  }

  /** Reports of flows that went, as a chunk of events says. */
  settle(chunk: Uint8Array, most: number): Uint8Array {
    return this.#book.settle(chunk, most);
  }

  /** Reports that were left out, and what they would have counted. */
  get leftOut(): { readonly reports: number; readonly packets: number; readonly bytes: number } {
    return this.#book.leftOut;
  }

  close(): void {
    this.#book.close();
    this.#clock.close();
    this.#flush.close();
    this.#object.close();
  }
}
