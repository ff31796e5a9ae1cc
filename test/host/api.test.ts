// Policy that comes over the API: real packets say whether the answer meant it. Nothing here is read from a file but the
// workloads.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askAgent } from '../../src/cli/agent-client.ts';
import { ResourceClient, type WatchEvent } from '../../src/cli/resource-client.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { undocumented } from '../support/documented.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { type Workload, workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const GREEN = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
const RED = { name: 'red', namespace: 'lab', selector: "app == 'red'" };
const TIMEOUT_MS = 400;

describe('the API of an agent', () => {
  let setting: Setting;
  let agent: Agent;
  let client: ResourceClient;

  const socket = (): string => join(setting.lab.directory, 'agent.sock');

  async function expectOpen(ports: readonly number[]): Promise<void> {
    for (const { port } of LISTENERS) {
      const request = {
        transport: 'tcp',
        port,
        address: '10.66.0.2',
        sourceAddress: '10.66.0.1',
        timeoutMs: TIMEOUT_MS,
      } as const;
      expect(`${port} ${await setting.probe('red', request)}`).toBe(
        `${port} ${ports.includes(port) ? 'open' : 'timeout'}`,
      );
    }
  }

  const allow = (...ports: number[]): string =>
    [policy({ ...RED, egress: [{ action: 'Allow' }] }), policy({ ...GREEN, ingress: allowPorts(ports) })]
      .map((object) => JSON.stringify(object))
      .join('\n---\n');

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    agent = await setting.startAgent();
    client = new ResourceClient(socket());
  });

  afterAll(async () => {
    await setting?.close();
  });

  it('has policy in force for packets when it answers', async () => {
    await client.applyAll(allow(7000));
    await expectOpen([7000]);
    await client.applyAll(allow(7001));
    await expectOpen([7001]);
    const { items } = await client.history(1);
    expect(items).toMatchObject([{ who: { kind: 'local', uid: 0, pid: process.pid }, from: { socket: socket() } }]);
  });

  it('leaves packets alone in a dry run and when a change is refused', async () => {
    const { generation } = await agent.waitFor(({ inSync }) => inSync, 5000);
    await client.applyAll(allow(7000), { isDryRun: true });
    await expect(client.applyAll(allow(70_000))).rejects.toMatchObject({ code: 'INVALID_FIELD' });
    await expectOpen([7001]);
    expect((await agent.waitFor(({ inSync }) => inSync, 5000)).generation).toBe(generation);
  });

  it('goes back to a revision', async () => {
    await client.rollBack('1');
    await expectOpen([7000]);
  });

  it('has the policy again after a kill, and takes it over where nothing has changed', async () => {
    await vi.waitFor(() => expect(existsSync(join(setting.lab.directory, 'state', 'settled.json'))).toBe(true), 10_000);
    await agent.kill();
    agent = await setting.startAgent();
    await agent.waitFor(({ inSync, loading }) => inSync && !loading, 10_000);
    expect(agent.log.join('\n')).toContain('taken over in force');
    await expectOpen([7000]);
    await client.applyAll(allow(7000, 7001));
    await expectOpen([7000, 7001]);
  });

  it('undoes a change that nobody confirmed, though its agent was killed', async () => {
    await client.applyAll(allow(7001), { confirm: '2s' });
    await expectOpen([7001]);
    await agent.kill();
    await new Promise((resolve) => setTimeout(resolve, 2100));
    agent = await setting.startAgent();
    expect(agent.log.join('\n')).toContain('not confirmed in time');
    await expectOpen([7000, 7001]);
  });

  it('undoes a change that nobody confirmed by itself', async () => {
    await client.applyAll(allow(7000), { confirm: '1s' });
    await expectOpen([7000]);
    await vi.waitFor(() => expectOpen([7000, 7001]), 6000);
  });

  it('is spoken by the commands', async () => {
    const tortie = async (...words: string[]): Promise<string> => {
      const { stdout } = await setting.lab.exec(HOST, tortieCommand(...words, '--socket', socket()));
      return stdout;
    };
    const file = join(setting.lab.directory, 'wanted.yaml');
    expect(await tortie('export')).toMatch(/^kind: NetworkPolicy$/m);
    writeFileSync(file, allow(7000));
    expect(await tortie('apply', '-f', file, '--confirm', '60s')).toContain(
      'networkpolicy.projectcalico.org/green configured in namespace lab',
    );
    await expectOpen([7000]);
    const [latest] = (await client.history(1)).items;
    expect(await tortie('confirm', String(latest?.revision))).toBe(`revision ${latest?.revision} is confirmed\n`);
    expect(await tortie('history', '--limit', '1')).toMatch(/uid 0, pid \d+ +apply .*lab\/green configured/);
    await tortie('rollback', String(Number(latest?.revision) - 1));
    await expectOpen([7000, 7001]);
  });

  it('answers what its document says, with no field besides, when everything is there', async () => {
    const [red, green] = WORKLOADS as [Workload, Workload];
    const flow = { id: 'a', src: red.addresses[0], dst: green.addresses[0], protocol: 'TCP', dstPort: 7000 };
    const verdict = await askAgent(socket(), 'POST', '/v1/verdict', flow);
    expect(undocumented('Question', flow)).toBe('');
    expect(undocumented('Verdict', verdict), JSON.stringify(verdict)).toBe('');
    expect(verdict).toMatchObject({ id: 'a', egress: { endpoint: 'lab/red' }, ingress: { endpoint: 'lab/green' } });
    const answers = {
      '/v1/status': 'AgentStatus',
      '/v1/config': 'ConfigReport',
      '/v1/tables': 'TableReport',
      '/v1/manifests': 'LiveManifests',
      '/v1/flows': 'FlowCounts',
      '/flows/store': 'FlowStoreStatus',
      '/block': 'BlockReport',
    } as const;
    for (const [path, name] of Object.entries(answers)) {
      const answer = await agent.get(path);
      expect(undocumented(name as (typeof answers)[keyof typeof answers], answer), path).toBe('');
      expect(JSON.stringify(answer).length, path).toBeGreaterThan(20);
    }
    const { objects } = await agent.get<{ objects: unknown[] }>('/v1/manifests');
    expect(undocumented('LiveManifests', { objects, more: 1 })).toMatch(/more/);
  });

  it('sends changes of manifest files in watches, and again to one that resumes', async () => {
    const ref = { type: 'NetworkPolicy', namespace: 'lab' } as const;
    const { resourceVersion } = await client.list(ref, {});
    const next = async (watch: AsyncGenerator<WatchEvent>): Promise<string> => {
      for await (const { type, object } of watch) {
        const { name, annotations } = object.metadata as { name: string; annotations?: Record<string, string> };
        if (type !== 'BOOKMARK')
          return `${type} ${name} ${Object.values(annotations ?? {})
            .join()
            .replace(/:\d+$/, ' and a line')}`;
      }
      throw new Error('the watch has ended');
    };
    const filed = (port: number): object => policy({ ...GREEN, name: 'filed', ingress: allowPorts([port]) });
    const seen: string[] = [];
    for (const write of [
      () => setting.manifests.write('60-filed.yaml', [filed(7000)]),
      () => setting.manifests.write('60-filed.yaml', [filed(7001)]),
      () => setting.manifests.remove('60-filed.yaml'),
    ]) {
      const from = (await client.list(ref, {})).resourceVersion;
      const event = next(client.watch(ref, { resourceVersion: from, timeoutSeconds: 20 }));
      write();
      seen.push(await event);
    }
    expect(seen).toEqual(['ADDED', 'MODIFIED', 'DELETED'].map((type) => `${type} filed 60-filed.yaml and a line`));
    expect(await next(client.watch(ref, { resourceVersion, timeoutSeconds: 20 }))).toBe(seen[0]);
  });

  it('lets no other user in', async () => {
    const probe = `require('net').connect(${JSON.stringify(socket())}).on('connect', () => process.exit(0)).on('error', (e) => { console.log(e.code); process.exit(0); })`;
    const text = execFileSync(process.execPath, ['-e', probe], { uid: 65534, gid: 65534, encoding: 'utf8', cwd: '/' });
    expect(text.trim()).toBe('EACCES');
    expect(await askAgent(socket(), 'GET', '/liveness')).toEqual({ status: 'ok' });
  });
});
