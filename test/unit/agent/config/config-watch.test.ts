import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigWatch } from '../../../../src/agent/config/config-watch.ts';

describe('the watch of the configuration file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-watch-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function expectCall(change: (file: string) => void, file = join(folder, 'tortie.yaml')): Promise<void> {
    let calls = 0;
    using _watch = new ConfigWatch(file, () => {
      calls += 1;
    });
    change(file);
    await vi.waitFor(() => expect(calls).toBe(1), 4000);
  }

  it('notices a file that appears', () => expectCall((file) => writeFileSync(file, 'a')));

  it('notices a file that is written to', async () => {
    writeFileSync(join(folder, 'tortie.yaml'), 'a');
    await expectCall((file) => writeFileSync(file, 'longer'));
  });

  it('notices a file that another one takes the place of', async () => {
    writeFileSync(join(folder, 'tortie.yaml'), 'a');
    await expectCall((file) => {
      writeFileSync(`${file}.new`, 'b');
      renameSync(`${file}.new`, file);
    });
  });

  it('notices a file that goes', async () => {
    writeFileSync(join(folder, 'tortie.yaml'), 'a');
    await expectCall((file) => rmSync(file));
  });

  it('notices what a link leads to, in another directory', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'real.yaml'), 'a');
    symlinkSync('data/real.yaml', join(folder, 'tortie.yaml'));
    await expectCall(() => writeFileSync(join(folder, 'data', 'real.yaml'), 'longer'));
  });
});
