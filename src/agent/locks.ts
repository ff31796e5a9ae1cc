// What keeps a second agent from starting on the sockets and maps of a first one: files locked for as long as it runs.
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import { makeDirectory } from '../kernel/make-directory.ts';
import type { FileLock } from '../kernel/native.ts';
import { loadNative, translateErrors } from '../kernel/native.ts';
import type { AgentOptions } from './options.ts';

const LOCK_DIRECTORY = '/run/tortie';

/**
 * One agent for each socket and each pin root: two writers would overwrite each other's tables. Makes the directories of
 * the agent. Throws AGENT_RUNNING.
 */
export function takeLocks({ stateDirectory, socket, pinRoot }: AgentOptions): FileLock[] {
  for (const directory of [stateDirectory, dirname(socket), LOCK_DIRECTORY]) {
    makeDirectory(directory);
  }
  const pins = createHash('sha256').update(resolve(pinRoot)).digest('hex').slice(0, 32);
  const locks: FileLock[] = [];
  try {
    for (const path of [`${socket}.lock`, join(LOCK_DIRECTORY, `pins-${pins}.lock`)]) locks.push(takeLock(path));
    return locks;
  } catch (error) {
    for (const lock of locks) lock.close();
    throw error;
  }
}

function takeLock(path: string): FileLock {
  try {
    return translateErrors('lock', path, () => loadNative().FileLock.acquire(path));
  } catch (cause) {
    throw new DataplaneError('AGENT_RUNNING', 'another agent holds the lock', {
      operation: 'start agent',
      target: path,
      hint: 'stop it first, or give this one its own --socket, --state-dir and --pin-root',
      cause,
    });
  }
}
