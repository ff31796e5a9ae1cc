// What the agent keeps for itself on a disk of its own that is full: nothing that was written is lost, and the process lives.
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordLog } from '../../src/agent/record-log.ts';
import { ResourceStore } from '../../src/agent/store/resource-store.ts';
import { runCommand } from '../../src/bench/command.ts';

const DISK_BYTES = 8 * 1024 * 1024;
const HEADER = 'records of a test';

describe('on a full disk', () => {
  let disk: string;
  const filler = () => join(disk, 'filler');

  beforeEach(async () => {
    disk = mkdtempSync(join(tmpdir(), 'tortie-disk-'));
    await runCommand(['mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tortie-disk', disk]);
  });

  afterEach(async () => {
    await runCommand(['umount', disk]);
    rmdirSync(disk);
  });

  function fill(leftBytes: number): void {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler(), new Uint8Array(bavail * bsize - leftBytes));
  }

  it('a record that is not written whole leaves those before and behind it', () => {
    const path = join(disk, 'log');
    const log = new RecordLog(path, HEADER);
    log.rewrite([['a', Buffer.from('before')]]);
    fill(16 * 1024);
    expect(() => log.append('b', Buffer.alloc(64 * 1024))).toThrow('ENOSPC');
    rmSync(filler());
    log.append('c', Buffer.from('behind'));
    log.close();
    const found = new RecordLog(path, HEADER).read();
    expect([...found].map(([key, value]) => [key, value.toString()])).toEqual([
      ['a', 'before'],
      ['c', 'behind'],
    ]);
  });

  it('records that are written anew leave the file as it was', () => {
    const path = join(disk, 'log');
    const log = new RecordLog(path, HEADER);
    log.rewrite([['a', Buffer.from('before')]]);
    fill(16 * 1024);
    expect(() => log.rewrite([['b', Buffer.alloc(64 * 1024)]])).toThrow('ENOSPC');
    log.close();
    expect([...new RecordLog(path, HEADER).read().keys()]).toEqual(['a']);
  });

  it('a store is not begun, which an error tells, and is once there is room', async () => {
    const state = join(disk, 'state');
    mkdirSync(state);
    fill(0);
    const refusal = expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('ENOSPC') });
    expect(() => ResourceStore.open(state)).toThrow(refusal);
    expect(existsSync(join(state, 'store.mdb'))).toBe(false);
    rmSync(filler());
    const store = ResourceStore.open(state);
    expect(store.revision).toBe(0);
    await store.close();
  });
});
