import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcceptedManifests, digestOfFiles, digestOfText } from '../../../src/agent/accepted-manifests.ts';
import type { DataplaneError } from '../../../src/base/errors.ts';
import { Logger } from '../../../src/base/log.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { type DirectoryWatch, watchDirectory } from '../../../src/resources/sources/directory.ts';

const log = new Logger({ level: 'error', write: () => undefined });
const tier = (name: string, order: number): string =>
  `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;
const BROKEN = 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a\nspec: [and more text than before\n';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-accepted-'));
  mkdirSync(join(folder, 'manifests'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What an agent that starts now has in force, and how often it had to parse something. */
function start(): { readonly watch: DirectoryWatch; readonly memory: AcceptedManifests; readonly checked: string[] } {
  const options = { stateDirectory: join(folder, 'state'), manifests: join(folder, 'manifests') };
  const memory = new AcceptedManifests(options, log);
  const checked: string[] = [];
  const check = ({ id }: Resource): readonly DataplaneError[] => {
    checked.push(id);
    return [];
  };
  const watch = watchDirectory(options.manifests, () => undefined, { memory, check, vanishedMs: 0, truncatedMs: 0 });
  return { watch, memory, checked };
}

function startAndStop(): string[] {
  const { watch, memory } = start();
  const names = [...watch.snapshot.objects.keys()];
  watch.close();
  memory.close();
  return names;
}

/** What the next start has to check, because it does not take an earlier agent's word for it. */
function checkedAtStart(): string[] {
  const { watch, memory, checked } = start();
  watch.close();
  memory.close();
  return checked;
}

function digestNow(): string {
  const { watch, memory } = start();
  const digest = memory.digest();
  watch.close();
  memory.close();
  return digest;
}

const store = (): string => join(folder, 'state/accepted/manifests.log');

describe('AcceptedManifests', () => {
  it('keep in force what a file said before it broke, across a restart', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    startAndStop();
    writeFileSync(join(folder, 'manifests/a.yaml'), BROKEN);
    const { watch, memory } = start();
    expect([...watch.snapshot.objects.keys()]).toEqual(['Tier//a']);
    expect(watch.snapshot.errors).toHaveLength(1);
    watch.close();
    memory.close();
  });

  it('do not bring back what was deleted meanwhile', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    startAndStop();
    unlinkSync(join(folder, 'manifests/a.yaml'));
    expect(startAndStop()).toEqual([]);
  });

  it('have nothing for a file that was broken from the beginning', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), BROKEN);
    expect(startAndStop()).toEqual([]);
  });

  it('spare the next start what has not changed, and nothing else', () => {
    for (const name of ['a', 'b']) writeFileSync(join(folder, `manifests/${name}.yaml`), tier(name, 1));
    expect(checkedAtStart()).toEqual(['Tier//a', 'Tier//b']);
    expect(checkedAtStart()).toEqual([]);
    writeFileSync(join(folder, 'manifests/b.yaml'), tier('b', 2));
    expect(checkedAtStart()).toEqual(['Tier//b']);
  });

  it('have the same objects again, with the same lines', () => {
    const list = `kind: List\napiVersion: v1\nitems:\n- ${tier('x', 7).trim().replaceAll('\n', '\n  ')}\n`;
    writeFileSync(join(folder, 'manifests/a.yaml'), `${tier('a', 1)}---\n${tier('b', 2)}---\n${list}`);
    const first = start();
    first.memory.close();
    first.watch.close();
    const second = start();
    const [before, after] = [first, second].map(({ watch }) =>
      [...watch.snapshot.objects.values()].map((resource) => ({
        ...JSON.parse(JSON.stringify(resource)),
        orderLine: resource.lineOf(['spec', 'order']),
      })),
    );
    expect(second.checked).toEqual([]);
    expect(after).toHaveLength(3);
    expect(after).toEqual(before);
    second.watch.close();
    second.memory.close();
  });

  it('are not believed in the words of other code', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    startAndStop();
    const bytes = readFileSync(store());
    const body = bytes.indexOf('\n') + 1;
    // Another fingerprint under a right checksum.
    const fingerprint = body + 20 + 4 + 'a.yaml'.length + 4;
    bytes.writeUInt8(bytes.readUInt8(fingerprint) ^ 1, fingerprint);
    createHash('sha256')
      .update(bytes.subarray(body + 20))
      .digest()
      .copy(bytes, body + 4, 0, 16);
    writeFileSync(store(), bytes);
    expect(checkedAtStart()).toEqual(['Tier//a']);
    expect(checkedAtStart()).toEqual([]);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -3)],
    ['damaged', (bytes: Buffer) => Buffer.from(bytes).fill(0x41, bytes.length - 40, bytes.length - 20)],
    ['of another kind', () => Buffer.from('{"path":')],
    ['empty', () => Buffer.alloc(0)],
  ])('are checked again where the store is %s', (_name, damage) => {
    for (const name of ['a', 'b']) writeFileSync(join(folder, `manifests/${name}.yaml`), tier(name, 1));
    startAndStop();
    writeFileSync(store(), damage(readFileSync(store())));
    expect(checkedAtStart()).toContain('Tier//b');
    expect(checkedAtStart()).toEqual([]);
    expect(startAndStop()).toEqual(['Tier//a', 'Tier//b']);
  });

  it('of one directory are nothing to another', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    startAndStop();
    const other = { stateDirectory: join(folder, 'state'), manifests: join(folder, 'elsewhere') };
    const memory = new AcceptedManifests(other, log);
    expect(memory.recall().size).toBe(0);
    memory.close();
  });

  it('have one digest for the texts in force, before a restart and after it', () => {
    writeFileSync(join(folder, 'manifests/b.yaml'), tier('b', 2));
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    const digest = digestNow();
    expect(digestNow()).toBe(digest);
    const texts = { 'a.yaml': tier('a', 1), 'b.yaml': tier('b', 2) };
    const digests = Object.entries(texts).map(([path, text]): [string, string] => [path, digestOfText(text)]);
    expect(digest).toBe(digestOfFiles(new Map(digests)));
  });

  it.each([
    { what: 'a text is another', path: 'a.yaml', text: tier('a', 9) },
    { what: 'there is a file more', path: 'c.yaml', text: tier('c', 3) },
    { what: 'a file says nothing', path: 'c.yaml', text: '# nothing\n' },
  ])('have another digest when $what', ({ path, text }) => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    const digest = digestNow();
    writeFileSync(join(folder, 'manifests', path), text);
    expect(digestNow()).not.toBe(digest);
  });

  it('keep the digest of the last good text of a file that breaks, and none of one that is gone', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    const digest = digestNow();
    writeFileSync(join(folder, 'manifests/a.yaml'), BROKEN);
    expect(digestNow()).toBe(digest);
    unlinkSync(join(folder, 'manifests/a.yaml'));
    expect(digestNow()).toBe(digestOfFiles(new Map()));
  });

  it('count what they are told', () => {
    const { watch, memory } = start();
    const before = memory.revision;
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    watch.rescan();
    expect(memory.revision).toBeGreaterThan(before);
    watch.close();
    memory.close();
  });
});
