// PacketCapture objects, carried out: packets of the endpoints that each selects into files of the agent's own, from its start to its
// end, or until it is removed.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../base/log.ts';
import { parseSelector } from '../../model/selector/parser.ts';
import type { CapturedRecord } from '../../observe/capture/captured-record.ts';
import type { Resource, ResourceOf } from '../../resources/resource.ts';
import { CAPTURE_DEFAULTS, CAPTURE_LIMITS, type CaptureRequest } from './capture-request.ts';
import type { CaptureService } from './capture-service.ts';
import { type CaptureStatus, captureDirectory, captureFiles, restingState } from './capture-status.ts';
import { PacketFiles } from './packet-files.ts';
import { packetTest } from './packet-test.ts';
import type { RunningCapture } from './running-capture.ts';

type PacketCapture = ResourceOf<'PacketCapture'>;

export interface PacketCaptureParts {
  readonly service: CaptureService;
  readonly resources: () => Iterable<Resource>;
  readonly stateDirectory: string;
  /** Name of this one, for its status. */
  readonly node: string;
  readonly log: Logger;
}

interface Carried {
  readonly resource: PacketCapture;
  readonly running: RunningCapture;
  readonly files: PacketFiles;
}

/** As Calico rotates its files: captureMaxSizeBytes and captureMaxFiles. */
const FILE_BYTES = 10_000_000;
const MAX_FILES = 2;
const TICK_MS = 1000;
const RETRY_MS = 60_000;

export class PacketCaptures {
  readonly #parts: PacketCaptureParts;
  /** By id. */
  readonly #carried = new Map<string, Carried>();
  readonly #wanted = new Map<string, PacketCapture>();
  /** When those that did not work are tried again, by performance.now(): nobody sets that clock back. */
  readonly #failed = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isStarted = false;

  constructor(parts: PacketCaptureParts) {
    this.#parts = parts;
  }

  /** Once policy is in force. */
  start(): void {
    this.#isStarted = true;
    this.refresh();
  }

  /** Objects may have changed. */
  refresh(): void {
    if (!this.#isStarted) return;
    this.#wanted.clear();
    this.#failed.clear();
    for (const resource of this.#parts.resources()) {
      if (resource.type === 'PacketCapture') this.#wanted.set(resource.id, resource as PacketCapture);
    }
    this.#arrange();
    clearInterval(this.#timer);
    if (this.#wanted.size === 0) return;
    this.#timer = setInterval(() => this.#arrange(), TICK_MS);
    this.#timer.unref();
  }

  /** As of now, by the id of the object; undefined = there is none in force. */
  statusOf(id: string): CaptureStatus | undefined {
    const resource = this.#wanted.get(id);
    if (resource === undefined) return undefined;
    const { stateDirectory, node } = this.#parts;
    const directory = captureDirectory(stateDirectory, resource.namespace, resource.name);
    const carried = this.#carried.get(id);
    const isMoving = (carried?.files.written ?? 0) > 0;
    const state =
      carried === undefined
        ? restingState(resource.spec, this.#failed.has(id), Date.now())
        : isMoving
          ? 'Capturing'
          : 'WaitingForTraffic';
    return { files: [{ node, directory, fileNames: captureFiles(directory), state }] };
  }

  /** Before the service ends. */
  close(): void {
    this.#isStarted = false;
    clearInterval(this.#timer);
    for (const id of [...this.#carried.keys()]) this.#end(id);
  }

  #arrange(): void {
    const now = Date.now();
    for (const [id, { resource }] of this.#carried) {
      const wanted = this.#wanted.get(id);
      const isSame = wanted !== undefined && JSON.stringify(wanted.spec) === JSON.stringify(resource.spec);
      if (!isSame || !isTime(wanted, now)) this.#end(id);
    }
    for (const [id, resource] of this.#wanted) {
      const isDue = performance.now() >= (this.#failed.get(id) ?? 0);
      if (!this.#carried.has(id) && isDue && isTime(resource, now)) this.#begin(id, resource);
    }
  }

  #begin(id: string, resource: PacketCapture): void {
    let files: PacketFiles | undefined;
    try {
      const written = new PacketFiles(fileOptions(this.#parts.stateDirectory, resource));
      files = written;
      const holds = packetTest(resource.spec.filters ?? []);
      const running = this.#parts.service.start(requestOf(resource), {
        onPacket: (packet: CapturedRecord) => {
          if (holds(packet.record)) this.#try(id, () => written.write(packet));
        },
        onTick: () => {
          written.note(running.missed.suppressed + running.missed.lost);
          this.#try(id, () => written.flush());
        },
        onEnd: () => this.#end(id),
      });
      this.#carried.set(id, { resource, running, files: written });
      this.#failed.delete(id);
      this.#parts.log.info('capturing packets', { capture: id, files: written.names });
    } catch (error) {
      files?.close();
      this.#fail(id, error);
    }
  }

  /** A disk that is full ends this capture, and nothing else. */
  #try(id: string, write: () => void): void {
    try {
      if (this.#carried.has(id)) write();
    } catch (error) {
      this.#end(id);
      this.#fail(id, error);
    }
  }

  #fail(id: string, error: unknown): void {
    this.#parts.log.error('packets not captured', { capture: id, error: String(error) });
    this.#failed.set(id, performance.now() + RETRY_MS);
  }

  #end(id: string): void {
    const carried = this.#carried.get(id);
    if (carried === undefined) return;
    try {
      // What was captured is handed over before it is no more.
      this.#parts.service.stop(carried.running);
      this.#carried.delete(id);
      carried.files.close();
      this.#parts.log.info('packets captured', { capture: id, packets: carried.files.written });
    } catch (error) {
      this.#parts.log.error('packets not written', { capture: id, error: String(error) });
    } finally {
      this.#carried.delete(id);
    }
  }
}

function isTime({ spec }: PacketCapture, now: number): boolean {
  const { startTime, endTime } = spec;
  return (
    (startTime === undefined || Date.parse(startTime) <= now) && (endTime === undefined || now < Date.parse(endTime))
  );
}

function requestOf({ spec, namespace }: PacketCapture): CaptureRequest {
  const { selector: text = '' } = spec;
  return {
    endpoints: { namespace, selector: text === '' ? undefined : parseSelector(text) },
    allowed: true,
    denied: true,
    // Until endTime, or until it is removed.
    seconds: Number.POSITIVE_INFINITY,
    snapBytes: CAPTURE_LIMITS.snapBytes,
    packetsPerSecond: CAPTURE_DEFAULTS.packetsPerSecond,
  };
}

/** A directory for each; of what earlier runs have left only so much stays that all together is as much as may be. */
function fileOptions(
  stateDirectory: string,
  { namespace, name }: PacketCapture,
): ConstructorParameters<typeof PacketFiles>[0] {
  const directory = captureDirectory(stateDirectory, namespace, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const before = captureFiles(directory);
  for (const file of before.slice(0, Math.max(0, before.length - MAX_FILES)))
    rmSync(join(directory, file), { force: true });
  const begin = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return {
    path: join(directory, `${begin}.pcapng`),
    snapBytes: CAPTURE_LIMITS.snapBytes,
    maxBytes: FILE_BYTES,
    maxFiles: MAX_FILES,
  };
}
