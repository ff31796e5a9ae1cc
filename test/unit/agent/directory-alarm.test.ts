import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DirectoryAlarm } from '../../../src/agent/directory-alarm.ts';

let folder: string;
let alarm: DirectoryAlarm;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-alarm-'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'a.yaml'), 'a');
  writeFileSync(join(folder, 'sub/b.yaml'), 'b');
  alarm = new DirectoryAlarm([folder, join(folder, 'sub')]);
});

afterEach(() => {
  alarm.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('DirectoryAlarm', () => {
  it.each([
    { what: 'a file is written to', act: () => writeFileSync(join(folder, 'a.yaml'), 'A') },
    { what: 'a file appears', act: () => writeFileSync(join(folder, 'sub/c.yaml'), 'c') },
    { what: 'a file is replaced', act: () => renameSync(join(folder, 'a.yaml'), join(folder, 'sub/b.yaml')) },
    { what: 'a directory goes', act: () => rmSync(join(folder, 'sub'), { recursive: true }) },
  ])('rings when $what', async ({ act }) => {
    act();
    await vi.waitFor(() => expect(alarm.hasRung).toBe(true));
  });

  it('does not ring when files are only read', async () => {
    expect(readdirSync(folder)).toContain('a.yaml');
    expect(readFileSync(join(folder, 'sub/b.yaml'), 'utf8')).toBe('b');
    await sleep(50);
    expect(alarm.hasRung).toBe(false);
  });

  it('refuses a directory that is not there', () => {
    expect(() => new DirectoryAlarm([folder, join(folder, 'gone')])).toThrow(/ENOENT/);
  });
});
