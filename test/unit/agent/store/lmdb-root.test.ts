import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attempt, openRoot } from '../../../../src/agent/store/lmdb-root.ts';
import { DataplaneError } from '../../../../src/base/errors.ts';

describe('a database file of the agent', () => {
  let folder: string;
  const path = () => join(folder, 'state', 'x.mdb');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-lmdb-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made with its directory, for nobody else to read, and holds what was put there', async () => {
    const first = openRoot(path());
    first.transactionSync(() => first.putSync('a', 1));
    await first.close();
    const modes = [join(folder, 'state'), path(), `${path()}-lock`].map((each) => statSync(each).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    const second = openRoot(path());
    expect(second.get('a')).toBe(1);
    await second.close();
  });

  it('is refused when it is none', () => {
    const other = join(folder, 'x.mdb');
    writeFileSync(other, 'text'.repeat(100));
    expect(() => attempt('open store', other, () => openRoot(other))).toThrow(
      expect.objectContaining({ code: 'STORE_FAILED', operation: 'open store', target: other }),
    );
  });

  it('tells errors of ours as they are', () => {
    const error = new DataplaneError('NOT_FOUND', 'is not there', { operation: 'find', target: 'x' });
    expect(() =>
      attempt('write store', path(), () => {
        throw error;
      }),
    ).toThrow(error);
  });
});
