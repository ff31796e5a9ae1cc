// Host endpoints as people write them, enforced by a running agent: interfaces that come, go, and change name and address, settings,
// and what is attached when.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { allowPort, felix, hostEndpoint, hostPolicy } from './support/host-policies.ts';
import {
  CLIENT,
  FAMILIES,
  GATE,
  HostStage,
  OTHER_POD,
  PATIENCE_MS,
  POD,
  PORT,
  SERVER,
  SOON_MS,
  SSH,
} from './support/host-stage.ts';

describe('an agent with host endpoints', { timeout: 60_000 * PATIENCE }, () => {
  let stage: HostStage;

  beforeAll(async () => {
    stage = await HostStage.create();
  });

  afterAll(() => stage?.close());

  beforeEach(() => stage.start());

  afterEach(() => stage.clear());

  it('attaches nothing until there is one, all six programs for it, and none after the last', async () => {
    expect(stage.hookPins()).toEqual([]);
    await stage.apply(hostEndpoint('in', { interfaceName: 'hepin' }));
    expect(stage.hookPins().map((name) => name.replace(/-\d$/, ''))).toEqual(
      ['forward', 'local-in', 'local-out'].flatMap((hook) => [`${hook}-4`, `${hook}-6`]),
    );
    expect(await stage.knock('client', GATE.v4)).toBe('timeout');
    await stage.apply();
    expect(stage.hookPins()).toEqual([]);
    expect(await stage.knock('client', GATE.v4)).toBe('open');
  });

  it.each(FAMILIES)(
    'closes all but failsafe ports of a named interface, and opens what policy allows (%s)',
    async (family) => {
      const endpoint = hostEndpoint('in', { interfaceName: 'hepin' });
      await stage.apply(endpoint);
      expect(await stage.knock('client', GATE[family])).toBe('timeout');
      expect(await stage.knock('client', GATE[family], SSH)).toBe('open');
      expect(await stage.knock('server', GATE[family])).toBe('open');
      expect(await stage.knock(HOST, CLIENT[family])).toBe('timeout');
      await stage.apply(endpoint, allowPort(PORT));
      expect(await stage.knock('client', GATE[family])).toBe('open');
      expect(await stage.probe('client', { transport: 'udp', address: GATE[family], port: PORT })).toBe('timeout');
      expect(await stage.knock('client', SERVER[family])).toBe('open');
    },
  );

  it.each(FAMILIES)('takes the interface that has an expected address, from when it has it (%s)', async (family) => {
    const [address, prefix] = family === 'v4' ? ['192.0.2.77', '24'] : ['2001:db8:1::77', '64'];
    await stage.apply(hostEndpoint('in', { expectedIPs: [address] }));
    expect(await stage.statusOf('in')).toMatchObject({
      interfaces: [],
      state: 'waiting',
      reason: expect.stringContaining(address),
    });
    expect(await stage.knock('client', GATE[family])).toBe('open');
    await stage.ip('address', 'add', `${address}/${prefix}`, 'dev', 'hepin', ...(family === 'v6' ? ['nodad'] : []));
    await stage.becomes(() => stage.knock('client', GATE[family]), 'timeout');
    expect(await stage.statusOf('in')).toMatchObject({ interfaces: ['hepin'], state: 'ready', reason: '' });
    await stage.ip('address', 'delete', `${address}/${prefix}`, 'dev', 'hepin');
    await stage.becomes(() => stage.knock('client', GATE[family]), 'open');
  });

  it('follows an interface that is renamed, and one that comes later', async () => {
    await stage.apply(hostEndpoint('later', { interfaceName: 'lan0' }));
    expect(await stage.statusOf('later')).toMatchObject({
      interfaces: [],
      state: 'waiting',
      reason: 'interface lan0 does not exist yet',
    });
    expect(await stage.knock('client', GATE.v4)).toBe('open');
    await stage.ip('link', 'set', 'hepin', 'name', 'lan0');
    try {
      await stage.becomes(() => stage.knock('client', GATE.v4), 'timeout');
      expect(await stage.statusOf('later')).toMatchObject({ interfaces: ['lan0'], state: 'ready' });
    } finally {
      await stage.ip('link', 'set', 'lan0', 'name', 'hepin');
    }
    await stage.becomes(() => stage.knock('client', GATE.v4), 'open');
  });

  it('is known to why and recommend by the addresses of its interface', async () => {
    await stage.apply(hostEndpoint('in', { interfaceName: 'hepin' }), allowPort(PORT));
    expect((await stage.statusOf('in'))?.addresses).toEqual(expect.arrayContaining([GATE.v4, GATE.v6]));
    for (const family of FAMILIES) {
      const why = async (port: number) => {
        const words = ['--from', CLIENT[family], '--to', GATE[family], '--port', String(port), '-o', 'json'];
        const { sides } = JSON.parse((await stage.agent.ask('why', ...words)).stdout) as {
          sides: { direction: string; endpoint: string; verdict: string }[];
        };
        return sides.map(({ direction, endpoint, verdict }) => `${direction} ${endpoint} ${verdict}`);
      };
      expect(await why(PORT)).toEqual(['ingress host in allow']);
      expect(await why(PORT + 1)).toEqual(['ingress host in deny']);
    }
    const file = join(stage.setting.lab.directory, 'flows.json');
    const seen = [CLIENT, GATE].map(({ v4 }) => v4);
    writeFileSync(file, `${JSON.stringify({ src: seen[0], dst: seen[1], protocol: 'TCP', dstPort: PORT })}\n`);
    const { stdout } = await stage.agent.ask('recommend', '--host-endpoint', 'in', '--from-file', file, '--exact');
    expect(stdout).toMatch(/^# proof: 1 different flow judged again, 0 denied; /m);
    expect(stdout).toContain(`ports: [${PORT}]`);
  });

  it('has * responsible for all interfaces but those of others, and says who is in whose way', async () => {
    await stage.apply(
      hostEndpoint('all', { interfaceName: '*' }),
      hostEndpoint('b-out', { interfaceName: 'hepout', labels: { open: 'yes' } }),
      hostEndpoint('c-out', { interfaceName: 'hepout' }),
      hostEndpoint('pods', { interfaceName: POD.hostInterface }),
      allowPort(PORT, { selector: 'has(open)', ingress: [{ action: 'Allow' }] }),
    );
    expect(await stage.knock('client', GATE.v4)).toBe('timeout');
    expect(await stage.knock('server', GATE.v4)).toBe('open');
    expect(await stage.statusOf('all')).toMatchObject({
      interfaces: expect.arrayContaining(['hepin']),
      state: 'ready',
    });
    expect(await stage.statusOf('b-out')).toMatchObject({ interfaces: ['hepout'], state: 'ready' });
    expect(await stage.statusOf('c-out')).toMatchObject({
      state: 'error',
      reason: 'interface hepout belongs to b-out',
    });
    expect(await stage.statusOf('pods')).toMatchObject({
      state: 'error',
      reason: expect.stringContaining("a workload's"),
    });
    expect(await stage.knock(HOST, POD.addresses[0] as string)).toBe('open');
    const list = await stage.agent.ask('endpoint', 'list', '--output', 'json');
    expect(JSON.parse(list.stdout)).toContainEqual(expect.objectContaining({ hostEndpoint: 'b-out' }));
  });

  it('judges what workloads hand each other once * has lists for what is forwarded, and no longer after', async () => {
    const [from, to] = ['pod', OTHER_POD.addresses[0] as string];
    expect(await stage.knock(from, to)).toBe('open');
    const all = hostEndpoint('all', { interfaceName: '*' });
    await stage.apply(all, hostPolicy({ name: 'none', applyOnForward: true, ingress: [], egress: [] }));
    expect(await stage.knock(from, to)).toBe('timeout');
    await stage.apply(all);
    expect(await stage.knock(from, to)).toBe('open');
  });

  it.each([
    { action: 'Drop', answer: 'timeout' },
    { action: 'Accept', answer: 'open' },
    { action: 'Return', answer: 'open' },
  ])('treats what a workload sends to its host as settings say: $action', async ({ action, answer }) => {
    await stage.apply(felix({ defaultEndpointToHostAction: action }));
    expect(await stage.knock('pod', GATE.v4)).toBe(answer);
    expect(await stage.knock('pod', GATE.v6)).toBe(answer);
    expect(await stage.knock(HOST, POD.addresses[0] as string)).toBe('open');
    expect(await stage.knock('client', GATE.v4)).toBe('open');
    await stage.apply();
    expect(await stage.knock('pod', GATE.v4)).toBe('open');
  });

  it('takes other failsafe ports while it runs', async () => {
    const endpoint = hostEndpoint('in', { interfaceName: 'hepin' });
    await stage.apply(endpoint);
    expect([await stage.knock('client', GATE.v4, SSH), await stage.knock('client', GATE.v4)]).toEqual([
      'open',
      'timeout',
    ]);
    await stage.apply(endpoint, felix({ failsafeInboundHostPorts: [{ protocol: 'TCP', port: PORT }] }));
    expect([await stage.knock('client', GATE.v4, SSH), await stage.knock('client', GATE.v4)]).toEqual([
      'timeout',
      'open',
    ]);
  });

  it('cuts a connection that policy denies from now on, and lets it go on when it is allowed again', async () => {
    const endpoint = hostEndpoint('in', { interfaceName: 'hepin' });
    await stage.apply(endpoint, allowPort(PORT));
    const stream = stage.setting.peer('client').stream({ address: GATE.v4, port: PORT, intervalMs: 20 });
    await stream.progress(3, SOON_MS * PATIENCE);
    await stage.apply(endpoint);
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    const stuck = stream.last?.alive ?? 0;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    expect((stream.last?.alive ?? 0) - stuck).toBeLessThanOrEqual(1);
    await stage.apply(endpoint, allowPort(PORT));
    await stream.progress(3, SOON_MS * PATIENCE);
    await stream.stop();
  });
});
