// Host endpoints when things happen to the agent, and to what it has put into the kernel.
import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { pinRoot } from '../../tools/lab/agent.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { allowPort, hostEndpoint, hostPolicy } from './support/host-policies.ts';
import { GATE, HostStage, PORT } from './support/host-stage.ts';

/** Of what only an audit finds: they are 5 s apart. */
const AUDIT_LIMIT_MS = 12_000;
const KILLS = 4;

describe('host endpoints', { timeout: 90_000 * PATIENCE }, () => {
  let stage: HostStage;

  beforeAll(async () => {
    stage = await HostStage.create();
  });

  afterAll(() => stage?.close());

  beforeEach(() => stage.start());

  afterEach(() => stage.clear());

  /** The agent has left word for the next one. */
  const hasSettled = (): Promise<void> =>
    vi.waitFor(() => expect(existsSync(join(stage.setting.lab.directory, 'state', 'settled.json'))).toBe(true), {
      timeout: AUDIT_LIMIT_MS * PATIENCE,
      interval: 50,
    });

  it('leaves verdicts as they are when it is killed, and takes them over', async () => {
    await stage.apply(hostEndpoint('in', { interfaceName: 'hepin' }), allowPort(PORT));
    const verdicts = async (): Promise<string[]> => [
      await stage.knock('client', GATE.v4),
      await stage.probe('client', { transport: 'udp', address: GATE.v4, port: PORT }),
      await stage.knock('client', GATE.v6),
      await stage.knock('server', GATE.v4),
    ];
    const expected = ['open', 'timeout', 'open', 'open'];
    expect(await verdicts()).toEqual(expected);
    const generation = (await stage.agent.status())?.generation;
    await stage.agent.kill();
    expect(await verdicts()).toEqual(expected);
    await stage.start();
    expect(await verdicts()).toEqual(expected);
    const status = await stage.agent.status();
    expect(status?.generation).toBe(generation);
    expect(status?.repairs).toBe(0);
    expect(stage.hookPins()).toHaveLength(6);
  });

  it('puts back what others take: a pin, a program, what the table of interfaces says', async () => {
    const answers = hostPolicy({ name: 'answers', egress: [{ action: 'Allow' }] });
    await stage.apply(hostEndpoint('in', { interfaceName: 'hepin' }), answers);
    const hooks = stage.hookDirectory;
    const isRepaired = async (cause: string): Promise<void> => {
      const { repairsByCause } = await stage.agent.waitFor(
        ({ repairsByCause: causes }) => (causes as Record<string, number>)[cause] !== undefined,
        AUDIT_LIMIT_MS,
      );
      expect((repairsByCause as Record<string, number>)[cause]).toBe(1);
    };
    const [pin = ''] = stage.hookPins().filter((name) => name.startsWith('local-in-4'));
    unlinkSync(join(hooks, pin));
    await isRepaired('pin-missing');
    expect(stage.hookPins()).toHaveLength(6);
    const { BpfLink, BpfMap } = loadNative();
    const link = BpfLink.openPinned(join(hooks, pin));
    link.detach();
    link.close();
    await isRepaired('program-missing');
    expect(await stage.knock('client', GATE.v4)).toBe('timeout');
    const map = BpfMap.openPinned(new Pins(pinRoot(stage.setting.lab)).map('tt_host_ifaces'));
    new Uint8Array(map.mmap()).fill(0);
    map.close();
    await isRepaired('table-edited');
    expect(await stage.knock('client', GATE.v4)).toBe('timeout');
  });

  it('are taken over at once from an agent that had come to rest', async () => {
    await stage.apply(hostEndpoint('in', { interfaceName: 'hepin' }), allowPort(PORT));
    await hasSettled();
    await stage.agent.kill();
    await stage.start();
    expect(stage.agent.log.join('\n')).toContain('taken over in force');
    await stage.agent.waitFor(({ inSync, loading }) => inSync && !loading, AUDIT_LIMIT_MS);
    const answers = [await stage.knock('client', GATE.v4), await stage.knock('server', GATE.v4)];
    expect([...answers, await stage.knock('client', GATE.v4, PORT + 1)]).toEqual(['open', 'open', 'timeout']);
    expect((await stage.agent.status())?.repairs).toBe(0);
  });

  it('sees what has changed while no agent was there', async () => {
    await stage.apply(hostEndpoint('later', { interfaceName: 'lan0' }));
    expect(await stage.knock('client', GATE.v4)).toBe('open');
    await hasSettled();
    await stage.agent.kill();
    await stage.ip('link', 'set', 'hepin', 'name', 'lan0');
    try {
      await stage.start();
      expect(await stage.knock('client', GATE.v4)).toBe('timeout');
      await stage.agent.kill();
    } finally {
      await stage.ip('link', 'set', 'lan0', 'name', 'hepin');
    }
    await stage.start();
    expect(await stage.knock('client', GATE.v4)).toBe('open');
  });

  it('has what two policies agree on in force whenever it is killed on the way from one to the other', async () => {
    const endpoints = [hostEndpoint('in', { interfaceName: 'hepin' }), hostEndpoint('all', { interfaceName: '*' })];
    const policies = [
      allowPort(PORT),
      allowPort(PORT, { applyOnForward: true, ingress: [{ action: 'Allow', protocol: 'TCP' }] }),
    ];
    await stage.apply(...endpoints, policies[0] as object);
    const random = new Random(newSeed('kills between two policies'));
    for (let round = 1; round <= KILLS; round += 1) {
      const next = policies[round % 2] as object;
      stage.write(...(round % 3 === 0 ? endpoints.slice(0, 1) : endpoints), next);
      await new Promise((resolve) => setTimeout(resolve, random.below(200)));
      await stage.agent.kill();
      expect(await stage.knock('client', GATE.v4)).toBe('open');
      expect(await stage.probe('client', { transport: 'udp', address: GATE.v4, port: PORT })).toBe('timeout');
      await stage.start();
    }
  });
});
