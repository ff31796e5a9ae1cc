// Test files that look for what arenas leave on the machine take turns: one would find the arenas that another has in use.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import { type FileLock, loadNative } from '../../../src/kernel/native.ts';

const LOCK = '/run/tt-lab-arenas/lock';
/** Of the longest of these files, on a machine that is slow. */
const TURN_LIMIT_MS = 300_000;

/** To be called once at the top of a file: its tests begin when no other file has the turn. */
export function takeArenaTurn(): void {
  let lock: FileLock | undefined;
  beforeAll(async () => {
    mkdirSync(dirname(LOCK), { recursive: true });
    lock = await vi.waitUntil(tryLock, { timeout: TURN_LIMIT_MS, interval: 100 });
  }, TURN_LIMIT_MS);
  afterAll(() => lock?.close());
}

function tryLock(): FileLock | undefined {
  try {
    return loadNative().FileLock.acquire(LOCK);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return undefined;
    throw error;
  }
}
