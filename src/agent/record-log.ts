// A file of records by key that is only ever appended to: a crash leaves a torn last record at worst. Every record has a
// checksum; what does not match is as if it had never been written. What is in a record is its user's business.
//
//   header line, then records:  u32 length of the body | 16 bytes of the body's SHA-256 | body
//   body:  u32 length of the key | key | value; a value of no bytes takes the key away
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { finish, type Steps } from '../base/steps.ts';

const SUM_BYTES = 16;
const HEAD_BYTES = 4 + SUM_BYTES;
/** Replaced records are dropped once there is this much of them and as much as of the others. */
const MIN_WASTE_BYTES = 16 * 1024 * 1024;

export class RecordLog {
  readonly #path: string;
  readonly #header: Buffer;
  /** Bytes that each key's last record takes. */
  readonly #sizes = new Map<string, number>();
  #liveBytes = 0;
  #fileBytes = 0;
  #hasRead = false;
  #file: number | undefined;

  /** header = what the records depend on: a file with another one is as good as empty. */
  constructor(path: string, header: string) {
    this.#path = path;
    this.#header = Buffer.from(`${header.replaceAll('\n', ' ')}\n`);
  }

  /** Last value of each key. The values are views of one buffer. Throws the error of node:fs, except for a missing file. */
  read(): Map<string, Buffer> {
    return finish(this.reading());
  }

  /** The same, record by record. */
  *reading(): Steps<Map<string, Buffer>> {
    const records = new Map<string, Buffer>();
    const bytes = readIfThere(this.#path);
    this.#sizes.clear();
    this.#liveBytes = 0;
    this.#fileBytes = 0;
    this.#hasRead = bytes.subarray(0, this.#header.length).equals(this.#header);
    if (!this.#hasRead) return records;
    let at = this.#header.length;
    for (let body = bodyAt(bytes, at); body !== undefined; body = bodyAt(bytes, at)) {
      at += HEAD_BYTES + body.length;
      const keyEnd = 4 + body.readUInt32LE(0);
      const key = body.toString('utf8', 4, keyEnd);
      const value = body.subarray(keyEnd);
      this.#count(key, value.length === 0 ? 0 : HEAD_BYTES + body.length);
      if (value.length === 0) records.delete(key);
      else records.set(key, value);
      yield;
    }
    // Behind a record that is torn nothing can be found again: the next append starts afresh from what was read.
    this.#fileBytes = at === bytes.length ? at : 0;
    return records;
  }

  /** The file that was read last was one of ours, torn or not. */
  get hasRead(): boolean {
    return this.#hasRead;
  }

  /** Whether appending goes on where the file ends; if not, everything must be written again with rewrite. */
  get isUsable(): boolean {
    return this.#fileBytes > 0;
  }

  /** More of the file is of no use than of use. */
  get isWasteful(): boolean {
    const waste = this.#fileBytes - this.#header.length - this.#liveBytes;
    return waste > MIN_WASTE_BYTES && waste > this.#liveBytes;
  }

  /** value undefined = the key is gone. Throws the error of node:fs. */
  append(key: string, value: Uint8Array | undefined): void {
    this.#file ??= openSync(this.#path, 'a', 0o600);
    const record = encode(key, value ?? new Uint8Array());
    try {
      writeWhole(this.#file, record);
    } catch (error) {
      // Behind a torn record nothing could be found again.
      ftruncateSync(this.#file, this.#fileBytes);
      throw error;
    }
    this.#fileBytes += record.length;
    this.#count(key, value === undefined ? 0 : record.length);
  }

  /** Replaces the file by one with these records alone. Throws the error of node:fs. */
  rewrite(records: Iterable<readonly [string, Uint8Array]>): void {
    this.close();
    const file = openSync(`${this.#path}.new`, 'w', 0o600);
    this.#sizes.clear();
    this.#liveBytes = 0;
    try {
      writeWhole(file, this.#header);
      this.#fileBytes = this.#header.length;
      for (const [key, value] of records) {
        const record = encode(key, value);
        writeWhole(file, record);
        this.#fileBytes += record.length;
        this.#count(key, record.length);
      }
    } finally {
      closeSync(file);
    }
    renameSync(`${this.#path}.new`, this.#path);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #count(key: string, bytes: number): void {
    this.#liveBytes += bytes - (this.#sizes.get(key) ?? 0);
    if (bytes === 0) this.#sizes.delete(key);
    else this.#sizes.set(key, bytes);
  }
}

function encode(key: string, value: Uint8Array): Buffer {
  const name = Buffer.from(key);
  const record = Buffer.alloc(HEAD_BYTES + 4 + name.length + value.length);
  const body = record.subarray(HEAD_BYTES);
  body.writeUInt32LE(name.length, 0);
  name.copy(body, 4);
  body.set(value, 4 + name.length);
  record.writeUInt32LE(body.length, 0);
  sumOf(body).copy(record, 4);
  return record;
}

/** undefined at the end, and where the bytes are no whole record. */
function bodyAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + HEAD_BYTES > bytes.length) return undefined;
  const start = at + HEAD_BYTES;
  const length = bytes.readUInt32LE(at);
  if (length < 4 || start + length > bytes.length) return undefined;
  const body = bytes.subarray(start, start + length);
  const isWhole = sumOf(body).equals(bytes.subarray(at + 4, start)) && 4 + body.readUInt32LE(0) <= length;
  return isWhole ? body : undefined;
}

function sumOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, SUM_BYTES);
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** A disk that is nearly full takes a part, and only then says that it is full. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
