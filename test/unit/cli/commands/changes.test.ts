// The verbs that change objects: apply, create, replace, patch, label, delete.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

let tortie: AgentCommands;

beforeEach(async () => {
  tortie = await AgentCommands.start({ manifests: { 'lab.yaml': WORKLOADS } });
});

afterEach(() => tortie.end());

const TIER_A = 'tier.projectcalico.org/a';
const GREEN = 'networkpolicy.projectcalico.org/green';

/** Policy whose file has an error on its fourth line. */
const BROKEN = 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: broken}\nspec: {ordr: 1}\n';

function unplaced(object: Record<string, unknown>): object {
  const { namespace: _namespace, ...metadata } = object.metadata as Record<string, unknown>;
  return { ...object, metadata };
}

describe('tortie apply', () => {
  it('shows the objects in columns of its own', async () => {
    const file = tortie.file('a.yaml', tier('a', 1), tier('b', 2));
    const format = 'custom-columns=TIER:.metadata.name,ORDER:.spec.order';
    expect(await tortie.answer('apply', '-f', file, '-o', format)).toBe('TIER  ORDER\na     1\nb     2');
    const patched = await tortie.answer('patch', 'tier', 'a', '-p', 'spec: {order: 3}', '-o', format);
    expect(patched).toBe('TIER  ORDER\na     3');
  });

  it('creates, configures and leaves alone, and says which', async () => {
    const file = tortie.file('a.yaml', policy('green', [80]), tier('a', 1));
    expect(await tortie.answer('apply', '-f', file)).toBe(
      `${GREEN} created in namespace lab\n${TIER_A} created\nrevision 1`,
    );
    expect(await tortie.agent.verdictOf(80)).toBe('allow');
    expect(await tortie.answer('apply', '-f', file)).toBe(`${GREEN} unchanged in namespace lab\n${TIER_A} unchanged`);
    const changed = tortie.file('b.yaml', policy('green', [81]), tier('a', 1));
    expect(await tortie.answer('apply', '-f', changed)).toBe(
      `${GREEN} configured in namespace lab\n${TIER_A} unchanged\nrevision 2`,
    );
    expect(await tortie.agent.verdictOf(80)).toBe('deny');
  });

  it('reads several files, and directories with and without what is below them', async () => {
    tortie.file('dir/one.yaml', tier('one', 1));
    tortie.file('dir/below/two.json', tier('two', 2));
    tortie.file('dir/notes.txt', 'no manifest');
    const directory = join(tortie.agent.folder, 'files', 'dir');
    expect(await tortie.answer('apply', '-f', directory, '-o', 'name')).toBe('tier.projectcalico.org/one');
    const more = tortie.file('three.yaml', tier('three', 3));
    expect(await tortie.answer('apply', '-f', more, '-f', directory, '-R', '-o', 'name')).toBe(
      ['three', 'two', 'one'].map((name) => `tier.projectcalico.org/${name}`).join('\n'),
    );
  });

  it('puts objects in the namespace that is given, and refuses those of another', async () => {
    const file = tortie.file('a.yaml', unplaced(policy('web', [80])));
    expect(await tortie.answer('apply', '-f', file, '-n', 'shop')).toContain('created in namespace shop');
    expect(await tortie.answer('apply', '-f', file)).toContain('created in namespace default');
    const { code, output } = await tortie.run('apply', '-f', tortie.file('b.yaml', policy('web', [80])), '-n', 'shop');
    expect(code).toBe(1);
    expect(output).toContain(
      'b.yaml:1: read NetworkPolicy web: is of another namespace than --namespace: found lab, expected shop',
    );
  });

  it('applies only what the selector chooses', async () => {
    const file = tortie.file('a.yaml', tier('a', 1, { own: 'yes' }), tier('b', 1));
    expect(await tortie.answer('apply', '-f', file, '-l', 'own=yes', '-o', 'name')).toBe(TIER_A);
  });

  it('deletes by the same change what has the labels and is in no file', async () => {
    const shop = { app: 'shop' };
    await tortie.answer('apply', '-f', tortie.file('a.yaml', tier('a', 1, shop), tier('b', 1, shop), tier('c', 1)));
    const file = tortie.file('b.yaml', tier('a', 2, shop), tier('d', 1));
    const prune = ['apply', '-f', file, '--prune', '-l', 'app=shop'];
    const gone = 'tier.projectcalico.org "b" deleted';
    expect(await tortie.answer(...prune, '--dry-run')).toContain(`${gone} (server dry run)`);
    expect(tortie.agent.stored.store.revision).toBe(1);
    expect((await tortie.answer(...prune)).split('\n').sort()).toEqual(['revision 2', gone, `${TIER_A} configured`]);
    expect(await tortie.answer('get', 'tier', '-o', 'jsonpath={.items[*].metadata.name}')).toBe('a c');
  });

  it('says what is wrong with its line, and applies nothing', async () => {
    const { code, output } = await tortie.run('apply', '-f', tortie.file('a.yaml', tier('a', 1), BROKEN));
    expect(code).toBe(3);
    expect(output).toMatch(/^UNKNOWN_FIELD: .*a\.yaml:6: .*did you mean order\?/);
    expect(tortie.agent.stored.store.revision).toBe(0);
    const late = await tortie.run('apply', '-f', tortie.file('b.yaml', tier('a', 1), BROKEN), '--no-validate');
    expect(late.code).toBe(1);
    expect(late.output).toContain('did you mean order?');
  });

  it.each([
    ['--dry-run', 'created (server dry run)'],
    ['--dry-run=server', 'created (server dry run)'],
    ['--dry-run=client', 'read (client dry run)'],
  ])('changes nothing with %s', async (flag, says) => {
    expect(await tortie.answer('apply', '-f', tortie.file('a.yaml', tier('a', 1)), flag)).toBe(`${TIER_A} ${says}`);
    expect(tortie.agent.stored.store.revision).toBe(0);
  });

  it('can be undone until it is confirmed', async () => {
    const file = tortie.file('a.yaml', tier('a', 1));
    expect(await tortie.answer('apply', '-f', file, '--confirm', '60s')).toMatch(
      /^tier.projectcalico.org\/a created\nrevision 1\nundone at \S+Z unless: tortie confirm 1$/,
    );
    expect(await tortie.answer('confirm', '1')).toBe('revision 1 is confirmed');
    expect(tortie.agent.status().store?.pending).toBe(null);
  });

  it('refuses what a manifest file defines, and names the file', async () => {
    const [red = ''] = WORKLOADS.split('\n---\n');
    const { code, output } = await tortie.run('apply', '-f', tortie.file('red.json', red));
    expect(code).toBe(1);
    expect(output).toMatch(/^DEFINED_IN_FILE: .*lab\.yaml:1.*edit the file/);
  });

  it('writes to a directory of manifests without an agent', async () => {
    const directory = join(tortie.agent.folder, 'offline');
    mkdirSync(directory);
    const file = tortie.file('a.yaml', tier('a', 1));
    expect(await tortie.answer('apply', '-f', file, '--manifests', directory)).toBe(`${TIER_A} created`);
    expect(await tortie.answer('get', 'tier', '-o', 'name', '--manifests', directory)).toBe(TIER_A);
    expect(await tortie.answer('delete', 'tier', 'a', '--manifests', directory)).toBe(
      'tier.projectcalico.org "a" deleted',
    );
    expect(await tortie.answer('get', 'tier', '-o', 'name', '--manifests', directory)).toBe('');
    const { code, output } = await tortie.run('apply', '-f', file, '--manifests', directory, '--confirm', '5s');
    expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining('--confirm') });
  });

  it.each([
    { words: ['apply'], code: 2, says: 'name files with -f' },
    { words: ['apply', '-f', '/none.yaml'], code: 1, says: 'FILE_UNREADABLE: read /none.yaml: cannot be read: ENOENT' },
    { words: ['apply', '-f', '/dev/null'], code: 2, says: 'no objects' },
    { words: ['apply', '-f', '/dev/null', '--prune', '-l', 'a=b'], code: 2, says: 'no objects' },
    { words: ['apply', '-f', '/dev/null', '--prune'], code: 2, says: 'expected --selector LABELS' },
    { words: ['apply', '-f', '/dev/null', '--prune', '-l', ' '], code: 2, says: 'expected --selector LABELS' },
    { words: ['apply', '-f', '/dev/null', '--prune', '-l', 'a=b', '-n', 'x'], code: 2, says: 'in every namespace' },
    { words: ['apply', '-f', '/x', '--prune', '-l', 'a=b', '--dry-run=client'], code: 2, says: '--dry-run=server' },
    { words: ['apply', '-f', '/x', '--prune', '--manifests', '/x'], code: 2, says: 'found --prune' },
    {
      words: ['apply', '-f', '/dev/null', '--dry-run=maybe'],
      code: 2,
      says: 'Allowed choices are none, client, server',
    },
  ])('refuses `$words`', async ({ words, code, says }) => {
    const result = await tortie.run(...words);
    expect(result).toMatchObject({ code, output: expect.stringContaining(says) });
  });
});

describe('tortie create and tortie replace', () => {
  it('create what is not there, and replace what is', async () => {
    const file = tortie.file('a.yaml', tier('a', 1));
    expect(await tortie.answer('create', '-f', file)).toBe(`${TIER_A} created`);
    expect(await tortie.run('create', '-f', file)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^ALREADY_EXISTS: /),
    });
    expect(await tortie.answer('replace', '-f', tortie.file('b.yaml', tier('a', 2)))).toBe(`${TIER_A} replaced`);
    expect(await tortie.run('replace', '-f', tortie.file('c.yaml', tier('c', 2)))).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^NOT_FOUND: /),
    });
  });

  it('refuse another version than the one that is meant', async () => {
    await tortie.answer('create', '-f', tortie.file('a.yaml', tier('a', 1)));
    const old = await tortie.answer('get', 'tier', 'a', '-o', 'yaml');
    await tortie.answer('patch', 'tier', 'a', '-p', 'spec: {order: 2}');
    const { code, output } = await tortie.run('replace', '-f', tortie.file('old.yaml', old));
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/^CONFLICT: .*read it again/) });
  });

  it('go on after an object that is refused', async () => {
    await tortie.answer('create', '-f', tortie.file('a.yaml', tier('a', 1)));
    const { code, answer } = await tortie.run(
      'create',
      '-f',
      tortie.file('b.yaml', tier('a', 1), tier('b', 1)),
      '-o',
      'name',
    );
    expect({ code, answer }).toEqual({ code: 1, answer: 'tier.projectcalico.org/b\n' });
  });

  it('change nothing in a dry run, and confirm one object at a time', async () => {
    const file = tortie.file('a.yaml', tier('a', 1), tier('b', 1));
    expect(await tortie.answer('create', '-f', file, '--dry-run')).toContain('b created (server dry run)');
    expect(tortie.agent.stored.store.revision).toBe(0);
    expect((await tortie.run('create', '-f', file, '--confirm', '60s')).code).toBe(2);
  });
});

describe('tortie patch', () => {
  beforeEach(() => tortie.answer('create', '-f', tortie.file('a.yaml', tier('a', 1), policy('green', [80]))));

  const order = (): Promise<string> => tortie.answer('get', 'tier', 'a', '-o', 'jsonpath={.spec.order}');

  it('merges, operates and applies', async () => {
    expect(await tortie.answer('patch', 'tier', 'a', '-p', '{"spec":{"order":2}}')).toBe(`${TIER_A} patched`);
    expect(await order()).toBe('2');
    const operations = tortie.file('p.yaml', '- {op: replace, path: /spec/order, value: 3}');
    await tortie.answer('patch', 'tier/a', '--type', 'json', '--patch-file', operations);
    expect(await order()).toBe('3');
    await tortie.answer('patch', 'tier/c', '--type=apply', '-p', 'spec: {order: 7}');
    expect(await tortie.answer('get', 'tier', 'c', '-o', 'jsonpath={.spec.order}')).toBe('7');
    expect(
      await tortie.answer(
        'patch',
        'np',
        'green',
        '-n',
        'lab',
        '-p',
        'spec: {order: 9}',
        '-o',
        'jsonpath={.spec.order}',
      ),
    ).toBe('9');
  });

  it.each([
    { words: ['patch', 'tier', 'a'], code: 2, says: '--patch or --patch-file' },
    { words: ['patch', 'tier', '-p', '{}'], code: 2, says: 'KIND NAME or KIND/NAME' },
    { words: ['patch', 'tier', 'a', '-p', '[1]'], code: 2, says: 'is no merge patch' },
    { words: ['patch', 'tier', 'a', '-p', '{"spec"'], code: 2, says: 'is no merge patch' },
    { words: ['patch', 'tier', 'a', '--type=strategic', '-p', '{}'], code: 2, says: 'merge, json, apply' },
    { words: ['patch', 'tier', 'a', '-p', '{"spec":{"order":"x"}}'], code: 1, says: 'INVALID_FIELD: ' },
    { words: ['patch', 'tier', 'none', '-p', '{}'], code: 1, says: 'NOT_FOUND: ' },
    { words: ['patch', 'np', 'red-sends', '-n', 'lab', '-p', '{}'], code: 1, says: 'lab.yaml:5' },
  ])('refuses `$words`', async ({ words, code, says }) => {
    expect(await tortie.run(...words)).toMatchObject({ code, output: expect.stringContaining(says) });
    expect(await order()).toBe('1');
  });
});

describe('tortie label', () => {
  beforeEach(() => tortie.answer('create', '-f', tortie.file('a.yaml', tier('a', 1, { owner: 'ops' }), tier('b', 1))));

  const labels = (): Promise<string> => tortie.answer('get', 'tier', 'a', '-o', 'jsonpath={.metadata.labels}');

  it('sets labels, takes them away, and changes them only when told to', async () => {
    expect(await tortie.answer('label', 'tier', 'a', 'stage=test', 'example.com/x=y')).toBe(`${TIER_A} labeled`);
    expect(JSON.parse(await labels())).toEqual({ owner: 'ops', stage: 'test', 'example.com/x': 'y' });
    expect(await tortie.run('label', 'tier', 'a', 'owner=dev')).toMatchObject({
      code: 1,
      output: expect.stringContaining('owner: the label is there with another value: found ops'),
    });
    expect(await tortie.answer('label', 'tier/a', 'owner=dev', 'stage-', 'example.com/x-', '--overwrite')).toBe(
      `${TIER_A} labeled`,
    );
    expect(JSON.parse(await labels())).toEqual({ owner: 'dev' });
    expect(await tortie.answer('label', 'tier', 'a', 'owner=dev')).toBe(`${TIER_A} not labeled`);
    expect(await tortie.answer('label', 'tier', 'a', '--list')).toBe(`${TIER_A}:\n  owner=dev`);
  });

  it('labels all, or what other labels choose', async () => {
    expect(await tortie.answer('label', 'tier', '--all', 'seen=yes')).toBe(
      `${TIER_A} labeled\ntier.projectcalico.org/b labeled`,
    );
    expect(await tortie.answer('label', 'tier', '-l', 'owner=ops', 'seen-', '-o', 'name')).toBe(TIER_A);
  });

  it('labels one object that is to be confirmed, and none of several', async () => {
    const several = ['label', 'tier', 'a', 'b', 'seen=yes', '--confirm', '60s'];
    expect(await tortie.run(...several)).toMatchObject({
      code: 2,
      output: expect.stringContaining('label 2 objects: one change is confirmed at a time'),
    });
    expect(JSON.parse(await labels())).toEqual({ owner: 'ops' });
    expect(await tortie.answer('label', 'tier', 'a', 'seen=yes', '--confirm', '60s')).toBe(`${TIER_A} labeled`);
  });

  it.each([
    { words: ['label', 'tier', 'a'], code: 2, says: 'KEY=VALUE, KEY-, or --list' },
    { words: ['label', 'tier', 'x=y'], code: 2, says: '--selector, or --all' },
    { words: ['label', 'tier', 'a', 'bad key=y'], code: 1, says: 'INVALID_FIELD: ' },
    { words: ['label', 'wep', 'node1-k8s-red-eth0', '-n', 'lab', 'x=y'], code: 1, says: 'lab.yaml:1' },
  ])('refuses `$words`', async ({ words, code, says }) => {
    expect(await tortie.run(...words)).toMatchObject({ code, output: expect.stringContaining(says) });
  });
});

describe('tortie delete', () => {
  beforeEach(() =>
    tortie.answer(
      'apply',
      '-f',
      tortie.file(
        'a.yaml',
        tier('a', 1, { own: 'yes' }),
        tier('b', 1),
        policy('green', [80]),
        policy('web', [80], 'shop'),
      ),
    ),
  );

  const left = async (): Promise<string[]> =>
    (await tortie.answer('get', 'tier,np', '-A', '-o', 'name')).split('\n').map((name) => name.replace(/^.*\//, ''));

  it.each([
    { words: ['delete', 'tier', 'a', 'b'], remain: ['green', 'red-sends', 'web'] },
    { words: ['delete', 'tier/b', 'np/green', '-n', 'lab'], remain: ['a', 'red-sends', 'web'] },
    { words: ['delete', 'tier', '-l', 'own=yes'], remain: ['b', 'green', 'red-sends', 'web'] },
    { words: ['delete', 'tier', '--all'], remain: ['green', 'red-sends', 'web'] },
    { words: ['delete', 'np', '--all', '-n', 'shop'], remain: ['a', 'b', 'green', 'red-sends'] },
    { words: ['delete', 'np', '--all', '-n', 'none'], remain: ['a', 'b', 'green', 'red-sends', 'web'] },
    { words: ['delete', 'tier', 'none', '--ignore-not-found'], remain: ['a', 'b', 'green', 'red-sends', 'web'] },
    { words: ['delete', 'tier', 'a', '--dry-run'], remain: ['a', 'b', 'green', 'red-sends', 'web'] },
    { words: ['delete', 'tier', 'a', '--dry-run=client'], remain: ['a', 'b', 'green', 'red-sends', 'web'] },
  ])('`$words` leaves $remain', async ({ words, remain }) => {
    await tortie.answer(...words);
    expect(await left()).toEqual(remain);
  });

  it('deletes what files name, and says so', async () => {
    const file = tortie.file('gone.yaml', tier('b', 9), policy('web', [], 'shop'));
    expect(await tortie.answer('delete', '-f', file)).toBe(
      'tier.projectcalico.org "b" deleted\nnetworkpolicy.projectcalico.org "web" deleted from namespace shop',
    );
  });

  it('deletes one object that is to be confirmed, and none of several', async () => {
    expect(await tortie.run('delete', 'tier', 'a', 'b', '--confirm', '60s')).toMatchObject({
      code: 2,
      output: expect.stringContaining('delete 2 objects: one change is confirmed at a time'),
    });
    expect(await left()).toHaveLength(5);
    await tortie.answer('delete', 'tier', 'a', '--confirm', '60s');
    expect(await left()).toEqual(['b', 'green', 'red-sends', 'web']);
  });

  it('deletes what it can, and refuses what a manifest file defines', async () => {
    const { code, output } = await tortie.run('delete', 'np', '--all', '-n', 'lab');
    expect(code).toBe(1);
    expect(output).toMatch(/"green" deleted from namespace lab\nDEFINED_IN_FILE: .*lab\.yaml:5/);
  });

  it.each([
    ['delete'],
    ['delete', 'tier'],
    ['delete', 'all', '--all'],
    ['delete', 'tier', 'a', '--all'],
    ['delete', 'np', 'a', '-A'],
    ['delete', 'tier', 'a', '-f', '/dev/null'],
  ])('refuses a command line that does not say which: %s %s %s %s', async (...words) => {
    expect((await tortie.run(...words)).code).toBe(2);
    expect(await left()).toHaveLength(5);
  });
});

describe('any verb', () => {
  it('says that no agent answers', async () => {
    writeFileSync(join(tortie.agent.folder, 'x'), '');
    const { code, output } = await tortie.run('get', 'np', '--socket', join(tortie.agent.folder, 'none'));
    expect({ code, output }).toMatchObject({ code: 4, output: expect.stringMatching(/^AGENT_UNREACHABLE: /) });
  });
});
