// The scripts in the shells that they are for: each is asked how a command line goes on.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerCompletion } from '../../../src/cli/completion/answer.ts';
import { LIVE } from '../../../src/cli/completion/live.ts';
import { SCRIPTS } from '../../../src/cli/completion/scripts.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { AgentCommands } from '../../support/agent/agent-commands.ts';
import { tier } from '../../support/agent/store-manifests.ts';

const run = promisify(execFile);

/** A command `tortie` that hands its words to this process, which is the program. */
const DOOR = `#!/usr/bin/env node
const { request } = require('node:http');
const asked = request({ socketPath: __dirname + '/door.sock', method: 'POST', path: '/' }, (answer) => answer.pipe(process.stdout));
asked.end(JSON.stringify(process.argv.slice(2)));
`;

let tortie: AgentCommands;
let folder: string;
let server: Server;

beforeAll(async () => {
  tortie = await AgentCommands.start();
  await tortie.answer('apply', '-f', tortie.file('a.yaml', tier('alpha', 1), tier('beta', 2)));
  folder = mkdtempSync(join(tmpdir(), 'tortie-completion-'));
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const [, , ...words] = JSON.parse(text) as string[];
    response.end(await answerCompletion(await createProgram(), words, LIVE));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'door.sock'), resolve));
  writeFileSync(join(folder, 'tortie'), DOOR);
  chmodSync(join(folder, 'tortie'), 0o755);
  writeFileSync(join(folder, 'policy.yaml'), '');
  for (const [shell, script] of Object.entries(SCRIPTS)) writeFileSync(join(folder, `tortie.${shell}`), script);
});

afterAll(async () => {
  await tortie.end();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Standard output of the shell's commands, with `tortie` on the path, in a folder with one file for arguments. */
async function inShell(shell: string, options: readonly string[], commands: string): Promise<string> {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'dumb' };
  const { stdout } = await run(shell, [...options, '-c', commands], { env, cwd: folder, timeout: 20_000 });
  return stdout;
}

const LINES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['tortie conf', ['config', 'confirm']],
  ['tortie get tier ', ['alpha', 'beta']],
  ['tortie get tier/b', ['tier/beta']],
  ['tortie get tier alpha ', ['beta']],
  ['tortie delete tier alpha --dry', ['--dry-run']],
  ['tortie get globalnetworkse', ['globalnetworkset']],
  ['tortie apply -f pol', ['policy.yaml']],
];

describe('completion in bash', () => {
  const ask = async (line: string): Promise<string[]> => {
    const stdout = await inShell(
      'bash',
      ['--norc'],
      `compopt() { :; }; source tortie.bash; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _tortie; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    return stdout.split('\n').filter((word) => word !== '');
  };

  it.each(LINES)('goes on after `%s` with %j', async (line, words) => {
    expect(await ask(line)).toEqual(words);
  });

  it('answers with what comes after the sign at which bash takes words apart', async () => {
    expect(await ask('tortie get tier --output=w')).toEqual(['wide']);
  });

  it('is registered for the command', async () => {
    expect(await inShell('bash', ['--norc'], 'source tortie.bash; complete -p tortie')).toBe(
      'complete -F _tortie tortie\n',
    );
  });
});

describe('completion in fish', () => {
  it.each(LINES)('goes on after `%s` with %j', async (line, words) => {
    const stdout = await inShell('fish', ['--no-config'], `source tortie.fish; complete -C '${line}'`);
    const found = stdout.split('\n').filter((word) => word !== '');
    expect(found.map((one) => one.split('\t')[0])).toEqual(words);
  });
});

describe('completion in zsh', () => {
  /** What the line editor of an interactive shell makes of the line and a tab. */
  const ask = (line: string): Promise<string> =>
    inShell(
      'zsh',
      ['-f'],
      `zmodload zsh/zpty
rm -f buffer
cat > setup <<'END'
PS1=
autoload -Uz compinit
compinit -u -D
source ./tortie.zsh
show() { print -r -- $BUFFER > written; mv written buffer }
zle -N show
bindkey '^I' complete-word '^X' show
END
zpty shell zsh -f -i
zpty -w shell '. ./setup; echo read""y'
zpty -r shell output '*ready*'
zpty -w -n shell '${line}'$'\t\x18'
while [[ ! -e buffer ]]; do zpty -r -t shell output; sleep 0.02; done
cat buffer
zpty -d shell`,
    );

  it.each(LINES.filter(([, words]) => words.length === 1))('goes on after `%s` with %j', async (line, [word = '']) => {
    const head = line.slice(0, line.lastIndexOf(' ') + 1);
    expect((await ask(line)).trimEnd()).toBe(`${head}${word}`);
  });
});
