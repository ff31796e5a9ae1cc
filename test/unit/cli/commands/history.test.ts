// Commands about what has happened, and those that look on while it does: history, export, diff -f, watch.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWho } from '../../../../src/cli/change-text.ts';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

let tortie: AgentCommands;

beforeEach(async () => {
  tortie = await AgentCommands.start({ manifests: { 'lab.yaml': WORKLOADS } });
  await tortie.answer('apply', '-f', tortie.file('a.yaml', tier('a', 1)));
  await tortie.answer('patch', 'tier', 'a', '-p', 'spec: {order: 2}');
});

afterEach(() => tortie.end());

describe('tortie history', () => {
  it('lists changes, the latest first', async () => {
    const [header, ...rows] = (await tortie.answer('history')).split('\n').map((line) => line.split(/ {2,}/));
    expect(header).toEqual(['REVISION', 'TIME', 'WHO', 'VERB', 'OBJECTS']);
    expect(rows.map(([revision, , who, verb, objects]) => [revision, who, verb, objects])).toEqual([
      ['2', 'the agent', 'patch', 'Tier//a configured'],
      ['1', 'the agent', 'apply', 'Tier//a created'],
    ]);
    expect(JSON.parse(await tortie.answer('history', '--limit', '1', '-o', 'json'))).toMatchObject([{ revision: 2 }]);
    expect(JSON.parse(await tortie.answer('history', '--limit', '0', '-o', 'json'))).toHaveLength(2);
  });

  it('shows one change with what it changed', async () => {
    const text = await tortie.answer('history', '2');
    expect(text).toMatch(/^revision 2: patch by the agent, .*Z\n--- Tier\/\/a\n\+\+\+ Tier\/\/a\n@@ /);
    expect(text).toMatch(/\n- {2}order: 1\n\+ {2}order: 2$/);
    expect((await tortie.run('history', '9')).output).toMatch(/^NOT_FOUND: /);
  });

  it('leads back', async () => {
    expect(await tortie.answer('rollback', '1')).toBe('tier.projectcalico.org/a configured\nrevision 3');
    expect(await tortie.answer('get', 'tier', 'a', '-o', 'jsonpath={.spec.order}')).toBe('1');
    expect(await tortie.answer('rollback', '0', '--dry-run')).toBe(
      'tier.projectcalico.org "a" deleted (server dry run)',
    );
  });

  it.each([
    [{ kind: 'local', uid: 0, gid: 0, pid: 12 }, 'uid 0, pid 12'],
    [{ kind: 'agent' }, 'the agent'],
    [{ kind: 'certificate', commonName: 'ops' }, 'ops'],
    [{ kind: 'certificate', commonName: 'ops', organization: 'Acme' }, 'ops (Acme)'],
  ] as const)('names who made a change: %j', (who, text) => {
    expect(describeWho(who)).toBe(text);
  });
});

describe('tortie export and tortie import', () => {
  it('write everything, and bring it back', async () => {
    const file = tortie.file('all.yaml', await tortie.answer('export'));
    await tortie.answer('apply', '-f', tortie.file('b.yaml', tier('b', 1), tier('a', 9)));
    expect((await tortie.answer('import', '-f', file)).split('\n').sort()).toEqual([
      'revision 4',
      'tier.projectcalico.org "b" deleted',
      'tier.projectcalico.org/a configured',
    ]);
  });

  it('say so where there is nothing to bring back', async () => {
    const file = tortie.file('all.yaml', await tortie.answer('export'));
    expect(await tortie.answer('import', '-f', file)).toBe('tier.projectcalico.org/a unchanged');
    expect(await tortie.answer('rollback', '2')).toBe('no changes');
    await tortie.answer('rollback', '0');
    const none = tortie.file('none.yaml', await tortie.answer('export'));
    expect(await tortie.answer('import', '-f', none)).toBe('no changes');
    expect(await tortie.answer('import', '-f', none, '--dry-run')).toBe('no changes');
    expect(tortie.agent.stored.store.revision).toBe(3);
  });
});

describe('tortie import', () => {
  it('says what it skips because only files can define it', async () => {
    const felix = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'FelixConfiguration',
      metadata: { name: 'default' },
      spec: {},
    };
    const { code, answer, output } = await tortie.run('import', '-f', tortie.file('f.yaml', felix, tier('a', 7)));
    expect([code, answer.trim()]).toEqual([0, 'tier.projectcalico.org/a configured\nrevision 3']);
    expect(output).toContain('warning: FelixConfiguration//default is skipped: only manifest files can define it\n');
  });
});

describe('tortie diff -f', () => {
  it('shows what would change, in objects and in packets', async () => {
    const { code, answer } = await tortie.run('diff', '-f', tortie.file('p.yaml', policy('green', [80]), tier('a', 2)));
    expect(code).toBe(1);
    expect(answer).toContain('--- /dev/null\n+++ networkpolicy.projectcalico.org/green\n@@ -0,0 +1,');
    expect(answer).toMatch(/any address -> lab\/green {2}TCP 80: deny -> allow/);
    expect(answer).not.toContain('tier.projectcalico.org/a');
    expect(tortie.agent.stored.store.revision).toBe(2);
  });

  it('shows nothing where nothing would change', async () => {
    const { code, answer } = await tortie.run('diff', '-f', tortie.file('a.yaml', tier('a', 2)));
    expect({ code, answer }).toEqual({ code: 0, answer: 'no changes\n' });
  });

  it.each([
    { words: ['diff', '-f', '/nonexistent.yaml'], says: 'FILE_UNREADABLE' },
    { words: ['diff', 'live', '-f', '/dev/null'], says: 'USAGE' },
    { words: ['diff'], says: 'USAGE' },
  ])('answers `$words` with 2', async ({ words, says }) => {
    expect(await tortie.run(...words)).toMatchObject({ code: 2, output: expect.stringContaining(says) });
  });

  it('answers what would be refused with 2', async () => {
    const file = tortie.file('x.yaml', { ...tier('a', 1), spec: { order: 'x' } });
    expect(await tortie.run('diff', '-f', file)).toMatchObject({
      code: 2,
      output: expect.stringContaining('x.yaml:1'),
    });
  });
});

describe('tortie watch', () => {
  it('shows what is there and what comes, until its time is up', async () => {
    const client = new ResourceClient(tortie.agent.options.socket);
    const watching = tortie.follow('watch', 'tier', '-o', 'json', '--timeout', '3');
    await watching.said('"a"');
    await client.create({ type: 'Tier' }, tier('b', 1));
    await client.delete({ type: 'Tier', name: 'a' });
    const events = (await watching.answer)
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } });
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED a',
      'ADDED b',
      'DELETED a',
    ]);
  });

  it('takes changes up from a revision, in columns', async () => {
    const rows = (await tortie.answer('watch', 'tier', 'a', '--since', '1', '--timeout', '1')).split('\n');
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 3))).toEqual([
      ['EVENT', 'NAME', 'ORDER'],
      ['MODIFIED', 'a', '2'],
    ]);
  });

  it('shows columns that the command line names', async () => {
    const format = 'custom-columns=NAME:.metadata.name,ORDER:.spec.order';
    const text = await tortie.answer('watch', 'tier', '--since', '1', '--timeout', '1', '-o', format);
    expect(text.split('\n').map((row) => row.split(/ {2,}/))).toEqual([
      ['EVENT', 'NAME', 'ORDER'],
      ['MODIFIED', 'a', '2'],
    ]);
  });

  it.each([
    { words: ['watch', 'tier,np'], code: 2, says: 'one kind of object' },
    { words: ['watch', 'tier', '--since', '99'], code: 1, says: 'REVISION_GONE' },
    { words: ['get', 'tier', '-w', '-o', 'frob'], code: 2, says: 'jsonpath=TEMPLATE' },
  ])('refuses `$words`', async ({ words, code, says }) => {
    expect(await tortie.run(...words)).toMatchObject({ code, output: expect.stringContaining(says) });
  });

  it('goes on through a restart of the agent', async () => {
    const watching = tortie.follow('watch', 'tier', '-o', 'name', '--timeout', '6');
    await watching.said('/a\n');
    await tortie.agent.stop();
    await refuseOne(tortie.agent.options.socket);
    await tortie.restart();
    await new ResourceClient(tortie.agent.options.socket).create({ type: 'Tier' }, tier('late', 1));
    expect(await watching.answer).toBe('tier.projectcalico.org/a\ntier.projectcalico.org/late');
  });

  /** Waits for somebody who tries to speak to an agent, and speaks to nobody. */
  async function refuseOne(socket: string): Promise<void> {
    rmSync(socket, { force: true });
    const server = createServer().listen(socket);
    const [tried] = (await once(server, 'connection')) as [Socket];
    tried.destroy();
    server.close();
  }
});
