// Batches on disk that a collector did not take yet: one file each, oldest first, bounded in bytes. What was written by an agent
// before is sent by the next one. The name of a file says how many flow logs are in it; a checksum tells a torn one.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EncodedBatch } from './sink.ts';

const SUM_BYTES = 16;
const FILE_NAME = /^(\d{12})-(\d{1,9})\.batch$/;

interface SpooledFile {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
  /** Resolves when it is there, or will not be. */
  readonly written: Promise<unknown>;
}

export class Spool {
  readonly #directory: string;
  readonly #limit: number;
  readonly #files: SpooledFile[];
  #bytes: number;
  #next: number;
  /** It is being sent: it must not make room. */
  #reading: SpooledFile | undefined;

  /** Takes over what is there. Throws the error of node:fs. */
  constructor(directory: string, limitBytes: number) {
    this.#directory = directory;
    this.#limit = limitBytes;
    makeFolder(dirname(directory));
    makeFolder(directory);
    this.#files = listFiles(directory);
    this.#bytes = this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#next = Number(this.#files.at(-1)?.name.slice(0, 12) ?? 0) + 1;
  }

  get batches(): number {
    return this.#files.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Flow logs in it. */
  get records(): number {
    return this.#files.reduce((sum, { records }) => sum + records, 0);
  }

  /**
   * Older batches make room. Resolves with the number of flow logs that are lost by it. Throws the error of node:fs: it is not kept
   * then. Several may be under way, also while batches are read.
   */
  async append({ bytes, records }: EncodedBatch): Promise<number> {
    const size = SUM_BYTES + bytes.length;
    if (size > this.#limit) return records;
    const evicted: SpooledFile[] = [];
    while (this.#bytes + size > this.#limit) {
      const oldest = this.#forgetOldest();
      if (oldest === undefined) break;
      evicted.push(oldest);
    }
    const lost = evicted.reduce((sum, one) => sum + one.records, 0);
    const hasRoom = this.#bytes + size <= this.#limit;
    const write = hasRoom ? this.#write(bytes, records, size) : undefined;
    await Promise.all(evicted.map((one) => this.#remove(one)));
    await write;
    return hasRoom ? lost : lost + records;
  }

  /** The oldest batch; it stays until removeFirst or release. undefined = it cannot be read, or is not what was written. */
  async readFirst(): Promise<EncodedBatch | undefined> {
    for (let first = this.#files[0]; first !== undefined; first = this.#files[0]) {
      this.#reading = first;
      await first.written;
      if (first === this.#files[0]) return this.#read(first);
    }
    this.#reading = undefined;
    return undefined;
  }

  /** Of what was read; returns the number of flow logs that were in it. */
  async removeFirst(): Promise<number> {
    const first = this.#reading;
    this.#reading = undefined;
    if (first === undefined || !this.#forget(first)) return 0;
    await this.#remove(first);
    return first.records;
  }

  /** What was read was not sent: it is as the others are. */
  release(): void {
    this.#reading = undefined;
  }

  async #read({ name, records }: SpooledFile): Promise<EncodedBatch | undefined> {
    const content = await readFile(join(this.#directory, name)).catch(() => Buffer.alloc(0));
    const bytes = content.subarray(SUM_BYTES);
    const isWhole = content.length >= SUM_BYTES && sumOf(bytes).equals(content.subarray(0, SUM_BYTES));
    return isWhole ? { bytes, records } : undefined;
  }

  #forgetOldest(): SpooledFile | undefined {
    const oldest = this.#files[0] === this.#reading ? this.#files[1] : this.#files[0];
    return oldest !== undefined && this.#forget(oldest) ? oldest : undefined;
  }

  /** False = it is not there any more. */
  #forget(file: SpooledFile): boolean {
    const at = this.#files.indexOf(file);
    if (at < 0) return false;
    this.#files.splice(at, 1);
    this.#bytes -= file.bytes;
    return true;
  }

  async #remove({ name, written }: SpooledFile): Promise<void> {
    await written;
    await unlink(join(this.#directory, name)).catch(() => {});
  }

  async #write(bytes: Uint8Array, records: number, size: number): Promise<void> {
    const name = `${String(this.#next).padStart(12, '0')}-${records}.batch`;
    this.#next += 1;
    const writing = writeWhole(join(this.#directory, name), bytes);
    const file: SpooledFile = { name, records, bytes: size, written: writing.catch(() => {}) };
    this.#files.push(file);
    this.#bytes += size;
    try {
      await writing;
    } catch (error) {
      this.#forget(file);
      throw error;
    }
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(`${path}.new`, Buffer.concat([sumOf(bytes), bytes]), { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (error) {
    await unlink(`${path}.new`).catch(() => {});
    throw error;
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** In order. What was not finished is removed. */
function listFiles(directory: string): SpooledFile[] {
  const files: SpooledFile[] = [];
  const written = Promise.resolve();
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const [, , records] = FILE_NAME.exec(name) ?? [];
    if (records !== undefined) files.push({ name, records: Number(records), bytes: statSync(path).size, written });
    else if (name.endsWith('.batch.new')) unlinkSync(path);
  }
  return files;
}

function sumOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, SUM_BYTES);
}
