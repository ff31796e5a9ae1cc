// A file of LMDB that the agent keeps its own things in: opened so that a change is on disk before its call returns, and whatever
// fails is told as the store's failure. What is in it is not known here.
import { chmodSync, closeSync, existsSync, openSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { DataplaneError } from '../../base/errors.ts';
import { makeDirectory } from '../../kernel/make-directory.ts';
import { requireDatabaseFile } from './lmdb-file.ts';

const MAX_DATABASES = 4;
/** What a new file and its lock need. LMDB writes the lock through memory: without room the kernel ends the process. */
const LEAST_FREE_BYTES = 1024 * 1024;

/** Opens or makes the file, readable by nobody else. Only one process may have it open. */
export function openRoot(path: string): RootDatabase {
  makeDirectory(dirname(path));
  requireDatabaseFile(path);
  requireRoom(path);
  // Loading it takes a tenth of a second, which commands and restarts that do not need it must not pay.
  const { open } = createRequire(import.meta.url)('lmdb') as typeof import('lmdb');
  // With overlapping sync a commit is visible before it is on disk, and one that is not synchronous returns before it is.
  const root = open({ path, noSubdir: true, overlappingSync: false, maxDbs: MAX_DATABASES });
  try {
    // Its directory lets nobody else in either, where the agent has made it.
    for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600);
  } catch (error) {
    void root.close();
    throw error;
  }
  return root as RootDatabase;
}

/** Throws the error of node:fs where the file cannot be written, and one that says ENOSPC where it could not be made: LMDB would end the process. */
function requireRoom(path: string): void {
  if (!existsSync(path) || !existsSync(`${path}-lock`)) {
    const { bavail, bsize } = statfsSync(dirname(path));
    if (bavail * bsize < LEAST_FREE_BYTES) throw new Error(`ENOSPC: less than ${LEAST_FREE_BYTES} bytes are free`);
  }
  closeSync(openSync(path, 'a+', 0o600));
}

/** Runs what changes all or nothing. Throws STORE_FAILED with the operation for whatever is not told as an error of ours. */
export function attempt<T>(operation: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw storeFailure(operation, path, cause);
  }
}

/** The same for what is read one by one. */
export function* attemptEach<T>(operation: string, path: string, items: () => Iterable<T>): Generator<T, void, void> {
  try {
    yield* items();
  } catch (cause) {
    throw storeFailure(operation, path, cause);
  }
}

function storeFailure(operation: string, path: string, cause: unknown): DataplaneError {
  if (cause instanceof DataplaneError) return cause;
  const { message } = cause as Error;
  // LMDB does nothing any more once it cannot tell whether the disk has the last change; opening it again in this process is not safe.
  const hint = message.includes('MDB_PANIC')
    ? 'the disk failed in a write: restart the agent when it is well, all that was acknowledged is there'
    : 'nothing was changed';
  return new DataplaneError('STORE_FAILED', message, { operation, target: path, hint, cause });
}
