import { describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/agent/version.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { manPages } from '../../../tools/man-pages.ts';

const program = await createProgram();
const pages = manPages(program, VERSION);

describe('manual pages', () => {
  it('are one for the program and one for each command', () => {
    const commands = program.commands.map((command) => `tortie-${command.name()}.1`);
    expect([...pages.keys()].sort()).toEqual(['tortie.1', ...commands].sort());
  });

  it('name every option of every command', () => {
    for (const command of program.commands) {
      const page = (pages.get(`tortie-${command.name()}.1`) ?? '').replaceAll('\\-', '-');
      for (const one of [command, ...command.commands]) {
        if (one === command && command.commands.length > 0) continue;
        for (const { long } of one.options) expect(page).toContain(long);
      }
    }
  });
});
