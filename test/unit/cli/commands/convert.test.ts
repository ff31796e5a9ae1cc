import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../../support/run-command.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-convert-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function file(...objects: object[]): string {
  const path = join(folder, `${objects.length}-${Math.trunc(performance.now() * 1000)}.yaml`);
  writeFileSync(path, objects.map((one) => JSON.stringify(one)).join('\n---\n'));
  return path;
}

const STORED = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'Tier',
  metadata: {
    name: 'a',
    uid: 'x',
    resourceVersion: '5',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 2,
    managedFields: [],
    annotations: { 'projectcalico.org/metadata': '{}' },
    labels: { b: 'c' },
  },
  spec: { order: 1 },
};

describe('tortie convert', () => {
  it('writes objects as a database has them as people write them', async () => {
    const { code, answer } = await runCommand(['convert', '-f', file(STORED)]);
    expect({ code, answer }).toEqual({
      code: 0,
      answer:
        '---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata:\n  name: a\n  labels:\n    b: c\nspec:\n  order: 1\n',
    });
  });

  it.each([
    ['policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'policy.networking.k8s.io/v1beta1'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'networking.k8s.io/v1'],
    ['v1', 'Pod', 'v1'],
  ])('writes %s %s as %s', async (apiVersion, kind, wanted) => {
    const { answer } = await runCommand([
      'convert',
      '-o',
      'json',
      '-f',
      file({ apiVersion, kind, metadata: { name: 'a' } }),
    ]);
    expect(JSON.parse(answer)).toMatchObject({ apiVersion: wanted, kind });
  });

  it('writes the version that is asked for, and several objects as a list', async () => {
    const words = ['convert', '-o', 'json', '--output-version', 'crd.projectcalico.org/v1'];
    const v3 = { ...STORED, apiVersion: 'projectcalico.org/v3' };
    const { answer } = await runCommand([...words, '-f', file(v3, v3)]);
    expect(JSON.parse(answer)).toMatchObject({ kind: 'List', items: [{ apiVersion: STORED.apiVersion }, {}] });
  });

  it.each([
    [{ apiVersion: 'v1', kind: 'policy' }, [], 'UNKNOWN_KIND: '],
    [STORED, ['--output-version', 'v9'], 'found v9, expected projectcalico.org/v3 or crd.projectcalico.org/v1'],
  ])('refuses %j %j', async (object, words, says) => {
    const { code, output } = await runCommand(['convert', '-f', file(object), ...words]);
    expect(code).toBe(1);
    expect(output).toContain(says);
  });
});
