import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../support/run-command.ts';

const PAGES = [
  'docs/simulate.md',
  'docs/policy-tests.md',
  'docs/matrix.md',
  'docs/lint.md',
  'docs/explain.md',
  'docs/diff.md',
  'docs/render.md',
  'README.md',
];
const BLOCK = /```console\n([\s\S]*?)```/g;

interface Session {
  readonly page: string;
  /** Without `$ tortie`, and without where its output goes. */
  readonly command: string;
  readonly goesToFile: boolean;
  readonly asksExitCode: boolean;
  /** Lines after the commands, as documented. */
  readonly shown: string;
}

/** `$ tortie ...`, its output, and perhaps `$ echo $?` with the exit code. */
function sessionsOf(page: string, text: string): Session[] {
  return [...text.matchAll(BLOCK)].map(([, body = '']) => {
    const [first = '', ...rest] = body.trimEnd().split('\n');
    const [command = '', file] = first.replace('$ tortie ', '').split(' > ');
    const asksExitCode = rest.includes('$ echo $?');
    return { page, command, goesToFile: file !== undefined, asksExitCode, shown: rest.join('\n') };
  });
}

async function runSession({ command, asksExitCode }: Session): Promise<{ output: string; shown: string }> {
  const { code, output } = await runCommand(command.split(' '));
  const text = output.trimEnd();
  return { output: text, shown: asksExitCode ? `${text}\n$ echo $?\n${code}` : text };
}

const sessions = PAGES.flatMap((page) => sessionsOf(page, readFileSync(page, 'utf8')));

describe('documented commands', () => {
  it.each(sessions)('$page shows what `tortie $command` prints', async (session) => {
    const { output, shown } = await runSession(session);
    if (session.goesToFile) {
      expect(output).toMatch(/^<!DOCTYPE html>/);
      return;
    }
    if (process.env.UPDATE_GOLDEN === '1') {
      const text = readFileSync(session.page, 'utf8');
      const block = `\`\`\`console\n$ tortie ${session.command}\n`;
      const documented = session.shown === '' ? block : `${block}${session.shown}\n`;
      writeFileSync(
        session.page,
        text.replace(documented, () => `${block}${shown}\n`),
      );
      return;
    }
    expect(session.shown).toBe(shown);
  });
});
