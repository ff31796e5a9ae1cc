import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireDatabaseFile } from '../../../../src/agent/store/lmdb-file.ts';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-lmdb-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('a database file', () => {
  it('is what the store has made, and what is not there yet', async () => {
    const path = join(folder, 'store.mdb');
    requireDatabaseFile(path);
    await ResourceStore.open(folder).close();
    expect(() => requireDatabaseFile(path)).not.toThrow();
  });

  it.each([
    ['text', 'no database at all'.repeat(1000)],
    ['zeros', Buffer.alloc(20_000)],
    ['a byte', 'x'],
  ])('is not %s: the store says so, and the process lives', (_, content) => {
    writeFileSync(join(folder, 'store.mdb'), content);
    const wrong = expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('is no database') });
    expect(() => ResourceStore.open(folder)).toThrowError(wrong);
  });
});
