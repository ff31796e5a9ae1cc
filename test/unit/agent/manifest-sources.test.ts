import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGitTree } from '../../../src/agent/git-tree.ts';
import { ManifestReader, parseManifestSource, promoteStaged } from '../../../src/agent/manifest-sources.ts';
import type { DataplaneError } from '../../../src/base/errors.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import { mergeFiles, type ResourceSnapshot } from '../../../src/resources/sources/snapshot.ts';

const tier = (name: string, order = 1): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-sources-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  const full = join(folder, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, text);
}

function git(...parameters: string[]): void {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=main'];
  execFileSync('git', [...identity, ...parameters], {
    cwd: folder,
    stdio: 'pipe',
    env: { ...process.env, HOME: folder },
  });
}

function commit(): void {
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'manifests');
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as DataplaneError).code;
  }
  return 'nothing thrown';
}

describe('parseManifestSource', () => {
  it.each([
    ['live', { kind: 'live' }],
    ['./live', { kind: 'directory', path: './live' }],
    ['policy', { kind: 'directory', path: 'policy' }],
    ['HEAD:policy', { kind: 'revision', revision: 'HEAD', path: 'policy' }],
    ['HEAD~2:./a:b', { kind: 'revision', revision: 'HEAD~2', path: './a:b' }],
    ['v1.0:', { kind: 'revision', revision: 'v1.0', path: '' }],
  ])('reads %s', (text, expected) => {
    expect(parseManifestSource(text)).toEqual(expected);
  });

  it('takes a directory that is there for a directory, whatever its name', () => {
    mkdirSync(join(folder, 'HEAD:policy'));
    expect(parseManifestSource(join(folder, 'HEAD:policy'))).toMatchObject({ kind: 'directory' });
  });

  it.each(['--upload-pack=x:y', ':policy'])('refuses %s', (text) => {
    expect(codeOf(() => parseManifestSource(text))).toBe('USAGE');
  });
});

describe('ManifestReader', () => {
  it('reads from a revision what it reads from the directory that was committed', () => {
    write('policy/a.yaml', `${tier('a')}---\n${tier('b')}`);
    write('policy/deep/c d.yml', tier('c'));
    write(
      'policy/e.json',
      JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name: 'e' } }),
    );
    write('policy/.hidden.yaml', tier('hidden'));
    write('policy/.git-like/x.yaml', tier('hidden'));
    write('policy/#backup.yaml', tier('backup'));
    write('policy/notes.txt', 'no manifest');
    write('other/z.yaml', tier('z'));
    commit();
    const tree = readGitTree('HEAD', 'policy', folder);
    const fromTree = mergeFiles(
      tree.files.map(({ path, text }) => parseDocuments(text, path)),
      tree.errors,
    );
    const fromDirectory = new ManifestReader().read({ kind: 'directory', path: join(folder, 'policy') });
    const plain = ({ objects, errors }: ResourceSnapshot): unknown => [JSON.stringify([...objects]), errors];
    expect([...fromTree.objects.keys()]).toEqual(['Tier//a', 'Tier//b', 'Tier//c', 'Tier//e']);
    expect(plain(fromTree)).toEqual(plain(fromDirectory));
  });

  it('reads older revisions as they were', () => {
    write('a.yaml', tier('a', 1));
    commit();
    write('a.yaml', tier('a', 2));
    commit();
    const text = (revision: string): string | undefined => readGitTree(revision, '', folder).files[0]?.text;
    expect([text('HEAD~1'), text('HEAD')]).toEqual([tier('a', 1), tier('a', 2)]);
  });

  it('parses equal files of two directories once', () => {
    write('one/a.yaml', tier('a'));
    write('two/a.yaml', tier('a'));
    const reader = new ManifestReader();
    const [one, two] = ['one', 'two'].map((name) => reader.read({ kind: 'directory', path: join(folder, name) }));
    expect(two?.objects.get('Tier//a')).toBe(one?.objects.get('Tier//a'));
  });

  it('keeps the objects of documents that two versions of a file share', () => {
    write('one/a.yaml', `${tier('a')}---\n${tier('b')}`);
    write('two/a.yaml', `${tier('a')}---\n${tier('b', 2)}`);
    const reader = new ManifestReader();
    const [one, two] = ['one', 'two'].map((name) => reader.read({ kind: 'directory', path: join(folder, name) }));
    expect(two?.objects.get('Tier//a')).toBe(one?.objects.get('Tier//a'));
    expect(two?.objects.get('Tier//b')?.spec).toEqual({ order: 2 });
  });

  it('says of each version of a file what is wrong with it', () => {
    write('one/a.yaml', `${tier('a')}---\n${tier('B_')}`);
    write('two/a.yaml', `${tier('a')}---\n${tier('C_')}`);
    const reader = new ManifestReader();
    const targets = ['one', 'two'].map((name) => {
      const { errors } = reader.read({ kind: 'directory', path: join(folder, name) });
      return errors.map(({ target }) => target);
    });
    expect(targets).toEqual([['tier B_'], ['tier C_']]);
  });

  it('names what of a revision cannot be read', () => {
    write('a.yaml', tier('a'));
    writeFileSync(join(folder, 'latin.yaml'), Buffer.from([0x6b, 0xe9, 0x0a]));
    symlinkSync('a.yaml', join(folder, 'link.yaml'));
    commit();
    const { files, errors } = readGitTree('HEAD', '', folder);
    expect(files.map(({ path }) => path)).toEqual(['a.yaml']);
    expect(errors.map(({ code, file }) => `${code} ${file}`).sort()).toEqual([
      'FILE_UNREADABLE link.yaml',
      'YAML_SYNTAX latin.yaml',
    ]);
  });

  it('says which of revision, path and repository is missing', () => {
    expect(codeOf(() => readGitTree('HEAD', '', folder))).toBe('NOT_FOUND');
    write('a.yaml', tier('a'));
    commit();
    expect(() => readGitTree('nosuch', '', folder)).toThrow('no such revision');
    expect(() => readGitTree('HEAD', 'nosuch', folder)).toThrow('no such path');
    expect(() => readGitTree('HEAD', 'a.yaml', folder)).toThrow('is not a directory');
    expect(codeOf(() => readGitTree('--help', '', folder))).toBe('USAGE');
    expect(codeOf(() => new ManifestReader().read({ kind: 'directory', path: join(folder, 'nosuch') }))).toBe(
      'FILE_UNREADABLE',
    );
  });
});

describe('promoteStaged', () => {
  const policy = (kind: string, name: string, spec: string): string =>
    `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: {name: ${name}${kind.includes('Global') ? '' : ', namespace: shop'}}\nspec: ${spec}\n`;
  const promoted = (...documents: string[]): string[] => {
    const snapshot = promoteStaged(mergeFiles([parseDocuments(documents.join('---\n'), 'a.yaml')], []));
    return [...snapshot.objects.values()].map(
      ({ id, kind, apiVersion, spec }) => `${id} ${kind} ${apiVersion} ${JSON.stringify(spec)}`,
    );
  };

  it.each([
    [
      'creates',
      [policy('StagedGlobalNetworkPolicy', 'a', '{order: 1, stagedAction: Set}')],
      ['GlobalNetworkPolicy//a GlobalNetworkPolicy projectcalico.org/v3 {"order":1}'],
    ],
    [
      'replaces',
      [
        policy('NetworkPolicy', 'a', '{order: 1}'),
        policy('StagedNetworkPolicy', 'a', '{order: 2, stagedAction: Learn}'),
      ],
      ['NetworkPolicy/shop/a NetworkPolicy projectcalico.org/v3 {"order":2}'],
    ],
    [
      'takes no action for Set',
      [policy('StagedNetworkPolicy', 'a', '{order: 3}')],
      ['NetworkPolicy/shop/a NetworkPolicy projectcalico.org/v3 {"order":3}'],
    ],
    [
      'deletes',
      [policy('NetworkPolicy', 'a', '{order: 1}'), policy('StagedNetworkPolicy', 'a', '{stagedAction: Delete}')],
      [],
    ],
    [
      'leaves namesakes of other kinds',
      [policy('GlobalNetworkPolicy', 'a', '{order: 1}'), policy('StagedNetworkPolicy', 'a', '{stagedAction: Delete}')],
      ['GlobalNetworkPolicy//a GlobalNetworkPolicy projectcalico.org/v3 {"order":1}'],
    ],
    [
      'knows Kubernetes policies',
      [policy('StagedKubernetesNetworkPolicy', 'a', '{podSelector: {}, stagedAction: Ignore}')],
      ['KubernetesNetworkPolicy/shop/a NetworkPolicy networking.k8s.io/v1 {"podSelector":{}}'],
    ],
  ])('%s', (_, documents, expected) => {
    expect(promoted(...documents)).toEqual(expected);
  });
});
