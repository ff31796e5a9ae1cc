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
}

export class Spool {
  readonly #directory: string;
  readonly #limit: number;
  readonly #files: SpooledFile[];
  #bytes: number;
  #next: number;

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
   * then. Several may be under way, but not while batches are read.
   */
  async append({ bytes, records }: EncodedBatch): Promise<number> {
    const size = SUM_BYTES + bytes.length;
    if (size > this.#limit) return records;
    const evicted: SpooledFile[] = [];
    while (this.#bytes + size > this.#limit) evicted.push(this.#forgetFirst() as SpooledFile);
    const name = `${String(this.#next).padStart(12, '0')}-${records}.batch`;
    const file: SpooledFile = { name, records, bytes: size };
    this.#next += 1;
    this.#files.push(file);
    this.#bytes += size;
    await Promise.all(evicted.map((one) => this.#remove(one)));
    await this.#write(file, bytes);
    return evicted.reduce((sum, one) => sum + one.records, 0);
  }

  /** The oldest batch; it stays until removeFirst. undefined = it cannot be read, or is not what was written. */
  async readFirst(): Promise<EncodedBatch | undefined> {
    const first = this.#files[0];
    if (first === undefined) return undefined;
    const content = await readFile(join(this.#directory, first.name)).catch(() => Buffer.alloc(0));
    const bytes = content.subarray(SUM_BYTES);
    const isWhole = content.length >= SUM_BYTES && sumOf(bytes).equals(content.subarray(0, SUM_BYTES));
    return isWhole ? { bytes, records: first.records } : undefined;
  }

  /** Returns the number of flow logs that were in it. */
  async removeFirst(): Promise<number> {
    const first = this.#forgetFirst();
    if (first === undefined) return 0;
    await this.#remove(first);
    return first.records;
  }

  #forgetFirst(): SpooledFile | undefined {
    const first = this.#files.shift();
    if (first !== undefined) this.#bytes -= first.bytes;
    return first;
  }

  async #remove({ name }: SpooledFile): Promise<void> {
    await unlink(join(this.#directory, name)).catch(() => {});
  }

  async #write(file: SpooledFile, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, file.name);
    try {
      await writeFile(`${path}.new`, Buffer.concat([sumOf(bytes), bytes]), { mode: 0o600 });
      await rename(`${path}.new`, path);
    } catch (error) {
      const at = this.#files.indexOf(file);
      if (at >= 0) this.#bytes -= this.#files.splice(at, 1)[0]?.bytes ?? 0;
      await unlink(`${path}.new`).catch(() => {});
      throw error;
    }
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
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const [, , records] = FILE_NAME.exec(name) ?? [];
    if (records !== undefined) files.push({ name, records: Number(records), bytes: statSync(path).size });
    else if (name.endsWith('.batch.new')) unlinkSync(path);
  }
  return files;
}

function sumOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, SUM_BYTES);
}
