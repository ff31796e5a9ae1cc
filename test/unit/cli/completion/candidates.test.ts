import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete } from '../../../../src/cli/completion/candidates.ts';
import { LIVE } from '../../../../src/cli/completion/live.ts';
import { createProgram } from '../../../../src/cli/program.ts';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

let tortie: AgentCommands;

beforeAll(async () => {
  tortie = await AgentCommands.start({ manifests: { 'lab.yaml': WORKLOADS } });
  await tortie.answer(
    'apply',
    '-f',
    tortie.file('a.yaml', tier('alpha', 1), tier('beta', 2), policy('web', [80], 'shop')),
  );
});

afterAll(() => tortie.end());

async function words(...line: string[]): Promise<string[]> {
  const { candidates, files } = await complete(await createProgram(), line, LIVE);
  return [...candidates.map(({ word }) => word), ...(files === undefined ? [] : [`(${files})`])];
}

describe('completion', () => {
  it('offers every command of the program at its start', async () => {
    const commands = (await createProgram()).commands.map((one) => one.name());
    expect(await words('')).toEqual(commands);
    expect(await words('conf')).toEqual(['config', 'confirm']);
  });

  it('offers every long option of each command', async () => {
    for (const command of (await createProgram()).commands) {
      if (command.commands.length > 0) continue;
      const longs = command.options.flatMap(({ long }) => (long ? [long] : []));
      expect(await words(command.name(), '--')).toEqual(expect.arrayContaining(longs));
    }
  });

  it.each<[line: string[], found: string[]]>([
    [['get', 'globalnetworkp'], ['globalnetworkpolicy']],
    [['get', 'gnp'], ['gnp']],
    [
      ['get', 'tier', ''],
      ['alpha', 'beta'],
    ],
    [['get', 'tier', 'al'], ['alpha']],
    [['get', 'tier', 'alpha', ''], ['beta']],
    [['get', 'tier/b'], ['tier/beta']],
    [['get', 'np', ''], []],
    [['get', 'np', '-n', 'shop', ''], ['web']],
    [['-n', 'shop', 'get', 'np', ''], ['web']],
    [['--namespace=lab', 'get', 'np', ''], ['red-sends']],
    [
      ['-n', ''],
      ['lab', 'shop'],
    ],
    [['get', 'np', '-o', 'custom'], ['custom-columns=']],
    [['get', '--namespace=lab', 'np', ''], ['red-sends']],
    [
      ['get', '-n', ''],
      ['lab', 'shop'],
    ],
    [['get', '--namespace=s'], ['--namespace=shop']],
    [
      ['get', 'np', '-o', 'j'],
      ['json', 'jsonpath='],
    ],
    [['get', 'np', '--output=wi'], ['--output=wide']],
    [['get', '-o', 'json', 'tier', 'b'], ['beta']],
    [
      ['patch', 'tier', 'alpha', '--type', ''],
      ['merge', 'json', 'apply'],
    ],
    [
      ['apply', '--dry-run', ''],
      ['none', 'client', 'server'],
    ],
    [['apply', '-f', ''], ['(files)']],
    [['get', '--manifests', ''], ['(directories)']],
    [['label', 'tier', 'al'], ['alpha']],
    [['confirm', ''], ['1']],
    [
      ['endpoint', ''],
      ['list', 'get', 'add', 'remove'],
    ],
    [['endpoint', 'l'], ['list']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['validate', ''], ['(files)']],
    [['frob', ''], []],
    [['get', 'frob', ''], []],
    [['get', '--', 'tier', '--'], []],
  ])('goes on after `%s` with %j', async (line, found) => {
    expect(await words(...line)).toEqual(found);
  });

  it('offers what needs no agent when none answers', async () => {
    expect(await words('get', '--socket', '/nonexistent', 'tier', '')).toEqual([]);
    expect(await words('get', '--socket', '/nonexistent', 'ti')).toEqual(['tier']);
  });
});
