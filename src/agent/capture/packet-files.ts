// Captured packets into pcapng files that nobody but their owner reads: as large as they may be, and as many.
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { arch, release, type } from 'node:os';
import { dirname, extname } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';
import { type CapturedRecord, toNamedPacket } from '../../observe/capture/captured-record.ts';
import { PcapSection } from '../../observe/capture/section.ts';
import { VERSION } from '../version.ts';

export interface PacketFileOptions {
  /** `-` = standard output, as one file. */
  readonly path: string;
  readonly snapBytes: number;
  /** Of each file. */
  readonly maxBytes: number;
  /** More than one: numbered ones, of which so many stay, the newest. */
  readonly maxFiles: number;
}

export const STANDARD_OUTPUT = '-';

/** Written together. */
const BUFFER_BYTES = 64 * 1024;
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

export class PacketFiles {
  readonly #options: PacketFileOptions;
  readonly #startNs: bigint;
  readonly #names: string[] = [];
  #section: PcapSection;
  #file = 1;
  #isOpen = false;
  /** Of the file that is open, what waits included. */
  #bytes = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #written = 0;
  #serial = 0;
  /** Packets that are missing: see note. */
  #missed = 0;

  /** Throws FILE_UNWRITABLE. */
  constructor(options: PacketFileOptions) {
    this.#options = options;
    this.#startNs = nowNs();
    this.#section = this.#open();
  }

  /** Packets in all files, those that are gone included. */
  get written(): number {
    return this.#written;
  }

  /** Those that are there, the oldest first. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** False = the only file is as large as it may be, and the packet not in it. Throws FILE_UNWRITABLE. */
  write(captured: CapturedRecord): boolean {
    const packet = toNamedPacket(captured);
    let blocks = this.#section.packet(packet);
    if (this.#bytes + sizeOf(blocks) > this.#options.maxBytes && this.#written > 0) {
      if (this.#options.maxFiles === 1 || this.#options.path === STANDARD_OUTPUT) return false;
      this.#finish();
      this.#section = this.#open();
      blocks = this.#section.packet(packet);
    }
    this.#put(blocks);
    this.#written += 1;
    return true;
  }

  /** Packets that are missing so far, which the end of a file tells. */
  note(missed: number): void {
    this.#missed = missed;
  }

  /** What was written so far can be read. Throws FILE_UNWRITABLE. */
  flush(): void {
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#options.path === STANDARD_OUTPUT) {
      process.stdout.write(bytes);
      return;
    }
    this.#tryWrite(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
  }

  /** May be called again. Throws FILE_UNWRITABLE. */
  close(): void {
    if (this.#isOpen) this.#finish();
  }

  #finish(): void {
    const timeNs = nowNs();
    const [written, dropped] = [BigInt(this.#written), BigInt(this.#missed)];
    this.#put(this.#section.statistics({ timeNs, startNs: this.#startNs, received: written + dropped, dropped }));
    this.#isOpen = false;
    try {
      this.flush();
    } finally {
      if (this.#options.path !== STANDARD_OUTPUT) closeSync(this.#file);
    }
  }

  #put(blocks: readonly Uint8Array[]): void {
    const size = sizeOf(blocks);
    this.#waiting.push(...blocks);
    this.#waitingBytes += size;
    this.#bytes += size;
    if (this.#waitingBytes >= BUFFER_BYTES) this.flush();
  }

  #open(): PcapSection {
    const { path, snapBytes } = this.#options;
    if (path !== STANDARD_OUTPUT) this.#openFile(this.#nextName());
    this.#isOpen = true;
    this.#bytes = 0;
    const section = new PcapSection(
      { hardware: arch(), os: `${type()} ${release()}`, application: `tortie ${VERSION}` },
      snapBytes,
    );
    this.#put([section.header]);
    return section;
  }

  #nextName(): string {
    const { path, maxFiles } = this.#options;
    if (maxFiles === 1) return path;
    this.#serial += 1;
    const extension = extname(path);
    const stem = extension === '' ? path : path.slice(0, -extension.length);
    return `${stem}-${String(this.#serial).padStart(5, '0')}${extension}`;
  }

  /** A new file, never what somebody has put there: its owner could read on. Directories that are missing are made owner-only. */
  #openFile(name: string): void {
    this.#tryWrite(() => {
      const made = mkdirSync(dirname(name), { recursive: true, mode: 0o700 });
      if (made !== undefined) chmodSync(dirname(name), 0o700);
      const before = lstatSync(name, { throwIfNoEntry: false });
      if (before !== undefined && !before.isFile()) throw notAFile(name);
      rmSync(name, { force: true });
      this.#file = openSync(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      fchmodSync(this.#file, 0o600);
    });
    this.#names.push(name);
    while (this.#names.length > this.#options.maxFiles) rmSync(this.#names.shift() as string, { force: true });
  }

  #tryWrite(write: () => void): void {
    try {
      write();
    } catch (cause) {
      if (cause instanceof DataplaneError) throw cause;
      throw new DataplaneError('FILE_UNWRITABLE', 'packets cannot be written', {
        operation: 'write packets',
        target: this.#options.path,
        found: String((cause as NodeJS.ErrnoException).code ?? cause),
        cause,
      });
    }
  }
}

function notAFile(target: string): DataplaneError {
  return new DataplaneError('FILE_UNWRITABLE', 'something else has that name', {
    operation: 'write packets',
    target,
    expected: 'a file, or nothing',
  });
}

function sizeOf(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
