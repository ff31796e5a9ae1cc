// Agents and commands of different minor versions, as real programs: one apart they understand each other, with a warning and with
// whatever one of them has no word for left out; two apart nothing is asked, and it is said why.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/agent/version.ts';
import type { CommandOutput } from '../../src/bench/command.ts';
import { type Agent, socketPath } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { programCommand, tortieCommand } from '../../tools/lab/project.ts';
import { leaveOut, SkewedApi } from '../support/agent/skewed-api.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { makeSkewedBuilds } from './support/skewed-builds.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const PORT = 7000;
/** Down to so many keys of an answer, each field is left out once. */
const DEPTH = 4;

/** Questions that change nothing. `{file}` = of a policy that is there. */
const QUESTIONS = [
  'status',
  'status -o json',
  'version',
  'config',
  'endpoint list',
  'endpoint list -o json',
  'node list',
  'node status',
  'get networkpolicy -n lab',
  'get networkpolicy -n lab -o wide',
  'get networkpolicy green -n lab -o yaml',
  'get networkpolicy green -n lab -o jsonpath={.spec.order}',
  'get workloadendpoint -A -o name',
  'apply -f {file} --dry-run',
  'diff -f {file}',
  'history',
  'history 1',
  'history 1 --traffic',
  'flows --since 1h',
  'flows --since 1h -o json',
  'tables stats --live',
  'block list',
  'syn status',
  'export',
  'why --from lab/red --to lab/green --port 7000',
  'staged report',
] as const;

/** Those that take a kernel to answer; of others test/unit/cli/other-answers asks the same. */
const OF_KERNEL = [
  'status',
  'config',
  'endpoint list',
  'node list',
  'node status',
  'tables stats --live',
  'syn status',
] as const;

/** Of the state of an agent: what came one by one, and may come again. */
const PARTS = [
  'block',
  'conditions',
  'config',
  'error',
  'exports',
  'flowLogs',
  'flowStore',
  'flowStreams',
  'hostEndpoints',
  'loading',
  'repairs',
  'repairsByCause',
  'store',
  'tables',
];

type Builds = Awaited<ReturnType<typeof makeSkewedBuilds>>;

describe('an agent and commands of different minor versions', () => {
  let setting: Setting;
  let builds: Builds;
  let file: string;
  let agent: Agent | undefined;
  let order = 0;

  beforeAll(async () => {
    builds = await makeSkewedBuilds();
    setting = await Setting.create({ workloads: WORKLOADS, listeners: [{ transport: 'tcp', port: PORT }] });
    file = join(setting.lab.directory, 'green.yaml');
  });

  // Another one each time: what is as it was is no change.
  beforeEach(() => {
    order += 1;
    const green = { name: 'green', namespace: 'lab', selector: "app == 'green'", order };
    writeFileSync(file, JSON.stringify(policy({ ...green, ingress: allowPorts([PORT]) })));
  });

  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
  });

  afterAll(() => setting?.close());

  const wordsOf = (line: string): string[] => line.split(' ').map((word) => word.replace('{file}', file));
  const talk = (words: readonly string[], program?: string): Promise<CommandOutput> => {
    const all = [...words, '--socket', socketPath(setting.lab)];
    return setting.lab.exec(HOST, program === undefined ? tortieCommand(...all) : programCommand(program, ...all));
  };
  const warningOf = (agentVersion: string, own = VERSION): string =>
    `warning: the agent is of version ${agentVersion}, this command of ${own}: what only one of them knows is refused\n`;

  /** A change and its way back, and every question. Returns what was answered. */
  async function expectUnderstood(warning: string, program?: string): Promise<string[]> {
    const lines = [
      'apply -f {file} --confirm 60s',
      'confirm',
      'label networkpolicy green -n lab skew=tried',
      ...QUESTIONS,
    ];
    const answers: string[] = [];
    for (const line of lines) {
      const { stdout, stderr } = await talk(wordsOf(line), program);
      expect([line, stderr]).toEqual([line, warning]);
      // No flow was seen: of none there are no lines of JSON.
      if (!line.startsWith('flows')) expect([line, stdout.trim().length > 0]).toEqual([line, true]);
      answers.push(stdout);
    }
    const { stderr } = await talk(wordsOf('delete -f {file}'), program);
    expect(stderr).toBe(warning);
    return answers;
  }

  it.each(['next', 'previous'] as const)('the agent is of the %s one', async (name) => {
    const { version, program } = builds[name];
    agent = await setting.startAgent({ program });
    const answers = await expectUnderstood(warningOf(version));
    expect(answers.join('\n')).toContain(version);
  });

  it.each(['next', 'previous'] as const)('the command is of the %s one', async (name) => {
    const { version, program } = builds[name];
    agent = await setting.startAgent();
    await expectUnderstood(warningOf(VERSION, version), program);
  });

  it('two apart, nothing is asked, and it is said why', async () => {
    const { version, program } = builds.far;
    agent = await setting.startAgent({ program });
    const found = `found agent ${version} (API v1), expected ${VERSION} (API v1), or one minor version away`;
    for (const line of ['status', 'get networkpolicy -n lab', 'apply -f {file}', 'flows --since 1h', 'history']) {
      const refusal = await talk(wordsOf(line)).catch((error: unknown) => String(error));
      expect(refusal).toContain('VERSION_SKEW: speak to agent: the agent is of another version than this command');
      expect(refusal).toContain(found);
    }
  });

  it('an answer lacks any one field: the command does without, or says whose answer it does not understand', async () => {
    agent = await setting.startAgent();
    await talk(wordsOf('apply -f {file}'));
    const api = await SkewedApi.start(socketPath(setting.lab), join(setting.lab.directory, 'skewed.sock'));
    try {
      for (const line of OF_KERNEL) {
        const { first, refused, wrong } = await leaveOut(api, wordsOf(line), DEPTH);
        expect([line, first.code, wrong]).toEqual([line, 0, []]);
        if (line === 'status') expect(refused.filter((what) => PARTS.includes(what.replace(/.* /, '')))).toEqual([]);
      }
    } finally {
      await api.end();
    }
  });
});
