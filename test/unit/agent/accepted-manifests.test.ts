import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcceptedManifests } from '../../../src/agent/accepted-manifests.ts';
import { Logger } from '../../../src/base/log.ts';
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

/** What an agent that starts now has in force. */
function start(): DirectoryWatch {
  const options = { stateDirectory: join(folder, 'state'), manifests: join(folder, 'manifests') };
  const memory = new AcceptedManifests(options, log);
  return watchDirectory(options.manifests, () => undefined, { memory, vanishedMs: 0, truncatedMs: 0 });
}

function startAndStop(): string[] {
  const watch = start();
  const names = [...watch.snapshot.objects.keys()];
  watch.close();
  return names;
}

describe('AcceptedManifests', () => {
  it('keep in force what a file said before it broke, across a restart', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    startAndStop();
    writeFileSync(join(folder, 'manifests/a.yaml'), BROKEN);
    const watch = start();
    expect([...watch.snapshot.objects.keys()]).toEqual(['Tier//a']);
    expect(watch.snapshot.errors).toHaveLength(1);
    watch.close();
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

  it('survive a half-written memory', () => {
    writeFileSync(join(folder, 'manifests/a.yaml'), tier('a', 1));
    startAndStop();
    writeFileSync(join(folder, 'state/accepted/torn.json'), '{"path":');
    expect(startAndStop()).toEqual(['Tier//a']);
  });
});
