// From packets to policy and back: what real traffic makes tortie recommend, what the staged policies say of traffic to come, and
// a promotion that is taken back because real packets are denied.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2), workload('lab', 'blue', 3)];
const GREEN = WORKLOADS[1]?.addresses[0] as string;
const LISTENERS = [
  { transport: 'tcp', port: 7000 },
  { transport: 'udp', port: 7001 },
] as const;
const SETTINGS = { TORTIE_FLOW_STORE: 'all', TORTIE_FLOW_LOGS_INTERVAL: '1' } as const;
/** Reports of flows come each second, and the store takes them a second later: it has them long before. */
const STORED_MS = 20_000;
const POLL_MS = 500;
/** The kernel's ticks, by which starts are told, are coarser than our clock. */
const CLOCK_MS = 100;
const TIMEOUT_MS = 400;
/** What usual() makes, as both ends report it. */
const USUAL = { 'red src TCP allow': 3, 'red dst TCP allow': 3, 'red src UDP allow': 3, 'red dst UDP allow': 3 };

interface Done {
  readonly code: number;
  readonly output: string;
  readonly answer: string;
}

describe('policy made of traffic', () => {
  let setting: Setting;
  /** When the policy was put in force that stays. */
  let enforced = 0;

  beforeAll(async () => {
    Object.assign(process.env, SETTINGS);
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    await setting.startAgent();
  });

  afterAll(async () => {
    for (const name of Object.keys(SETTINGS)) delete process.env[name];
    await setting?.close();
  });

  function tortie(...words: readonly string[]): Promise<Done> {
    const [program = '', ...rest] = tortieCommand(...words, '--socket', join(setting.lab.directory, 'agent.sock'));
    return new Promise((resolve) => {
      execFile(program, rest, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
        resolve({ code, answer: stdout, output: stdout + stderr });
      });
    });
  }

  /** Flows that began since then and are in the store, `<source> <reporter> <protocol> <verdict>` of each report of a start. */
  async function storedSince(time: number): Promise<string[]> {
    const { answer, code, output } = await tortie('flows', '--since', new Date(time).toISOString(), '-o', 'json');
    if (code !== 0) throw new Error(output);
    return answer
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FlowLog)
      .filter(({ startTime, flowsStarted }) => startTime >= time - CLOCK_MS && flowsStarted > 0)
      .flatMap(({ source, reporter, protocol, action, flowsStarted }) =>
        Array.from({ length: flowsStarted }, () => `${source.name} ${reporter} ${protocol} ${action}`),
      );
  }

  /** Waits until the store has flows like these, so many of each. */
  function stored(time: number, wanted: Readonly<Record<string, number>>): Promise<void> {
    const count = async (): Promise<Record<string, number>> => {
      const flows = await storedSince(time);
      const entries = Object.entries(wanted).map(([kind, most]) => {
        const found = flows.filter((flow) => flow === kind).length;
        return [kind, Math.min(found, most)] as const;
      });
      return Object.fromEntries(entries);
    };
    return expect.poll(count, { timeout: STORED_MS * PATIENCE, interval: POLL_MS }).toEqual(wanted);
  }

  async function usual(): Promise<void> {
    for (let index = 0; index < 3; index += 1) {
      expect(await setting.probe('red', { transport: 'tcp', address: GREEN, port: 7000 })).toBe('open');
      expect(await setting.probe('red', { transport: 'udp', address: GREEN, port: 7001 })).toBe('open');
    }
  }

  const blue = () => setting.probe('blue', { transport: 'tcp', address: GREEN, port: 7000, timeoutMs: TIMEOUT_MS });

  it('is recommended with proof, and its policies are taken as staged ones', async () => {
    const began = Date.now();
    await usual();
    await stored(began, USUAL);
    const { code, answer, output } = await tortie('recommend', '--namespace', 'lab', '--exact');
    expect(code, output).toBe(0);
    expect(answer).toMatch(
      /^# proof: 2 different flows judged again, 0 denied; [1-9]\d* flows .*: [1-9]\d* denied\.$/m,
    );
    expect(answer).toContain('selector: "app == \'red\'"');
    const file = join(setting.lab.directory, 'recommended.yaml');
    writeFileSync(file, answer);
    const applied = await tortie('apply', '-f', file);
    expect(applied.code, applied.output).toBe(0);
  });

  it('denies nothing yet, and says of each flow what it would do', async () => {
    const began = Date.now();
    await usual();
    expect(await blue()).toBe('open');
    await stored(began, { ...USUAL, 'blue src TCP allow': 1, 'blue dst TCP allow': 1 });
    const { code, answer, output } = await tortie('staged', 'report', '-o', 'json');
    expect(code, output).toBe(1);
    const { rows } = JSON.parse(answer) as {
      rows: { policy: string; after: string; source: string; service: string }[];
    };
    expect(rows.map(({ policy, after, source, service }) => [policy, after, source, service]).sort()).toEqual([
      ['snp:lab/recommended-blue', 'deny', 'lab/blue', 'TCP 7000'],
      ['snp:lab/recommended-green', 'deny', 'lab/blue', 'TCP 7000'],
    ]);
  });

  it('is taken back as soon as packets are denied that were not before', async () => {
    const promotion = tortie('staged', 'promote', 'lab/recommended-green', '--watch', '60s', '--poll', '1s');
    await expect.poll(blue, { timeout: 20_000 * PATIENCE, interval: 500 }).toBe('timeout');
    const { code, output } = await promotion;
    expect(output).toContain('taken back');
    expect(code).toBe(1);
    expect(await blue()).toBe('open');
  });

  it('stays in force when only the usual goes on, and why names the revision', async () => {
    // What was denied a moment ago is no news to the next watch, so there is no blue in this one.
    const promotion = tortie('staged', 'promote', 'lab/recommended-green', '--watch', '8s', '--poll', '1s');
    await usual();
    const { code, output } = await promotion;
    expect(code, output).toBe(0);
    enforced = Date.now();
    await usual();
    expect(await blue()).toBe('timeout');
    const why = await tortie('why', '--from', 'lab/blue', '--to', 'lab/green', '--port', '7000');
    expect(why.answer).toMatch(/^DENY/);
    expect(why.answer).toMatch(/since revision \d+, create by uid 0/);
    expect(why.answer).toContain('the reference evaluator agrees');
  });

  it('shows in history what it did to traffic', async () => {
    await stored(enforced, { 'red dst TCP allow': 1, 'blue dst TCP deny': 1 });
    const history = JSON.parse((await tortie('history', '-o', 'json')).answer) as { revision: number; verb: string }[];
    const created = history.find(({ verb }) => verb === 'create')?.revision;
    const { code, answer, output } = await tortie('history', String(created), '--traffic', '-o', 'json');
    expect(code, output).toBe(0);
    const { policies, turned } = JSON.parse(answer) as {
      policies: { policy: string; after: { allowed: { flows: number }; denied: { flows: number } } }[];
      turned: { source: string; from: string; to: string }[];
    };
    expect(policies.map(({ policy }) => policy)).toEqual(['np:lab/recommended-green']);
    expect(policies[0]?.after.allowed.flows).toBeGreaterThan(0);
    expect(policies[0]?.after.denied.flows).toBeGreaterThan(0);
    expect(turned).toContainEqual(expect.objectContaining({ source: 'lab/blue', from: 'allow', to: 'deny' }));
  });
});
