// The command on whatever machine the test runs on: what it proposes for it is not known, what becomes of it is.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelinesOf } from '../../../../src/analysis/protect/lifelines.ts';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { address } from '../../../support/protect/observations.ts';

const NAMES = ['protect-inbound', 'protect-outbound', 'protect-all'];

describe('protect', () => {
  let commands: AgentCommands;
  beforeAll(async () => {
    commands = await AgentCommands.start();
  });
  afterAll(() => commands.end());

  const names = async (): Promise<string> =>
    (await commands.run('get', 'gnp,hep,globalnetworksets', '-o', 'name')).answer.trim();
  const path = (name: string): string => join(commands.agent.folder, name);

  it('prints a proposal, and changes nothing', async () => {
    const { code, answer } = await commands.run('protect', '--ssh-only');
    expect(code).toBe(0);
    for (const name of NAMES) expect(answer).toContain(`name: ${name}`);
    expect(answer).toContain('interfaceName: "*"');
    expect(await names()).toBe('');
  });

  it('is validated and linted as it is', async () => {
    const file = path('host.yaml');
    expect((await commands.run('protect', '--egress', 'seen', '--output', file)).answer).toBe('');
    expect(await commands.run('validate', file)).toMatchObject({ code: 0 });
    expect((await commands.run('lint', file, '--fail-on', 'note')).code).toBe(0);
  });

  it('is in force until somebody does not confirm it', async () => {
    const applied = await commands.answer('protect', '--ssh-only', '--apply', '--confirm', '1s');
    expect(applied).toContain('keep it:       tortie confirm');
    for (const name of NAMES) expect(await names()).toContain(name);
    await expect.poll(names, { timeout: 20_000 }).toBe('');
  });

  it('stays when confirmed, gives way to the next, and goes as a whole', async () => {
    await commands.answer('protect', '--ssh-only', '--ssh-from', '198.51.100.0/24', '--apply');
    expect(await names()).toContain('protect-ssh-clients');
    expect(await commands.answer('confirm')).toMatch(/^revision \d+ is confirmed$/);
    expect((await commands.run('confirm')).output).toContain('nothing waits to be confirmed');
    const again = await commands.answer('protect', '--web', '--apply', '--no-confirm');
    expect(again).toContain('globalnetworkset.projectcalico.org "protect-ssh-clients" deleted');
    expect(again).toContain('in force; take it back with: tortie protect --undo');
    expect(await commands.answer('protect', '--undo')).toContain('this machine is as it was before protect');
    expect(await names()).toBe('');
    expect(await commands.answer('protect', '--undo')).toBe('nothing of protect is in force');
  });

  it('is undone while it waits, and leaves what is of others', async () => {
    await commands.answer('apply', '-f', commands.file('own.yaml', OWN));
    await commands.answer('protect', '--ssh-only', '--apply', '--confirm', '60s');
    await commands.answer('protect', '--undo');
    expect(await names()).toBe('globalnetworkpolicy.projectcalico.org/own');
    expect((await commands.run('confirm')).code).toBe(1);
    await commands.answer('delete', 'gnp', 'own');
  });

  it('applies a file that was edited, and finds it again', async () => {
    const edited = { ...OWN, metadata: { name: 'mine' } };
    await commands.answer('protect', '--from-file', commands.file('edited.yaml', edited), '--apply', '--no-confirm');
    expect(await names()).toContain('globalnetworkpolicy.projectcalico.org/mine');
    await commands.answer('protect', '--undo');
    expect(await names()).toBe('');
  });

  it('says so where the agent does not enforce it', async () => {
    const { status } = commands.agent;
    const hostEndpoints = [{ hostEndpoint: 'protect-all', interfaces: [], state: 'error', reason: 'no such kernel' }];
    commands.agent.status = () => Object.assign(status.call(commands.agent), { hostEndpoints }) as never;
    const { code, output } = await commands.run('protect', '--ssh-only', '--apply', '--no-confirm');
    commands.agent.status = status;
    expect([code, output.includes('hostendpoint protect-all is not enforced: no such kernel')]).toEqual([4, true]);
    await commands.answer('protect', '--undo');
  });

  it('previews without changing anything', async () => {
    const { code, answer } = await commands.run('protect', '--preview', '1s');
    expect([0, 1]).toContain(code);
    expect(answer).toMatch(/would be denied: \d+ flows seen in 1 s, judged outside the kernel/);
    expect(await names()).toBe('');
  });

  it('is refused where it would cut the session, with the packet and the rule, unless it is forced', async () => {
    const session = {
      client: address('198.51.100.7'),
      clientPort: 50_000,
      server: address('192.0.2.1'),
      serverPort: 2222,
    };
    const interfaces = [{ name: 'eth0', kind: 'host' as const, addresses: [address('192.0.2.1')] }];
    const sessions = [{ what: 'the SSH session that it was sent from', ...session }];
    const facts = { interfaces, sessions, dhcp: [], interfaceTo: () => 'eth0' };
    commands.agent.lookOut = () => ({ lifelines: lifelinesOf(facts), interfaces, isLocal: () => true });
    const refused = await commands.run('protect', '--ssh-only', '--apply');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('CUTS_CONNECTION: apply change: would cut the SSH session that it was sent from');
    expect(refused.output).toContain(
      'TCP 198.51.100.7:50000 to 192.0.2.1:2222 in by eth0, denied by default|gnp:protect-inbound|deny|-1',
    );
    expect(await names()).toBe('');
    await commands.answer('protect', '--ssh-only', '--apply', '--force', '--confirm', '60s');
    await commands.answer('protect', '--undo');
    commands.agent.lookOut = () => undefined;
  });

  it.each([
    [['--from-file', 'nowhere.yaml'], 1, 'FILE_UNREADABLE'],
    [['--interface', 'eth999'], 1, 'INTERFACE_MISSING: protect eth999: is no interface that can be protected'],
    [['--ssh-from', '198.51.100.7/24'], 2, '--ssh-from'],
    [['--preview', 'soon'], 2, '--preview'],
    [['--ssh-only', '--web'], 2, "option '--ssh-only' cannot be used with option '--web'"],
    [['--undo', '--apply'], 2, "option '--undo' cannot be used with option '--apply'"],
    [['--output', '/nowhere/host.yaml'], 1, 'FILE_UNWRITABLE'],
  ])('answers %j with exit code %i', async (words, code, text) => {
    const answer = await commands.run('protect', ...words);
    expect(answer.output).toContain(text);
    expect(answer.code).toBe(code);
  });

  it('names the line of what is wrong in a file', async () => {
    const file = commands.file(
      'bad.yaml',
      'apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: a}\nspec:\n  node: 7\n',
    );
    const { code, output } = await commands.run('protect', '--from-file', file, '--apply');
    expect([code, output.includes('bad.yaml:5')]).toEqual([3, true]);
  });
});

const OWN = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'own' },
  spec: { selector: "role == 'host'", ingress: [{ action: 'Allow' }] },
};
