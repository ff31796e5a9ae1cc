// More new flows at once than the agent tells of: it tells of some, counts the others to the last packet, says so wherever one looks,
// and takes no more memory than it may.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlowSource } from '../../bench/flow-source.ts';
import type { FlowLogStatus } from '../../src/agent/flows/flow-log-service.ts';
import { netnsPath } from '../../src/bench/net-namespaces.ts';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { Setting } from './support/setting.ts';
import { type Workload, workload } from './support/workloads.ts';

const RED: Workload = workload('lab', 'red', 1);
/** They fit the flow table, and are more than one look at it tells of. */
const FLOWS = 200_000;
const AT_ONCE = 1000;
/** As the DaemonSet asks for. */
const MEMORY_BYTES = 256 * 1024 * 1024;
const TOLD_WITHIN_MS = 60_000;
/** Several looks at the table. */
const LOOK_EVERY_MS = 3000;

describe('a flood of new flows', () => {
  let setting: Setting;
  let agent: Agent;
  let source: FlowSource;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: [RED], listeners: [] });
    process.env.TORTIE_FLOW_LOGS_INTERVAL = '1';
    agent = await setting.startAgent();
    source = new FlowSource({
      pinRoot: pinRoot(setting.lab),
      namespacePath: netnsPath(setting.lab.namespace(HOST)),
      hostInterface: RED.hostInterface,
      mac: await macOf(RED.pod),
      address: RED.addresses[0] as string,
    });
  });

  afterAll(async () => {
    delete process.env.TORTIE_FLOW_LOGS_INTERVAL;
    source?.close();
    await setting?.close();
  });

  /** What it sends by: others are not let pass. */
  async function macOf(name: string): Promise<string> {
    const { stdout } = await setting.lab.exec(name, ['ip', '-j', 'link', 'show', 'type', 'veth']);
    return (JSON.parse(stdout) as { address: string }[])[0]?.address as string;
  }

  async function flowLogs(): Promise<FlowLogStatus> {
    return ((await agent.status()) as { flowLogs: FlowLogStatus } | undefined)?.flowLogs as FlowLogStatus;
  }

  /** As the kernel counts them. */
  async function newFlows(): Promise<number> {
    return (await agent.status())?.counters.allowed_new?.packets ?? 0;
  }

  /** What became of packets since then: told, left out, and last counts that the ring buffer had no room for. */
  async function knownSince(before: FlowLogStatus): Promise<{ readonly told: number; readonly leftOut: number }> {
    const { packets, lost } = await flowLogs();
    const counted = (one: FlowLogStatus['lost']): number => one.packetsSampledOut + one.packetsLost - one.eventsLost;
    return { told: packets - before.packets, leftOut: counted(lost) - counted(before.lost) };
  }

  it('is told of in part, counted to the last packet, and said so', async () => {
    const before = await flowLogs();
    const newBefore = await newFlows();
    expect(before.isSampling).toBe(false);
    // However slow this machine is, they are all there when the agent looks.
    agent.signal('SIGSTOP');
    for (let made = 0; made < FLOWS; made += AT_ONCE) source.open(AT_ONCE);
    agent.signal('SIGCONT');
    const made = (await newFlows()) - newBefore;
    const until = performance.now() + TOLD_WITHIN_MS * PATIENCE;
    let known = await knownSince(before);
    while (known.told + known.leftOut < made && performance.now() < until) {
      await sleep(LOOK_EVERY_MS);
      known = await knownSince(before);
    }
    await sleep(LOOK_EVERY_MS);
    known = await knownSince(before);
    expect(made).toBeGreaterThan(FLOWS / 2);
    expect(known.told + known.leftOut).toBe(made);
    expect(known.told).toBeGreaterThan(0);
    expect(known.leftOut).toBeGreaterThan(0);
    expect((await flowLogs()).isSampling).toBe(true);
    expect(agent.log.join('\n')).toContain('some are counted only');
    expect(await agent.get<string>('/metrics')).toMatch(
      /^tortie_flow_log_lost_packets_total\{reason="sampled"\} [1-9]/m,
    );
    const resident = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1];
    expect(1024 * Number(resident)).toBeLessThan(MEMORY_BYTES);
  });
});
