import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/agent/version.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { manPages } from '../../../tools/man-pages.ts';

const pages = manPages(createProgram(), VERSION);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-man-'));
  for (const [name, text] of pages) writeFileSync(join(folder, name), text);
});

afterAll(() => rmSync(folder, { recursive: true }));

function has(command: string): boolean {
  return spawnSync(command, ['--version']).error === undefined;
}

describe('manual pages', () => {
  it('are one for the program and one for each command', () => {
    const commands = createProgram().commands.map((command) => `tortie-${command.name()}.1`);
    expect([...pages.keys()].sort()).toEqual(['tortie.1', ...commands].sort());
  });

  it('name every option of every command', () => {
    for (const command of createProgram().commands) {
      const page = (pages.get(`tortie-${command.name()}.1`) ?? '').replaceAll('\\-', '-');
      for (const one of [command, ...command.commands]) {
        if (one === command && command.commands.length > 0) continue;
        for (const { long } of one.options) expect(page).toContain(long);
      }
    }
  });

  it.skipIf(!has('mandoc')).each([...pages.keys()])('%s has nothing that mandoc warns of', (name) => {
    const { stdout, status } = spawnSync('mandoc', ['-Tlint', '-Wwarning', name], { cwd: folder, encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  it.skipIf(!has('man')).each([...pages.keys()])('%s is shown by man without a warning', (name) => {
    const environment = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANROFFSEQ: '' };
    const shown = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', name], {
      cwd: folder,
      env: environment,
    });
    expect({ warnings: shown.stderr.toString(), status: shown.status }).toEqual({ warnings: '', status: 0 });
  });
});
