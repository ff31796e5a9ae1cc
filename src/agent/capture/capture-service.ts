// Packets of endpoints with their bytes and verdicts, for whoever asks, for as long as they ask. Without captures nothing here
// runs, and the programs hand nothing over.
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { DesiredState } from '../../calc/resolved.ts';
import { decodePackets } from '../../events/packet.ts';
import type { Captures, CaptureTally } from '../../kernel/captures.ts';
import type { NumberedInterface } from '../../kernel/host-table.ts';
import type { NameLookup } from '../../model/name-lookup.ts';
import type { World } from '../../model/world.ts';
import { CAPTURE_LIMITS, type CaptureRequest } from './capture-request.ts';
import { type CaptureListener, type CaptureScene, orderOf, RunningCapture } from './running-capture.ts';
import { clockOffsetNs, offsetAsOfNow } from './time-of-day.ts';

export interface CaptureParts {
  readonly captures: Pick<Captures, 'order' | 'placesOf' | 'read' | 'stop' | 'tally'>;
  readonly names: NameLookup;
  readonly desired: () => DesiredState;
  readonly world: () => World;
  readonly interfaces: () => readonly NumberedInterface[];
  readonly log: Logger;
}

/** How soon endpoints that come are captured, and captures end. */
const TICK_MS = 500;

export class CaptureService {
  readonly #parts: CaptureParts;
  readonly #running = new Set<RunningCapture>();
  #timer: NodeJS.Timeout | undefined;
  #offsetNs = 0n;

  constructor(parts: CaptureParts) {
    this.#parts = parts;
  }

  /** Runs until its time is over, or stop. Throws LIMIT_EXCEEDED, NOT_FOUND for an endpoint that is not here, and KERNEL. */
  start(request: CaptureRequest, listener: CaptureListener): RunningCapture {
    if (this.#running.size >= CAPTURE_LIMITS.captures) throw tooMany();
    const { captures } = this.#parts;
    const capture = new RunningCapture(request, listener, () => captures.tally());
    capture.select(this.#scene());
    const name = request.hostEndpoint ?? request.endpoints?.endpoint;
    if (name !== undefined && capture.endpoints?.length === 0) throw notHere(name);
    this.#running.add(capture);
    try {
      if (this.#running.size === 1) this.#begin();
      this.#order();
    } catch (error) {
      this.stop(capture);
      throw error;
    }
    return capture;
  }

  /** May be called again. */
  stop(capture: RunningCapture): void {
    if (!this.#running.has(capture)) return;
    // What was captured for it is handed over before it goes.
    if (this.#running.size === 1) this.#end();
    this.#running.delete(capture);
    if (this.#running.size > 0) this.#order();
  }

  /** Ends all of them. */
  close(): void {
    for (const capture of [...this.#running]) this.#finish(capture);
  }

  /** Captures that run. */
  get count(): number {
    return this.#running.size;
  }

  /** Packets of all captures. */
  tally(): CaptureTally {
    return this.#parts.captures.tally();
  }

  #begin(): void {
    this.#offsetNs = clockOffsetNs();
    this.#parts.captures.read((chunk) => this.#take(chunk));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#parts.captures.stop();
  }

  #finish(capture: RunningCapture): void {
    this.stop(capture);
    capture.listener.onEnd();
  }

  /** Everything that any of them wants. */
  #order(): void {
    const running = [...this.#running];
    const { captures } = this.#parts;
    captures.order(orderOf(running));
    for (const capture of running) capture.place(captures.placesOf(capture.keys));
  }

  #scene(): CaptureScene {
    const { desired, world, interfaces } = this.#parts;
    return { desired: desired(), world: world(), interfaces: interfaces() };
  }

  /** Endpoints come and go. What fails is tried again. */
  #tick(): void {
    try {
      const scene = this.#scene();
      this.#offsetNs = offsetAsOfNow(this.#offsetNs);
      for (const capture of this.#running) if (capture.isOver) this.#finish(capture);
      for (const capture of this.#running) capture.select(scene);
      if (this.#running.size > 0) this.#order();
      for (const capture of this.#running) capture.listener.onTick();
    } catch (error) {
      this.#parts.log.error('capture not brought up to date', { error: String(error) });
    }
  }

  /** Called straight from the ring buffer: what is thrown here would end the agent. */
  #take(chunk: Uint8Array): void {
    try {
      for (const packet of decodePackets(chunk)) {
        for (const capture of this.#running) capture.offer(packet, this.#parts.names, this.#offsetNs);
      }
    } catch (error) {
      this.#parts.log.error('packets not taken', { error: String(error) });
    }
  }
}

function tooMany(): DataplaneError {
  return new DataplaneError('LIMIT_EXCEEDED', 'too many captures', {
    operation: 'capture',
    target: 'packets',
    found: `${CAPTURE_LIMITS.captures} that run`,
    expected: `${CAPTURE_LIMITS.captures} at most`,
    hint: 'end one first',
  });
}

function notHere(name: string): DataplaneError {
  return new DataplaneError('NOT_FOUND', 'is no endpoint of this node', {
    operation: 'capture',
    target: name,
    hint: 'tortie endpoint list names them',
  });
}
