// Lines appended to a file that only its owner reads. It is put aside when it is too large or too old, and what was put aside first
// goes when there are too many, or when the disk is full.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EncodedBatch, type Sink, SinkError } from '../sink.ts';
import type { ExportTarget } from '../target.ts';

type FileTarget = Pick<ExportTarget, 'path' | 'fileBytes' | 'fileAgeMs' | 'keptFiles'>;

/** A link is not followed, and a pipe without a reader must not hold anybody up. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const OTHERS = 0o077;

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly since: number;
  size: number;
}

export class FileSink<T> implements Sink<T> {
  readonly #target: FileTarget;
  readonly #toLine: (item: T) => string;
  #file: OpenFile | undefined;

  /** toLine = without a line break. */
  constructor(target: FileTarget, toLine: (item: T) => string) {
    this.#target = target;
    this.#toLine = toLine;
  }

  encode(items: readonly T[]): EncodedBatch {
    return { bytes: Buffer.from(items.map((item) => `${this.#toLine(item)}\n`).join('')), records: items.length };
  }

  async send({ bytes }: EncodedBatch): Promise<number> {
    const file = await this.#fileFor(bytes.length);
    try {
      await writeWhole(file, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC' || !(await this.#dropOldest())) throw error;
      await writeWhole(file, bytes);
    }
    return 0;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => {});
  }

  /** Open, of the path as it is now, and with room. */
  async #fileFor(bytes: number): Promise<OpenFile> {
    const { path, fileBytes, fileAgeMs } = this.#target;
    if (this.#file !== undefined && (await inodeAt(path)) !== this.#file.inode) await this.close();
    const file = this.#file ?? (await this.#open());
    const isOld = Date.now() - file.since > fileAgeMs;
    if (file.size === 0 || (!isOld && file.size + bytes <= fileBytes)) return file;
    await this.close();
    await this.#putAside();
    return this.#open();
  }

  async #open(): Promise<OpenFile> {
    const { path } = this.#target;
    // One level only: where even that is not allowed, making all of them may never end (/proc).
    await mkdir(dirname(path), { mode: 0o700 }).catch(ignore('EEXIST'));
    const handle = await open(path, FLAGS, 0o600);
    const { size, mode, ino, birthtimeMs, uid } = await handle.stat();
    const isOurs = uid === process.getuid?.();
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || !isOurs) {
      await handle.close();
      throw new SinkError(`${path} is ${isOurs ? 'no ordinary file' : `owned by somebody else: uid ${uid}`}`);
    }
    if ((mode & OTHERS) !== 0) await handle.chmod(0o600);
    this.#file = { handle, inode: ino, size, since: size === 0 ? Date.now() : birthtimeMs };
    return this.#file;
  }

  /** path.1 is the newest of those put aside. */
  async #putAside(): Promise<void> {
    const { path, keptFiles } = this.#target;
    await removeIfThere(keptFiles === 0 ? path : `${path}.${keptFiles}`);
    for (let number = keptFiles; number > 0; number -= 1) {
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(ignore('ENOENT'));
    }
  }

  /** False = there is none. */
  async #dropOldest(): Promise<boolean> {
    const { path, keptFiles } = this.#target;
    for (let number = keptFiles; number > 0; number -= 1) {
      if ((await inodeAt(`${path}.${number}`)) === undefined) continue;
      await removeIfThere(`${path}.${number}`);
      return true;
    }
    return false;
  }
}

/** All of it or nothing: half a line would spoil the next one. */
async function writeWhole(file: OpenFile, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await file.handle.write(bytes, at);
      at += bytesWritten;
    }
    file.size += bytes.length;
  } catch (error) {
    await file.handle.truncate(file.size).catch(() => {});
    throw error;
  }
}

async function inodeAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch(ignore('ENOENT'));
}

function ignore(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
