// Recommendations from what is kept by default: records put together, without addresses. A service behind translation is in them
// by its name alone.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const GREEN = WORKLOADS[1]?.addresses[0] as string;
const [KNOWN, UNKNOWN] = ['10.96.0.10', '10.96.0.11'] as const;
const INTERVAL = 'TORTIE_FLOW_LOGS_INTERVAL';
/** Records of 15 seconds are put together before they are stored. */
const STORED_MS = 60_000;

describe('policy made of records that were put together', () => {
  let setting: Setting;

  beforeAll(async () => {
    process.env[INTERVAL] = '1';
    setting = await Setting.create({ workloads: WORKLOADS, listeners: [{ transport: 'tcp', port: 7000 }] });
    setting.manifests.write('10-service.yaml', [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'db', namespace: 'lab' },
        spec: { clusterIP: KNOWN, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
      },
    ]);
    for (const address of [KNOWN, UNKNOWN]) {
      const what = ['-d', address, '-p', 'tcp', '--dport', '80', '-j', 'DNAT', '--to-destination', `${GREEN}:7000`];
      await setting.lab.exec(HOST, ['iptables', '-t', 'nat', '-A', 'PREROUTING', ...what]);
    }
    await setting.startAgent();
  });

  afterAll(async () => {
    delete process.env[INTERVAL];
    await setting?.close();
  });

  function tortie(...words: readonly string[]): Promise<{ readonly code: number; readonly answer: string }> {
    const [program = '', ...rest] = tortieCommand(...words, '--socket', join(setting.lab.directory, 'agent.sock'));
    return new Promise((resolve) => {
      execFile(program, rest, { maxBuffer: 2 ** 26 }, (error, stdout) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
        resolve({ code, answer: stdout });
      });
    });
  }

  /** Connections of red's to services, and what green saw of them, once so many are stored. */
  function stored(wanted: Readonly<Record<string, number>>): Promise<void> {
    const count = async (): Promise<Record<string, number>> => {
      const { answer } = await tortie('flows', '--since', '10m', '-o', 'json');
      const found: Record<string, number> = {};
      for (const line of answer.split('\n').filter((text) => text !== '')) {
        const { reporter, destination, service, flowsStarted } = JSON.parse(line) as FlowLog;
        const key = `${reporter} ${destination.name}:${destination.port} ${service?.name ?? '-'} ${destination.address}`;
        found[key.trim()] = (found[key.trim()] ?? 0) + flowsStarted;
      }
      return found;
    };
    return expect.poll(count, { timeout: STORED_MS * PATIENCE, interval: 1000 }).toEqual(wanted);
  }

  async function connect(address: string): Promise<void> {
    expect(await setting.probe('red', { transport: 'tcp', address, port: 80 })).toBe('open');
  }

  it('has a rule for a service, by the address that the policy of its client sees', async () => {
    for (let index = 0; index < 3; index += 1) await connect(KNOWN);
    await stored({ 'src pvt:80 db': 3, 'dst green:7000 -': 3 });
    const { code, answer } = await tortie('recommend', '--namespace', 'lab', '--exact');
    expect(answer).toMatch(/^# proof: [1-9]\d* different flows judged again, 0 denied;/m);
    expect(answer).toContain('service lab/db. Seen: 3 flows');
    expect(answer).toContain(`nets: [${KNOWN}/32]`);
    expect(answer).not.toContain('Left out');
    expect(code, answer).toBe(0);
  });

  it('is no success where flows are left out that would be denied, unless that is accepted', async () => {
    await connect(UNKNOWN);
    await stored({ 'src pvt:80 db': 3, 'src pvt:80 -': 1, 'dst green:7000 -': 4 });
    const { code, answer } = await tortie('recommend', '--namespace', 'lab', '--exact');
    expect(answer).toContain('Left out: 1 flow that passed; the policies would deny them.');
    expect(code).toBe(1);
    expect((await tortie('recommend', '--namespace', 'lab', '--exact', '--accept-left-out')).code).toBe(0);
  });
});
