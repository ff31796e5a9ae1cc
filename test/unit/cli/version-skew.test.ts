import { afterEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/agent/version.ts';
import { checkSkew } from '../../../src/cli/version-skew.ts';
import { AgentCommands } from '../../support/agent/agent-commands.ts';
import { tier } from '../../support/agent/store-manifests.ts';

const [MAJOR = 0, MINOR = 0] = VERSION.split('.').map(Number);
const away = (minors: number): string => `${MAJOR}.${MINOR + minors}.7`;

describe('checkSkew', () => {
  it.each([
    ['1.4.0', '1.4.9', false],
    ['1.4.0', '1.5.0', true],
    ['1.4.0', '1.3.2', true],
    ['1.4.0', '1.4.0-rc1', false],
  ])('lets %s speak to an agent %s; a warning: %s', (own, version, isWarned) => {
    expect(checkSkew(own, { version, api: 'v1' }) !== undefined).toBe(isWarned);
  });

  it.each([
    ['1.4.0', '1.6.0', 'v1'],
    ['1.4.0', '1.2.9', 'v1'],
    ['1.4.0', '2.4.0', 'v1'],
    ['1.4.0', 'unknown', 'v1'],
    ['1.4.0', '1.4.0', 'v2'],
  ])('lets %s not speak to an agent %s with API %s', (own, version, api) => {
    expect(() => checkSkew(own, { version, api })).toThrow(expect.objectContaining({ code: 'VERSION_SKEW' }));
  });
});

describe('a command', () => {
  let tortie: AgentCommands | undefined;

  afterEach(async () => {
    await tortie?.end();
    tortie = undefined;
  });

  it('warns once of an agent that is one minor version away, and works', async () => {
    tortie = await AgentCommands.start({ api: { version: away(1) } });
    const file = tortie.file('a.yaml', tier('a', 1));
    const { code, answer, output } = await tortie.run('apply', '-f', file);
    expect({ code, answer }).toEqual({ code: 0, answer: 'tier.projectcalico.org/a created\nrevision 1\n' });
    expect(output).toBe(
      `warning: the agent is of version ${away(1)}, this command of ${VERSION}: what only one of them knows is refused\n${answer}`,
    );
    expect((await tortie.run('get', 'tier', '-o', 'name')).output).toBe('tier.projectcalico.org/a\n');
  });

  it('warns once though it asks more than one thing at a time', async () => {
    tortie = await AgentCommands.start({ api: { version: away(1) } });
    const { code, output } = await tortie.run('node', 'list');
    expect([code, output.match(/warning: /g)]).toEqual([0, ['warning: ']]);
  });

  it('asks nothing of an agent that is further away', async () => {
    tortie = await AgentCommands.start({ api: { version: away(2) } });
    const { code, output } = await tortie.run('apply', '-f', tortie.file('a.yaml', tier('a', 1)));
    expect(code).toBe(1);
    expect(output).toBe(
      `VERSION_SKEW: speak to agent: the agent is of another version than this command: found agent ${away(2)} (API v1), expected ${VERSION} (API v1), or one minor version away (use the command that was installed with the agent)\n`,
    );
    expect(tortie.agent.stored.store.revision).toBe(0);
  });

  it.each([
    { minors: 0, code: 0, says: '' },
    { minors: 1, code: 0, says: 'warning: ' },
    { minors: 3, code: 1, says: 'VERSION_SKEW: ' },
  ])('tells both versions when they are $minors minor versions apart', async ({ minors, code, says }) => {
    tortie = await AgentCommands.start({ api: { version: away(minors) } });
    const result = await tortie.run('version');
    expect(result).toMatchObject({ code, answer: `client  ${VERSION} (API v1)\nagent   ${away(minors)} (API v1)\n` });
    expect(result.output).toContain(says);
    expect(await tortie.answer('version', '--client')).toBe(`client  ${VERSION} (API v1)`);
  });

  it('tells its own version though no agent answers', async () => {
    tortie = await AgentCommands.start();
    const { code, answer } = await tortie.run('version', '-o', 'json', '--socket', '/nonexistent');
    expect({ code, answer: JSON.parse(answer) }).toEqual({
      code: 4,
      answer: { client: { version: VERSION, api: 'v1' } },
    });
  });
});
