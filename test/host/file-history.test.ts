// Edits of manifest files in history: under an agent that runs, one that is killed at any moment, and none at all.
import { execFile } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../tools/lab/agent.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const GREEN = WORKLOADS[1]?.addresses[0] as string;
const FILE = '50-policy.yaml';
const ID = 'NetworkPolicy/lab/green';
const OWNER = 1234;
const KILLS = 8;

interface Done {
  readonly code: number;
  readonly answer: string;
  readonly output: string;
}

interface Item {
  readonly revision: number;
  readonly verb: string;
  readonly who: object;
  readonly from: { readonly files?: readonly string[] };
  readonly changes: readonly { readonly id: string; readonly result: string }[];
}

describe('history of manifest files', () => {
  let setting: Setting;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: [{ transport: 'tcp', port: 7000 }] });
    write(7000);
    agent = await setting.startAgent();
  });

  afterAll(() => setting?.close());

  function write(...ports: readonly number[]): void {
    const green = { name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: allowPorts(ports) };
    setting.manifests.write(FILE, [policy(green)]);
  }

  function tortie(...words: readonly string[]): Promise<Done> {
    const [program = '', ...rest] = tortieCommand(...words, '--socket', join(setting.lab.directory, 'agent.sock'));
    return new Promise((resolve) => {
      execFile(program, rest, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
        resolve({ code, answer: stdout, output: stdout + stderr });
      });
    });
  }

  async function items(): Promise<Item[]> {
    const { answer, output } = await tortie('history', '--limit', '0', '-o', 'json');
    if (answer === '') throw new Error(output);
    return JSON.parse(answer) as Item[];
  }

  const waitForItems = (count: number): Promise<void> =>
    expect.poll(async () => (await items()).length, { timeout: 10_000 * PATIENCE, interval: 500 }).toBe(count);

  /** What the file said after each of its changes, the latest first. */
  async function ports(): Promise<unknown[]> {
    const all: unknown[] = [];
    for (const { revision } of await items()) {
      const { changes } = JSON.parse((await tortie('history', String(revision), '-o', 'json')).answer) as {
        changes: { after: { spec: { ingress: { destination: { ports: number[] } }[] } } | null }[];
      };
      all.push(changes[0]?.after?.spec.ingress[0]?.destination.ports);
    }
    return all;
  }

  it('begins with what was there, and has an edit with owner, file and difference', async () => {
    expect(await items()).toEqual([]);
    write(7000, 7001);
    await waitForItems(1);
    chownSync(join(setting.manifests.path, FILE), OWNER, OWNER);
    const [edit] = await items();
    expect(edit).toMatchObject({
      verb: 'edit',
      who: { kind: 'file', uid: 0 },
      from: { files: [FILE] },
      changes: [{ id: ID, result: 'configured' }],
    });
    const shown = await tortie('history', String(edit?.revision));
    expect(shown.answer).toMatch(/^revision 1: edit by the files of uid 0 in 50-policy\.yaml, /);
    expect(shown.answer).toMatch(/^\+ .*7001/m);
    expect((await tortie('history')).answer).toMatch(/the files of uid 0 +edit +NetworkPolicy\/lab\/green configured/);
  });

  it('names the revision to whoever asks why', async () => {
    write(7000);
    await waitForItems(2);
    const why = await tortie('why', '--from', 'lab/red', '--to', 'lab/green', '--port', '7000');
    expect(why.answer, why.output).toMatch(/^ {2}since revision 2, edit by the files of uid 0, /m);
    expect(await setting.probe('red', { transport: 'tcp', address: GREEN, port: 7000 })).toBe('open');
  });

  it('is told of what was edited while no agent ran, and of no more', async () => {
    await agent.kill();
    write(7000, 7002);
    agent = await setting.startAgent();
    await waitForItems(3);
    await agent.kill();
    agent = await setting.startAgent();
    await sleep(1000);
    expect((await items()).length).toBe(3);
    expect((await ports())[0]).toEqual([7000, 7002]);
  });

  it('loses no edit however soon the agent is killed behind it', { timeout: 120_000 * PATIENCE }, async () => {
    const before = (await items()).length;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      write(7000, 8000 + kill);
      await sleep(Math.random() * 120);
      await agent.kill();
      agent = await setting.startAgent();
    }
    await waitForItems(before + KILLS);
    expect((await ports()).slice(0, KILLS)).toEqual(
      Array.from({ length: KILLS }, (_, index) => [7000, 8000 + KILLS - index]),
    );
  });

  it('cannot bring a file back, and says so; what is stored it brings back', async () => {
    const [latest] = await items();
    const refused = await tortie('rollback', '1');
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain(`${ID}: was changed in a manifest file, which no rollback writes`);
    expect(refused.output).toContain(`${FILE}:`);
    expect(refused.output).toContain(`tortie history ${latest?.revision} has both versions`);
    const stored = join(setting.lab.directory, 'stored.json');
    writeFileSync(
      stored,
      JSON.stringify({
        apiVersion: 'projectcalico.org/v3',
        kind: 'Tier',
        metadata: { name: 'mine' },
        spec: { order: 7 },
      }),
    );
    expect((await tortie('apply', '-f', stored)).code).toBe(0);
    const { code, output } = await tortie('rollback', '1');
    expect(code, output).toBe(0);
    expect(output).toContain('mine');
    expect(output).toContain(`${ID} was changed in ${FILE}:`);
    expect(await setting.probe('red', { transport: 'tcp', address: GREEN, port: 7000 })).toBe('open');
  });

  it('says what traffic an edit affected', async () => {
    const { code, output } = await tortie('history', '2', '--traffic');
    expect(code, output).toBe(0);
  });
});
