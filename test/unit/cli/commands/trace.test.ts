import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { policy, WORKLOADS } from '../../../support/agent/store-manifests.ts';

const FLOW = ['--from', 'lab/red', '--to', 'lab/green', '--protocol', 'TCP', '--port'];

describe('tortie trace', () => {
  let tortie: AgentCommands;
  let files: string;

  beforeEach(async () => {
    tortie = await AgentCommands.start({ manifests: { 'lab.yaml': WORKLOADS } });
    files = `${tortie.agent.folder}/offline`;
    tortie.file('../offline/lab.yaml', WORKLOADS);
    await tortie.answer('apply', '-f', tortie.file('green.yaml', policy('green', [7000])));
  });

  afterEach(() => tortie.end());

  it('judges by files alone', async () => {
    const answer = await tortie.answer('trace', ...FLOW, '7001', '--manifests', files);
    expect(answer).toMatch(/ingress of lab\/green: deny[\s\S]*built in/);
    expect(answer).not.toContain('np:lab/green');
  });

  it.each([
    ['7000', /^ALLOW [\s\S]*default +np:lab\/green +0 +allow /m],
    ['7001', /^DENY [\s\S]*default +np:lab\/green +default +deny /m],
  ])('judges by what came over the API as well, with --live: port %s', async (port, expected) => {
    expect(await tortie.answer('trace', ...FLOW, port, '--live')).toMatch(expected);
  });

  it('does with --live as why, of either engine', async () => {
    for (const engine of ['model', 'tables']) {
      const answer = await tortie.answer('trace', ...FLOW, '7001', '--live', '--engine', engine, '-o', 'json');
      const why = JSON.parse(await tortie.answer('why', ...FLOW, '7001', '-o', 'json')) as { verdict: string };
      expect(JSON.parse(answer)).toMatchObject({ verdict: why.verdict });
      expect(why.verdict).toBe('deny');
    }
  });

  it('says with --live that no agent answers', async () => {
    const { code, output } = await tortie.run('trace', ...FLOW, '7001', '--live', '--socket', `${files}/none.sock`);
    expect([code, output]).toEqual([4, expect.stringMatching(/^AGENT_UNREACHABLE/)]);
  });
});
