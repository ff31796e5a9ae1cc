// The examples of examples/hosts: each is valid, lints clean, and says of every packet what it promises, in both engines.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lintManifests } from '../../../src/analysis/lint/lint.ts';
import { readInterfaceFile } from '../../../src/cli/host-interfaces.ts';
import { readManifestPaths } from '../../../src/cli/manifest-paths.ts';
import { openPathEngine } from '../../../src/cli/path-engine.ts';
import { buildWorld } from '../../../src/model/build-world.ts';
import { parsePathQuestion } from '../../../src/model/path-question.ts';

const FOLDER = 'examples/hosts';
const EXAMPLES = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
);
const HOOKS = ['to-host', 'from-host'];

interface Asked {
  readonly id: string;
  readonly expect: 'allow' | 'deny';
  readonly hook: string;
}

function load(name: string) {
  const folder = join(FOLDER, name);
  const snapshot = readManifestPaths([join(folder, 'manifests')]);
  const { world, errors } = buildWorld(snapshot.objects.values());
  const interfaces = join(folder, 'interfaces.json');
  const lines = readFileSync(join(folder, 'questions.jsonl'), 'utf8').trim().split('\n');
  const [endpoint] = world.hostEndpoints.values();
  return {
    resources: [...snapshot.objects.values()],
    errors: [...snapshot.errors, ...errors],
    world,
    node: endpoint?.node ?? '',
    interfaces,
    questions: lines.map((line) => JSON.parse(line) as Asked),
  };
}

describe.each(EXAMPLES)('the example %s', (name) => {
  const { resources, errors, world, node, interfaces, questions } = load(name);

  it('is valid and lints clean', () => {
    expect(errors.map(String)).toEqual([]);
    const { findings } = lintManifests(resources, [], { node, interfaces: readInterfaceFile(interfaces) });
    expect(findings.map(({ rule, object, message }) => `${object}: ${message} (${rule})`)).toEqual([]);
  });

  it.each(['model', 'tables'] as const)('judges every packet as it says, by the engine %s', (engine) => {
    const asked = openPathEngine(engine, world, node, interfaces);
    const found = questions.map(
      (question) => `${question.id}: ${asked.evaluatePath(parsePathQuestion(question).packet).verdict}`,
    );
    expect(found).toEqual(questions.map(({ id, expect: verdict }) => `${id}: ${verdict}`));
  });

  it('asks at least about what the host takes and sends, allowed and denied', () => {
    for (const hook of HOOKS) expect(questions.map((question) => question.hook)).toContain(hook);
    expect(new Set(questions.map(({ expect: verdict }) => verdict))).toEqual(new Set(['allow', 'deny']));
  });
});
