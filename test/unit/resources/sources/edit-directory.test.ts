import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../../src/resources/document.ts';
import type { Resource } from '../../../../src/resources/resource.ts';
import { readDirectory } from '../../../../src/resources/sources/directory.ts';
import { putDocument, removeDocument, splitStream } from '../../../../src/resources/sources/edit-directory.ts';

const tier = (name: string, order: unknown = 1): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tortie-edit-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const read = (path: string): string => readFileSync(join(directory, path), 'utf8');
const write = (path: string, text: string): void => writeFileSync(join(directory, path), text);

function inForce(name: string): Resource | undefined {
  return readDirectory(directory).objects.get(`Tier//${name}`);
}

/** As `tortie apply` does it. */
function apply(text: string): string {
  const [resource] = parseDocuments(text, 'input').resources;
  if (resource === undefined) throw new Error('refused');
  return putDocument(directory, resource, text, inForce(resource.name));
}

describe('putDocument', () => {
  it('writes a new object to a file of its own, then changes it there', () => {
    expect([apply(tier('a')), apply(tier('a')), apply(tier('a', 2))]).toEqual(['created', 'unchanged', 'configured']);
    expect(readdirSync(directory)).toEqual(['tier.a.yaml']);
    expect(read('tier.a.yaml')).toBe(tier('a', 2));
  });

  it('changes one document of a file and leaves the others, comments included', () => {
    write('all.yaml', `# first\n${tier('a')}---\n# second\n${tier('b')}`);
    apply(tier('b', 7));
    expect(read('all.yaml')).toBe(`# first\n${tier('a')}---\n${tier('b', 7)}`);
  });

  it('keeps what else is in a file that has the name of the new one', () => {
    write('tier.a.yaml', tier('other'));
    expect(apply(tier('a'))).toBe('created');
    expect(read('tier.a.yaml')).toBe(`${tier('other')}---\n${tier('a')}`);
  });

  it('takes the place of a version that was refused', () => {
    write('tier.a.yaml', `${tier('a', 'high')}---\n${tier('other')}`);
    expect(apply(tier('a', 3))).toBe('created');
    expect(read('tier.a.yaml')).toBe(`${tier('a', 3)}---\n${tier('other')}`);
  });
});

describe('removeDocument', () => {
  it('takes one document out, and the file away with the last', () => {
    write('all.yaml', `${tier('a')}---\n${tier('b')}`);
    removeDocument(directory, inForce('a') as Resource);
    expect(read('all.yaml')).toBe(tier('b'));
    removeDocument(directory, inForce('b') as Resource);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses a member of a List, and leaves the file as it is', () => {
    const items = ['a', 'b'].map((name) => ({ apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name } }));
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    write('list.json', list);
    expect(() => removeDocument(directory, inForce('a') as Resource)).toThrow(/it is part of a List/);
    expect(read('list.json')).toBe(list);
  });
});

describe('splitStream', () => {
  it('gives each document and each member of a List', () => {
    const list = '{"kind": "List", "apiVersion": "v1", "items": [{"a": 1}, {"b": 2}]}';
    expect(splitStream(`# note\na: 1\n---\n---\n${list}\n`)).toEqual([
      '# note\na: 1\n',
      '{\n  "a": 1\n}',
      '{\n  "b": 2\n}',
    ]);
  });
});
