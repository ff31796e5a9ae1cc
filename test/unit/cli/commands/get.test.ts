import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

let tortie: AgentCommands;

beforeAll(async () => {
  tortie = await AgentCommands.start({ manifests: { 'lab.yaml': WORKLOADS } });
  const objects = [
    policy('green', [80, 81]),
    policy('web', [443], 'shop'),
    tier('a', 1, { owner: 'ops' }),
    tier('b', 2),
  ];
  await tortie.answer('apply', '-f', tortie.file('all.yaml', ...objects));
});

afterAll(() => tortie.end());

/** Cells of each line of a table; how old objects are is left out. */
function cells(table: string): string[][] {
  return table.split('\n').map((line) => line.split(/ {2,}/).map((cell) => cell.replace(/^\d+s$/, 'AGO')));
}

describe('tortie get', () => {
  it('shows objects of one namespace in columns of their kind, with where they are defined', async () => {
    expect(cells(await tortie.answer('get', 'np', '-n', 'lab'))).toEqual([
      ['NAME', 'TIER', 'ORDER', 'TYPES', 'RULES', 'AGE', 'SOURCE'],
      ['green', 'default', '<none>', 'Ingress', '1/0', 'AGO', 'store'],
      ['red-sends', 'default', '<none>', 'Egress', '0/1', '<unknown>', 'lab.yaml:5'],
    ]);
  });

  it('shows those of every namespace, with more columns when asked', async () => {
    const rows = cells(await tortie.answer('get', 'networkpolicies', '-A', '-o', 'wide'));
    expect(rows[0]).toEqual(['NAMESPACE', 'NAME', 'TIER', 'ORDER', 'TYPES', 'RULES', 'SELECTOR', 'AGE', 'SOURCE']);
    expect(rows.slice(1).map(([namespace, name]) => `${namespace}/${name}`)).toEqual([
      'lab/green',
      'lab/red-sends',
      'shop/web',
    ]);
  });

  it('shows workload endpoints as calicoctl does', async () => {
    const [header, first] = cells(await tortie.answer('get', 'wep', '-n', 'lab'));
    expect(header).toEqual(['NAME', 'WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE', 'AGE', 'SOURCE']);
    expect(first).toEqual([
      'node1-k8s-green-eth0',
      'green',
      'node1',
      '10.66.0.2/32',
      '<none>',
      '<unknown>',
      'lab.yaml:3',
    ]);
  });

  it.each([
    { words: ['get', 'tier', '-o', 'name'], says: 'tier.projectcalico.org/a\ntier.projectcalico.org/b' },
    { words: ['get', 'tier', '-l', 'owner=ops', '-o=name'], says: 'tier.projectcalico.org/a' },
    {
      words: ['get', 'tier/b', 'np/red-sends', '-n', 'lab', '-o', 'name'],
      says: 'tier.projectcalico.org/b\nnetworkpolicy.projectcalico.org/red-sends',
    },
    { words: ['get', 'tier.projectcalico.org/a', '-o', 'name'], says: 'tier.projectcalico.org/a' },
    { words: ['get', 'tiers', 'a', 'b', '-o', 'jsonpath={.items[*].spec.order}'], says: '1 2' },
    { words: ['get', 'tier', 'a', '-o', 'jsonpath={.metadata.labels.owner}'], says: 'ops' },
    { words: ['get', 'tier', '--field-selector', 'metadata.name=b', '-o', 'name'], says: 'tier.projectcalico.org/b' },
    { words: ['get', 'tier', 'none', '--ignore-not-found'], says: '' },
    { words: ['get', 'gnp', '-o', 'name'], says: '' },
    {
      words: ['get', 'tier,np', '-n', 'lab', '-o', 'custom-columns=NAME:.metadata.name,ORDER:.spec.order'],
      says: 'NAME       ORDER\na          1\nb          2\ngreen      <none>\nred-sends  <none>',
    },
    {
      words: ['get', 'tier', 'a', '-o', 'custom-columns=O:.metadata.labels.owner', '--no-headers'],
      says: 'ops',
    },
    { words: ['get', 'gnp', '-o', 'custom-columns=NAME:.metadata.name'], says: '' },
    {
      words: ['get', 'np,tier', '-n', 'lab', '--sort-by=.metadata.name', '-o', 'jsonpath={.items[*].metadata.name}'],
      says: 'a b green red-sends',
    },
    {
      words: ['get', 'np,tier', '-n', 'lab', '--sort-by', '{.spec.order}', '-o', 'name'],
      says: [
        'networkpolicy.projectcalico.org/green',
        'networkpolicy.projectcalico.org/red-sends',
        'tier.projectcalico.org/a',
        'tier.projectcalico.org/b',
      ].join('\n'),
    },
    { words: ['get', 'gnp', '--sort-by=.metadata.name', '-o', 'name'], says: '' },
    {
      words: ['-n', 'lab', 'get', 'np', 'red-sends', '-o', 'name'],
      says: 'networkpolicy.projectcalico.org/red-sends',
    },
    { words: ['-nshop', 'get', 'np', '-o', 'name'], says: 'networkpolicy.projectcalico.org/web' },
    { words: ['--namespace=shop', 'get', 'np', '-n', 'none', '-o', 'name'], says: '' },
  ])('answers `$words`', async ({ words, says }) => {
    expect(await tortie.answer(...words)).toBe(says);
  });

  it('shows several kinds in a table each, with kinds in their names', async () => {
    const text = await tortie.answer('get', 'tier,np', '-n', 'shop', '--show-labels');
    expect(text).toContain('tier.projectcalico.org/a');
    expect(text).toMatch(/LABELS\n.* owner=ops\n.* <none>\n\nNAME[\s\S]*networkpolicy.projectcalico.org\/web/);
  });

  it('sorts the table of each kind, also where only objects of another kind have the field', async () => {
    const names = async (...words: string[]): Promise<string[]> =>
      cells(await tortie.answer('get', ...words)).map(([name = '']) => name.replace(/^.*\//, ''));
    expect(await names('tier,np', '-n', 'lab', '--sort-by=.spec.types[0]')).toEqual([
      ...['NAME', 'a', 'b', ''],
      ...['NAME', 'red-sends', 'green'],
    ]);
    expect(await names('tier,np', '-n', 'shop', '--sort-by=.metadata.labels.owner')).toEqual([
      ...['NAME', 'b', 'a', ''],
      ...['NAME', 'web'],
    ]);
  });

  it('gives one object or a list as data', async () => {
    expect(JSON.parse(await tortie.answer('get', 'tier', 'a', '-o', 'json'))).toMatchObject({
      kind: 'Tier',
      metadata: { name: 'a', resourceVersion: '1' },
    });
    expect(JSON.parse(await tortie.answer('get', 'tier', '-o', 'json'))).toMatchObject({
      kind: 'List',
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    });
    expect(await tortie.answer('get', 'tier', 'a', '-o', 'yaml')).toMatch(
      /^apiVersion: projectcalico.org\/v3\nkind: Tier\n/,
    );
    expect(JSON.parse(await tortie.answer('get', 'gnp', '-o', 'json'))).toMatchObject({ kind: 'List', items: [] });
  });

  it('shows the objects that files name', async () => {
    const file = tortie.file('named.yaml', tier('b', 9), policy('green', []));
    expect(await tortie.answer('get', '-f', file, '-o', 'name')).toBe(
      'tier.projectcalico.org/b\nnetworkpolicy.projectcalico.org/green',
    );
  });

  it('goes on after a name that is not there, and fails', async () => {
    const { code, answer, output } = await tortie.run('get', 'tier', 'none', 'a', '-o', 'name');
    expect({ code, answer }).toEqual({ code: 1, answer: 'tier.projectcalico.org/a\n' });
    expect(output).toContain('NOT_FOUND: ');
  });

  it('says so when there is nothing', async () => {
    expect((await tortie.run('get', 'np')).output).toBe('No resources found in default namespace.\n');
    expect((await tortie.run('get', 'gnp', '-A')).output).toBe('No resources found\n');
  });

  it.each([
    { words: ['get', 'teir'], code: 1, says: 'did you mean tier?' },
    { words: ['get', 'globalnetworkpolcy'], code: 1, says: 'did you mean globalnetworkpolicy?' },
    { words: ['get', 'np', 'a', '-A'], code: 2, says: '--namespace NAME' },
    { words: ['get', 'np/a', 'b'], code: 2, says: 'KIND/NAME' },
    { words: ['get', 'np', '-o', 'frob'], code: 2, says: 'jsonpath=TEMPLATE' },
    { words: ['get', 'np', '-o', 'jsonpath={.a'], code: 2, says: 'found the end' },
    { words: ['get', 'np', '-o', 'custom-columns=NAME'], code: 2, says: 'TITLE:PATH' },
    { words: ['get', 'tier', '--sort-by=.spec.none'], code: 2, says: 'no object has such a field' },
    { words: ['get', 'np', '-l', 'a in b'], code: 1, says: 'labelSelector' },
  ])('refuses `$words`', async ({ words, code, says }) => {
    const result = await tortie.run(...words);
    expect(result.code).toBe(code);
    expect(result.output).toContain(says);
  });

  it('reads a directory of manifests without an agent', async () => {
    const directory = join(tortie.agent.folder, 'offline');
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'tiers.yaml'),
      [tier('x', 1, { a: 'b' }), tier('y', 2)].map((one) => JSON.stringify(one)).join('\n---\n'),
    );
    expect(cells(await tortie.answer('get', 'tier', '--manifests', directory, '-l', 'a=b')).slice(1)).toEqual([
      ['x', '1', '<none>', '<unknown>', 'tiers.yaml:1'],
    ]);
  });
});
