// A real agent under traffic, scraped by a real Prometheus: every query of rules and dashboards has an answer, what it answers is
// what the agent counted, and the commands of the runbooks run.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { ResourceClient } from '../../src/cli/resource-client.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { findProject, tortieCommand } from '../../tools/lab/project.ts';
import { Prometheus } from '../support/monitoring/prometheus.ts';
import { allQueries, ruleFiles } from '../support/monitoring/queries.ts';
import { commandsOf, needsServiceManager, runbooks } from '../support/monitoring/runbooks.ts';
import { OperatorShell } from './support/operator-shell.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const PROJECT = findProject();
const METRICS = '127.0.0.1:9091';
const RUN_COUNTING = '/proc/sys/kernel/bpf_stats_enabled';
const PROBE_PORT = 7;
const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const RED = { name: 'red', namespace: 'lab', selector: "app == 'red'" };
const GREEN = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
const SECONDS = 14;
/** Of the traffic: for a rate, Prometheus has to see counters more than once on the way. */
const RHYTHM_MS = 700;
const SCRAPED = { timeout: 30_000, interval: 1000 };
/** Says by its status what it found. */
const MAY_FIND = /^tortie (doctor|status)/;

describe('what is monitored', { timeout: 90_000 }, () => {
  let setting: Setting;
  let agent: Agent;
  let prometheus: Prometheus;
  let counted: string;

  const socket = (): string => join(setting.lab.directory, 'agent.sock');
  const tortie = async (...words: string[]): Promise<string> =>
    (await setting.lab.exec(HOST, tortieCommand(...words, '--socket', socket()))).stdout;

  function writeManifests(port: number): void {
    setting.manifests.write('50-policy.yaml', [
      policy({ ...RED, egress: [{ action: 'Allow' }] }),
      policy({ ...GREEN, ingress: allowPorts([port, PROBE_PORT]) }),
    ]);
  }

  async function reach(port: number): Promise<string> {
    const addresses = { address: '10.66.0.2', sourceAddress: '10.66.0.1' } as const;
    return setting.probe('red', { transport: 'tcp', port, ...addresses, timeoutMs: 100 });
  }

  beforeAll(async () => {
    counted = readFileSync(RUN_COUNTING, 'utf8');
    writeFileSync(RUN_COUNTING, '1');
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    writeManifests(7000);
    const exported = `TORTIE_EXPORTS=file://${join(setting.lab.directory, 'flows.jsonl')}`;
    const settings = [`TORTIE_METRICS_ADDRESS=${METRICS}`, 'TORTIE_METRICS_HITS=rule', exported];
    agent = await setting.startAgent({ wrapper: ['env', ...settings] });
    prometheus = Prometheus.start(setting.lab, PROJECT, METRICS);
    await vi.waitFor(async () => expect((await prometheus.ask(['up == 1']))[0]).toHaveLength(1), SCRAPED);
    await seed();
  });

  afterAll(async () => {
    writeFileSync(RUN_COUNTING, counted);
    await setting?.close();
  });

  /** Traffic that is allowed and denied, changes over both ways, probes; spread over time, for rates to be seen. */
  async function seed(): Promise<void> {
    const client = new ResourceClient(socket());
    const probing = tortie('probe', '--from', 'lab/red', '--to', 'lab/green', '--count', '40', '--interval', '200');
    for (let second = 0; second < SECONDS; second += 1) {
      expect(await reach(7000)).toBe('open');
      expect(await reach(7001)).toBe('timeout');
      if (second % 4 === 1)
        await client.applyAll(
          JSON.stringify(policy({ ...RED, name: `more-${second}`, order: 50 + second, egress: [{ action: 'Pass' }] })),
        );
      // A rule more, and the same open ports: what is asked meanwhile has the answer that it had.
      if (second % 4 === 3)
        setting.manifests.write('60-more.yaml', [
          policy({ ...GREEN, name: 'more', ingress: allowPorts([7100 + second]) }),
        ]);
      await sleep(RHYTHM_MS);
    }
    expect(await probing).toMatch(/^TCP +40 +40 +0\.0 %/m);
  }

  it('answers every query of rules and dashboards', async () => {
    const queries = allQueries(PROJECT);
    await vi.waitFor(async () => {
      const answers = await prometheus.ask(queries.map(({ expr }) => expr));
      const silent = queries.filter((_, index) => !(answers[index] ?? []).some(({ value }) => !Number.isNaN(value)));
      expect(silent, prometheus.log).toEqual([]);
    }, SCRAPED);
    expect(queries.length).toBeGreaterThan(90);
  });

  it('says that objectives are met, and that no alert fires', async () => {
    const [enforced, dropped, delivered, change, datastore, firing, up] = await prometheus.ask([
      'tortie:sli_policy_enforcement:ratio_rate5m',
      'tortie:sli_packet_drop:ratio_rate5m',
      'tortie:sli_flow_delivery:ratio_rate5m',
      'tortie:sli_policy_change_seconds:mean5m',
      'tortie:sli_datastore_latency_seconds:p99_5m{operation="write"}',
      'ALERTS{alertstate="firing"}',
      'up',
    ]);
    expect(enforced?.map(({ value }) => value)).toEqual([1]);
    expect(dropped?.map(({ value }) => value)).toEqual([0]);
    expect(delivered?.map(({ value }) => value)).toEqual([1]);
    expect(change?.[0]?.value).toBeLessThan(5);
    expect(datastore?.[0]?.value).toBeLessThan(1);
    expect(firing).toEqual([]);
    expect(up?.map(({ value }) => value)).toEqual([1]);
  });

  it('has the very counts of the agent once the network is quiet', async () => {
    const { counters } = await agent.waitFor(({ inSync }) => inSync, 5000);
    // Neighbour discovery goes on by itself.
    const reasons = ['allowed_new', 'allowed_cached', 'allowed_flow', 'drop_ingress_policy', 'drop_not_ready'] as const;
    await vi.waitFor(async () => {
      const [packets] = await prometheus.ask(['tortie_packets_total']);
      const scraped = new Map(packets?.map(({ metric, value }) => [metric.reason, value]));
      for (const reason of reasons) expect([reason, scraped.get(reason)]).toEqual([reason, counters[reason]?.packets]);
      expect(scraped.get('drop_ingress_policy')).toBeGreaterThanOrEqual(SECONDS);
    }, SCRAPED);
  });

  it('counts a hit for each flow that a rule allowed, and for each denied packet', async () => {
    const [allowed, denied, drops, probes] = await prometheus.ask([
      'sum(tortie_policy_hits_total{policy="np:lab/green",direction="ingress",action="allow",rule="0"})',
      'sum(tortie_policy_hits_total{direction="ingress",action="deny"})',
      'tortie_packets_total{reason="drop_ingress_policy"}',
      'sum by (protocol) (tortie_probes_total{result="ok"})',
    ]);
    expect(allowed?.[0]?.value).toBe(SECONDS + 40);
    expect(denied?.[0]?.value).toBe(drops?.[0]?.value);
    expect(probes?.map(({ value }) => value)).toEqual([40, 40]);
  });

  it('measures all pairs that policy allows, and knows endpoints by their links where somebody else has their address', async () => {
    const other = `tt-same-${process.pid}`;
    await runCommand(['ip', 'netns', 'add', other]);
    try {
      await runCommand(['ip', '-n', other, 'addr', 'add', '10.66.0.2/32', 'dev', 'lo']);
      const text = await tortie('probe', '--all', '--count', '3', '--interval', '20', '--output', 'json');
      const pairs = JSON.parse(text) as { from: string; to: string; protocol: string; loss: number }[];
      expect(pairs.map(({ from, to, protocol, loss }) => `${from} ${to} ${protocol} ${loss}`)).toEqual([
        'lab/green lab/red TCP 0',
        'lab/green lab/red UDP 0',
        'lab/red lab/green TCP 0',
        'lab/red lab/green UDP 0',
      ]);
      await expect(tortie('probe', '--from', '10.66.0.1', '--to', '10.66.0.2')).rejects.toThrow(
        'several network namespaces have its address',
      );
    } finally {
      await runCommand(['ip', 'netns', 'del', other]);
    }
  });

  it('passes the checks of promtool', async () => {
    await runCommand(['promtool', 'check', 'rules', ...ruleFiles(PROJECT)]);
    await runCommand(['promtool', 'test', 'rules', join(PROJECT, 'test/support/monitoring/alerts.test.yml')]);
    await runCommand([
      'promtool',
      'check',
      'config',
      '--syntax-only',
      join(PROJECT, 'packaging/prometheus/prometheus.yml'),
    ]);
    const text = await setting.lab.exec(HOST, ['curl', '-sS', `http://${METRICS}/metrics`]);
    const { stderr, stdout } = await runCommand(['sh', '-c', 'promtool check metrics || true'], text.stdout);
    // Felix's names are as they are; ours keep to the conventions.
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !line.startsWith('felix_'));
    expect(lines).toEqual([]);
  });

  it('runs every command of the runbooks', async () => {
    const commands = new Set([...runbooks(PROJECT).values()].flatMap(commandsOf));
    const shell = new OperatorShell(setting);
    const run = async (command: string): Promise<readonly [string, string]> => {
      const here = command.replaceAll('shop/web-1', 'lab/red').replaceAll('shop/api-1', 'lab/green');
      const { code, text } = await shell.run(here);
      const isWell = code === 0 || (MAY_FIND.test(command) && !text.includes('USAGE'));
      return [command, isWell ? 'done' : `exit ${code}: ${text}`];
    };
    // The others are run on a machine that has a service manager: host/packaging/debian.test.ts; those of prose in runbooks.test.ts.
    const here = [...commands].filter((command) => !needsServiceManager(command));
    expect(here.length).toBeGreaterThan(20);
    const results: (readonly [string, string])[] = [];
    // One after the other: two probes would share whoever answers.
    for (const command of here) results.push(await run(command));
    expect(results.filter(([, result]) => result !== 'done')).toEqual([]);
  });
});
