// The command tree and what it costs to start: a verb is known before its file is read, and what only shows or asks loads no
// schemas and no YAML.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/command-list.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { runCommand } from '../../support/run-command.ts';

/** Type imports are gone when the program runs. */
const IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm;
/** Half a second of processor time, all of them. */
const HEAVY = ['zod', 'yaml', 'js-yaml', 'prom-client', 'lmdb'];
const LIGHT = [
  'program',
  'completion/answer',
  'completion/live',
  ...[
    'get',
    'watch',
    'status',
    'endpoint',
    'node',
    'delete',
    'label',
    'monitor',
    'version',
    'doctor',
    'completion',
  ].map((name) => `commands/${name}`),
];

/** What a module imports at once, with all that this imports; not what it imports when that is needed. */
function importsOf(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  if (!file.endsWith('.ts')) return found;
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    importsOf(name.startsWith('.') ? join(dirname(file), name) : name, found);
  }
  return found;
}

describe('the program', () => {
  it.each(LIGHT)('starts %s without what it may not need', (name) => {
    const imports = importsOf(`src/cli/${name}.ts`);
    expect(HEAVY.filter((one) => imports.has(one))).toEqual([]);
    expect(imports.has('commander') || imports.has('src/cli/kind-names.ts')).toBe(true);
  });

  it('would find what a heavy command imports', () => {
    expect([...importsOf('src/cli/commands/lint.ts')]).toEqual(expect.arrayContaining(['zod', 'yaml', 'js-yaml']));
  });

  it('helps alike, however much of it is loaded', async () => {
    const whole = await createProgram();
    const none = await createProgram('');
    expect(none.helpInformation()).toBe(whole.helpInformation());
    for (const { usage } of COMMANDS) expect(none.helpInformation()).toContain(`  ${usage} `);
  });

  it.each(COMMANDS.map(({ usage }) => usage.split(' ')[0] ?? ''))(
    'knows all of %s when it is asked for',
    async (verb) => {
      const find = async (only?: string) => (await createProgram(only)).commands.find((one) => one.name() === verb);
      const [alone, among] = [await find(verb), await find()];
      expect(alone?.helpInformation()).toBe(among?.helpInformation());
      expect((alone?.options.length ?? 0) + (alone?.commands.length ?? 0) > 0 || verb === 'completion').toBe(true);
    },
  );

  it.each([
    [['help', 'get'], 0, 'Usage: tortie get [options] [kind] [name...]'],
    [['get', '--help'], 0, 'Usage: tortie get [options] [kind] [name...]'],
    [['node', 'list', '--help'], 0, 'Usage: tortie node list [options]'],
    [['-n', 'get', 'node', 'list', '--help'], 0, 'Usage: tortie node list [options]'],
    [['gett'], 2, "unknown command 'gett'"],
    [['-n', 'shop', 'status'], 2, "status has no option '-n, --namespace <name>'"],
    [['--socket', '/none', 'status'], 4, 'connect /none'],
    [['--socket=/none', 'node', 'list'], 4, 'connect /none'],
    [['--socket', '/none', 'status', '--socket', '/own'], 4, 'connect /own'],
  ])('answers %j', async (words, code, text) => {
    const answer = await runCommand(words);
    expect(answer.code).toBe(code);
    expect(answer.output).toContain(text);
  });
});
