// Whether a file is an LMDB database at all: opening another one ends the process (lmdb 3.5), which no error could tell of.
import { closeSync, openSync, readSync } from 'node:fs';

/** MDB_MAGIC, behind the header of the first page, in the machine's byte order. */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;

/** A file that is not there, or empty, will be one. Throws an Error that says what is there. */
export function requireDatabaseFile(path: string): void {
  const start = new DataView(new ArrayBuffer(MAGIC_AT + 4));
  const bytes = readStart(path, start);
  if (bytes > 0 && start.getUint32(MAGIC_AT, true) !== MAGIC) throw new Error('is no database: move it away');
}

function readStart(path: string, into: DataView): number {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  try {
    return readSync(file, into, 0, into.byteLength, 0);
  } finally {
    closeSync(file);
  }
}
