import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/analysis/lint/finding.ts';
import type { FlowRecord } from '../../../src/observe/flow-record.ts';
import type { Agent } from '../../../tools/lab/agent.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import { tortieCommand } from '../../../tools/lab/project.ts';
import { allowPorts, policy } from '../support/policies.ts';
import { Setting } from '../support/setting.ts';
import { workload } from '../support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const [, green] = WORKLOADS;
const [GREEN_V4 = ''] = green?.addresses ?? [];
const ALLOWED = 7000;
const FORBIDDEN = 7001;
const LISTENERS = [ALLOWED, FORBIDDEN].map((port) => ({ transport: 'udp', port }) as const);
const LINE_LIMIT_MS = 10_000 * PATIENCE;
const SELECTED = { namespace: 'lab', selector: "app == 'green'" };

describe('commands that ask a running agent', () => {
  let setting: Setting;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    setting.manifests.write('50-policy.yaml', [
      policy({ ...SELECTED, name: 'green', ingress: [...allowPorts([ALLOWED]), ...allowPorts([ALLOWED])] }),
    ]);
    agent = await setting.startAgent();
  });

  afterAll(() => setting?.close());

  function socket(): readonly string[] {
    return ['--socket', join(setting.lab.directory, 'agent.sock')];
  }

  /** Lines of a command that goes on; it ends with the lab at the latest. */
  function follow(...words: readonly string[]): { readonly lines: Interface; readonly end: () => Promise<unknown> } {
    const child = setting.lab.spawn(HOST, tortieCommand(...words, ...socket()), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('no output');
    const closed = once(child, 'close');
    const end = () => {
      child.kill('SIGINT');
      return closed;
    };
    return { lines: createInterface({ input: child.stdout }), end };
  }

  /** The first line that has it, while red asks green for the port again and again. */
  async function lineOf(lines: Interface, text: string, port: number): Promise<string> {
    const limit = AbortSignal.timeout(LINE_LIMIT_MS);
    let found: string | undefined;
    lines.on('line', (line) => {
      if (line.includes(text)) found ??= line;
    });
    while (found === undefined) {
      limit.throwIfAborted();
      await setting.probe('red', { transport: 'udp', address: GREEN_V4, port, timeoutMs: 100 });
    }
    return found;
  }

  it('monitor shows who was denied by which rule, and who was let in', async () => {
    const { lines, end } = follow('monitor');
    try {
      expect(await lineOf(lines, 'denied', FORBIDDEN)).toMatch(
        /^\d\d:\d\d:\d\d\.\d{3} denied\s+UDP lab\/red:\d+ -> lab\/green:7001 {2}0\|default\|np:lab\/green\|deny\|-1$/,
      );
      expect(await lineOf(lines, 'new-flow', ALLOWED)).toMatch(/new-flow\s+UDP lab\/red:\d+ -> lab\/green:7000 {2}/);
    } finally {
      await end();
    }
  });

  it('monitor shows records as JSON, one a line', async () => {
    const { lines, end } = follow('monitor', '--output', 'json');
    try {
      const record = JSON.parse(await lineOf(lines, '"denied"', FORBIDDEN)) as FlowRecord;
      expect(record).toMatchObject({ kind: 'denied', destination: GREEN_V4, destinationPort: FORBIDDEN });
    } finally {
      await end();
    }
  });

  it('lint --live finds what is wrong in files and in the store', async () => {
    const stored = policy({ ...SELECTED, name: 'stored', ingress: [...allowPorts([1]), ...allowPorts([1])] });
    await setting.lab.exec(HOST, tortieCommand('apply', '-f', '-', ...socket()), JSON.stringify(stored));
    const { stdout } = await agent.ask('lint', '--live', '--fail-on', 'never', '--output', 'json');
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
    const unreached = findings.filter(({ rule }) => rule === 'unreachable-rule').map(({ object }) => object);
    expect([...new Set(unreached)]).toEqual(['np/lab/green', 'np/lab/stored']);
  });

  it('explain --live says who may reach an endpoint now', async () => {
    const { stdout } = await agent.ask('explain', 'pod/lab/green', '--live');
    expect(stdout).toContain('np/lab/stored');
  });

  it('say to another user what is missing', async () => {
    const words = [
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      ...tortieCommand('status', ...socket()),
    ];
    const { stdout } = await setting.lab.exec(HOST, ['sh', '-c', `${words.join(' ')} 2>&1; echo $?`]);
    expect(stdout).toMatch(/^AGENT_UNREACHABLE: .*this user may not ask the agent \(run it with sudo\)\n4\n$/);
  });
});
