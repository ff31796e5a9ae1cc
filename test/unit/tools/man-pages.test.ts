import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/agent/version.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { manPages } from '../../../tools/man-pages.ts';

const program = await createProgram();
const pages = manPages(program, VERSION);

const withAllBelow = (command: Command): Command[] => [command, ...command.commands.flatMap(withAllBelow)];
const plain = (page: string): string => page.replaceAll(/\\f[BIR]/g, '').replaceAll('\\-', '-');

describe('manual pages', () => {
  it('are one for the program and one for each command', () => {
    const commands = program.commands.map((command) => `tortie-${command.name()}.1`);
    expect([...pages.keys()].sort()).toEqual(['tortie.1', ...commands].sort());
  });

  it('name every option of every command', () => {
    for (const command of program.commands) {
      const page = plain(pages.get(`tortie-${command.name()}.1`) ?? '');
      for (const one of withAllBelow(command)) {
        for (const { flags } of one.options) expect(page, `${one.name()} ${flags}`).toContain(flags);
      }
    }
  });

  it.each([
    ['flows', ['tortie flows [options]', 'tortie flows top [options]', 'tortie flows graph [options]']],
    ['block', ['tortie block add [options] [cidr...]', 'tortie block feed add [options] name']],
    ['staged', ['tortie staged list [options]', 'tortie staged promote [options] name...']],
  ])('show how %s is called, itself if it does something itself, and what is below it', (name, synopses) => {
    const page = plain(pages.get(`tortie-${name}.1`) ?? '');
    const synopsis = page.slice(page.indexOf('.SH SYNOPSIS'), page.indexOf('.SH', page.indexOf('.SH SYNOPSIS') + 1));
    for (const line of synopses) expect(synopsis.split('\n')).toContain(line);
    // Nothing that can only be called with a subcommand.
    if (name !== 'flows') expect(synopsis).not.toContain(`tortie ${name} [options]\n`);
    expect(page.match(/^\.SH OPTIONS$/gm)?.length ?? 0).toBe(name === 'flows' ? 1 : 0);
  });
});
