// Exports of an agent: of real connections, to files and to a collector of IPFIX.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PacketEntry } from '../../src/observe/export/log-action.ts';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { type Daemon, readNfcapd, startNfcapd, until } from '../support/export/receivers.ts';
import { type Octets, octetsOf } from './support/octets.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

describe('an agent', { timeout: 120_000 }, () => {
  const red = workload('lab', 'red', 1);
  const green = workload('lab', 'green', 2);
  let setting: Setting | undefined;
  let folder: string;
  let daemons: Daemon[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-agent-exports-'));
    daemons = [];
  });

  afterEach(async () => {
    for (const daemon of daemons) await daemon.stop();
    await setting?.close();
    setting = undefined;
    rmSync(folder, { recursive: true });
  });

  it('tells a collector of IPFIX as many octets as the stack of a workload counts, each once', async () => {
    const listeners = (['tcp', 'udp'] as const).map((transport) => ({ transport, port: 7000 }));
    setting = await Setting.create({ workloads: [red, green], listeners });
    const { lab } = setting;
    const subject = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
    setting.manifests.write('50-policy.yaml', [policy({ ...subject, ingress: allowPorts([7000]) })]);
    const enter = (argv: readonly string[]): string[] => lab.enter(HOST, argv);
    for (const at of [4739, 4740]) daemons.push(await startNfcapd(join(folder, String(at)), at, enter));
    const targets = 'ipfix+udp://127.0.0.1:4739 ipfix+udp://127.0.0.1:4740#name=both&reporter=all';
    const variables = [`TORTIE_EXPORTS=${targets}`, 'TORTIE_FLOW_LOGS_INTERVAL=1', 'TORTIE_EVENT_BUDGET=0'];
    const agent = await setting.startAgent({ wrapper: ['env', ...variables] });
    const before = (await octetsOf(lab, 'red')).v4;
    const [address = ''] = green.addresses;
    for (let round = 0; round < 5; round += 1) {
      for (const { transport, port } of listeners)
        expect(await setting.probe('red', { transport, address, port })).toBe('open');
    }
    expect(await setting.probe('red', { transport: 'tcp', address, port: 7001 })).toBe('timeout');
    await sleep(3000 * PATIENCE);
    await agent.stop();
    const after = (await octetsOf(lab, 'red')).v4;
    for (const daemon of daemons) await daemon.stop();
    const [once, both] = ([4739, 4740] as const).map((at) => octetsIn(join(folder, String(at)), red.addresses[0]));
    const counted = { sent: after.sent - before.sent, received: after.received - before.received };
    expect(counted.received).toBeGreaterThan(0);
    expect(once).toEqual(counted);
    expect(both).toEqual({ sent: 2 * counted.sent, received: 2 * counted.received });
  });

  it('names a Service that came after the agent', async () => {
    setting = await Setting.create({ workloads: [red, green], listeners: [{ transport: 'tcp', port: 7000 }] });
    const exported = join(folder, 'flows');
    const variables = [`TORTIE_EXPORTS=file://${exported}`, 'TORTIE_FLOW_LOGS_INTERVAL=1'];
    const agent = await setting.startAgent({ wrapper: ['env', ...variables] });
    const [address = ''] = green.addresses;
    const ports = [{ name: 'sql', port: 7000, protocol: 'TCP' }];
    const metadata = { namespace: 'lab', name: 'db' };
    const spec = { clusterIP: address, ports };
    setting.manifests.write('60-service.yaml', [{ apiVersion: 'v1', kind: 'Service', metadata, spec }]);
    const services = (): unknown[] => linesOf<FlowLog>(exported).map(({ service }) => service);
    for (let round = 0; round < 20 * PATIENCE && !services().some((one) => one !== undefined); round += 1) {
      expect(await setting.probe('red', { transport: 'tcp', address, port: 7000 })).toBe('open');
      await sleep(500);
    }
    expect(services()).toContainEqual({ ...metadata, portName: 'sql', port: 7000 });
    await agent.stop();
  });

  it('exports flows of real connections, and logs what met a Log rule: which rule, from which file and line', async () => {
    const listeners = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
    setting = await Setting.create({ workloads: [red, green], listeners });
    const rules = [
      { action: 'Log', protocol: 'UDP' },
      { action: 'Log', protocol: 'TCP' },
      ...allowPorts([7000]),
      { action: 'Deny' },
    ] as const;
    const subject = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
    setting.manifests.write('50-policy.yaml', [policy({ ...subject, ingress: rules })]);
    const [exported, logged] = [join(setting.lab.directory, 'out/flows'), join(setting.lab.directory, 'log/packets')];
    const variables = [
      `TORTIE_EXPORTS=file://${exported}`,
      `TORTIE_PACKET_LOG=file://${logged}`,
      'TORTIE_LOG_PREFIX=%k:%p',
    ];
    const quick = 'TORTIE_FLOW_LOGS_INTERVAL=1';
    const agent = await setting.startAgent({ wrapper: ['env', ...variables, quick] });
    const address = green.addresses[0] ?? '';
    for (const port of [7000, 7000, 7000])
      expect(await setting.probe('red', { transport: 'tcp', address, port })).toBe('open');
    expect(await setting.probe('red', { transport: 'tcp', address, port: 7001 })).toBe('timeout');
    const flowsTo = (port: number) =>
      linesOf<FlowLog>(exported).filter((one) => one.destination.address === address && one.destination.port === port);
    await until(() => flowsTo(7000).length > 0 && flowsTo(7001).length > 0, 'flows are exported');
    expect(flowsTo(7000).every(({ action, source }) => action === 'allow' && source.namespace === 'lab')).toBe(true);
    expect(flowsTo(7001).some(({ action, reporter }) => action === 'deny' && reporter === 'dst')).toBe(true);
    await until(() => linesOf<PacketEntry>(logged).length >= 4, 'packets are logged');
    const entries = linesOf<PacketEntry>(logged);
    expect(entries.filter(({ packet }) => packet?.DPT === 7000 && packet.VERDICT === 'allow')).toHaveLength(3);
    expect(entries.some(({ packet }) => packet?.DPT === 7001 && packet.VERDICT === 'deny')).toBe(true);
    expect(entries[0]?.text).toMatch(
      new RegExp(`^np:lab/\\S*green: IN=\\S+ OUT=\\S* SRC=${red.addresses[0]} DST=${address} `),
    );
    expect(entries[0]?.rule).toMatchObject({ index: 1, direction: 'ingress' });
    expect(entries[0]?.rule.location).toMatch(/^50-policy.yaml:\d+$/);
    const metrics = await setting.lab.exec(HOST, [
      'curl',
      '-s',
      '--unix-socket',
      join(setting.lab.directory, 'agent.sock'),
      'http://a/metrics',
    ]);
    const total = linesOf<FlowLog>(exported).length;
    expect(metrics.stdout).toMatch(/tortie_export_flows_total\{exporter="file",outcome="delivered"\} [1-9]/);
    expect(total).toBeGreaterThan(0);
    await agent.stop();
  });
});

/** Of flows that this address has opened. */
function octetsIn(capture: string, address: string | undefined): Octets {
  const own = readNfcapd(capture).filter(({ src4_addr }) => src4_addr === address);
  return {
    sent: own.reduce((sum, { in_bytes }) => sum + in_bytes, 0),
    received: own.reduce((sum, { out_bytes = 0 }) => sum + out_bytes, 0),
  };
}

function linesOf<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
