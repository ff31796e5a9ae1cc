// Frames into and out of a lab's namespaces as bytes, with the header that says what is left to be done to them: checksum, segmentation.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { runCommand } from '../../../src/bench/command.ts';
import type { Lab } from '../../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import { GUEST_INTERFACE } from '../../../tools/lab/topology.ts';

/** struct virtio_net_hdr, little endian. */
const HEADER_BYTES = 10;
const NEEDS_CHECKSUM = 1;
export const GSO = { NONE: 0, TCP4: 1, UDP: 3, TCP6: 4, UDP_L4: 5 } as const;

export interface Offload {
  readonly gso?: number;
  /** Payload bytes of a segment. */
  readonly gsoSize?: number;
  /** Bytes that each segment begins with. */
  readonly headerBytes?: number;
  /** Where the checksum to be filled in begins to count, and where it goes from there. */
  readonly checksumStart?: number;
  readonly checksumOffset?: number;
}

export interface RawFrame extends Offload {
  readonly bytes: Uint8Array;
}

/** All from one CPU: the flow cache is per CPU, and what one CPU sends by one way arrives in the order in which it was sent. */
const ON_ONE_CPU = ['taskset', '-c', '0'];
const MARK_BYTES = 16;
const MARK_LIMIT_MS = 10_000;

/** An interface, and how to send something to it that says it was the last. */
export interface Listening {
  readonly guest: string;
  readonly device?: string;
  /** Sends the mark in a frame that certainly arrives there, by the way of what is listened for. */
  readonly sendMark: (mark: Uint8Array) => Promise<unknown>;
}

export class RawTraffic {
  readonly #lab: Lab;
  readonly #folder: string;

  private constructor(lab: Lab, folder: string) {
    this.#lab = lab;
    this.#folder = folder;
  }

  /** Compiles the program. Throws NOT_FOUND (no compiler) or KERNEL (it failed). */
  static async create(lab: Lab): Promise<RawTraffic> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tortie-raw-'));
    const source = path.join(import.meta.dirname, 'raw.c');
    await runCommand([
      'cc',
      '-O2',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-D_GNU_SOURCE',
      '-o',
      path.join(folder, 'raw'),
      source,
    ]);
    return new RawTraffic(lab, folder);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Sends in turn from the guest's interface. What became of each: `ok`, or the name of the error. */
  async send(guest: string, frames: readonly RawFrame[], device: string = GUEST_INTERFACE): Promise<string[]> {
    const { stdout } = await this.#lab.exec(guest, [...ON_ONE_CPU, this.#program, 'send', device], linesOf(frames));
    return stdout.trimEnd().split('\n');
  }

  /** The same in a namespace that is none of the lab's guests. */
  async sendIn(namespace: string, frames: readonly RawFrame[]): Promise<string[]> {
    const words = ['ip', 'netns', 'exec', namespace, this.#program, 'send', GUEST_INTERFACE];
    return (await runCommand(words, linesOf(frames))).stdout.trimEnd().split('\n');
  }

  /**
   * All that arrives at an interface while `during` runs: a mark is sent when it is over, and what has not arrived by the time
   * that the mark has never will. Throws an ordinary Error if the mark does not arrive.
   */
  async capture(
    { guest, device = GUEST_INTERFACE, sendMark }: Listening,
    during: () => Promise<unknown>,
  ): Promise<RawFrame[]> {
    const mark = randomBytes(MARK_BYTES);
    const argv = [this.#program, 'listen', device, mark.toString('hex'), String(MARK_LIMIT_MS * PATIENCE)];
    const child = this.#lab.spawn(guest, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const frames: RawFrame[] = [];
    if (child.stdout === null) throw new Error('no output');
    const ended = once(child, 'close');
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => frames.push(parse(line)));
    await during();
    await sendMark(mark);
    const [status] = await ended;
    if (status !== 0) throw new Error(`no mark at ${guest} ${device}`);
    return frames;
  }

  get #program(): string {
    return path.join(this.#folder, 'raw');
  }
}

function linesOf(frames: readonly RawFrame[]): string {
  return frames.map((frame) => `${Buffer.concat([headerOf(frame), frame.bytes]).toString('hex')}\n`).join('');
}

function headerOf({
  gso = 0,
  gsoSize = 0,
  headerBytes = 0,
  checksumStart = 0,
  checksumOffset = 0,
}: Offload): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header[0] = checksumStart > 0 ? NEEDS_CHECKSUM : 0;
  header[1] = gso;
  [headerBytes, gsoSize, checksumStart, checksumOffset].forEach((value, index) => {
    view.setUint16(2 + 2 * index, value, true);
  });
  return header;
}

function parse(line: string): RawFrame {
  const all = Buffer.from(line, 'hex');
  const field = (index: number): number => all.readUInt16LE(2 + 2 * index);
  const needsChecksum = (all[0] ?? 0) & NEEDS_CHECKSUM;
  return {
    gso: (all[1] ?? 0) & 0x7f,
    headerBytes: field(0),
    gsoSize: field(1),
    checksumStart: needsChecksum ? field(2) : 0,
    checksumOffset: needsChecksum ? field(3) : 0,
    bytes: new Uint8Array(all.subarray(HEADER_BYTES)),
  };
}
