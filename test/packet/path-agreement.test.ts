import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { isEqual } from '../../src/base/equal.ts';
import { openPathEngine } from '../../src/cli/path-engine.ts';
import { KernelPathEvaluator } from '../../src/kernel/path-evaluator.ts';
import type { HostInterface } from '../../src/model/host-interfaces.ts';
import type { PathFlow, PathVerdict } from '../../src/model/path.ts';
import { parsePathQuestion } from '../../src/model/path-question.ts';
import type { World } from '../../src/model/world.ts';
import { MIN_HEAP_WORDS } from '../../src/tables/compiler.ts';
import { worldFrom } from '../support/world-from.ts';
import { HOST_FLOWS, sizeOfRun } from '../support/worlds/agreement.ts';
import { expectPathAgreement, type PathJudge } from '../support/worlds/path-agreement.ts';
import { newSeed } from '../support/worlds/questions.ts';

/** Room for any generated world, all of which are small. */
const ROOM = { sizes: { heapWords: MIN_HEAP_WORDS, v6Nodes: 4096 }, endpoints: 128 };
const size = sizeOfRun(HOST_FLOWS);

let kernel: KernelPathEvaluator | undefined;
afterAll(() => kernel?.close());

/** Programs are loaded once: that takes longer than all the flows of a world. */
function open(world: World, interfaces: readonly HostInterface[]): PathJudge {
  const desired = desiredStateOf(world, '*');
  kernel?.load(desired, interfaces);
  const loaded = kernel ?? new KernelPathEvaluator(desired, interfaces, ROOM);
  kernel = loaded;
  return { evaluatePath: (question) => loaded.evaluatePath(question) };
}

/** Of all stages the programs tell the last in each direction; a denial by a list is always told. */
function isSame(expected: PathVerdict, found: PathVerdict): boolean {
  if (expected.verdict !== found.verdict) return false;
  const last = expected.stages.at(-1);
  const isTold = last === undefined || last.verdict !== 'deny' || last.stage === 'endpointToHost';
  if (!isTold && !found.stages.some((stage) => isEqual(stage, last))) return false;
  return found.stages.every((stage) => expected.stages.some((each) => isEqual(each, stage)));
}

/** Nothing that the loopback brings is forwarded, and nothing is forwarded to it. */
function isAsked({ path }: PathFlow): boolean {
  return path.kind !== 'forward' || (path.in !== 'lo' && path.out !== 'lo');
}

describe('loaded programs of the host', () => {
  it(`agree with the reference evaluator on ${size.flows} generated packets`, { timeout: size.timeoutMs }, () => {
    const subject = 'kernel == model, past interfaces';
    expectPathAgreement({ subject, seed: newSeed(subject), ...size, open, isAsked, isSame });
    expect(kernel).toBeDefined();
  });
});

it('are asked by the command as the other engines are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tortie-paths-'));
  const interfaces = join(directory, 'interfaces.json');
  writeFileSync(interfaces, '[{"name":"eth0"},{"name":"eth1"}]');
  const world = worldFrom(`
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: a}
spec: {node: n1, interfaceName: eth0}
`);
  const question = (name: string): PathFlow => {
    const words = { src: '198.51.100.7', dst: '192.0.2.1', protocol: 'TCP', dstPort: 80, hook: 'to-host', in: name };
    return parsePathQuestion(words).packet;
  };
  const engine = openPathEngine('kernel', world, 'n1', interfaces);
  try {
    expect(['eth0', 'eth1'].map((each) => engine.evaluatePath(question(each)).verdict)).toEqual(['deny', 'allow']);
    expect(() => engine.evaluatePath(question('eth7'))).toThrow(/no such interface/);
  } finally {
    engine.close();
    rmSync(directory, { recursive: true });
  }
});
