// The agent as a service: what it tells systemd, what it may do, and settings that change while it runs.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { cleanUp } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';
import { Authority } from '../support/agent/authority.ts';
import { allowPorts, policy } from './support/policies.ts';
import { PolicyTruth } from './support/policy-truth.ts';
import { ServiceAgent, unitCapabilities } from './support/service-agent.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const PARTIES = WORKLOADS.map(({ pod, addresses }) => ({ name: pod, addresses }));
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const WAIT_MS = 15_000;

describe('the agent as a service', () => {
  let setting: Setting;
  let agent: ServiceAgent | undefined;

  function configure(settings: Readonly<Record<string, unknown>> = {}): void {
    ServiceAgent.writeConfig(setting.lab, { manifests: setting.manifests.path, ...settings });
  }

  async function expectVerdicts(): Promise<void> {
    const cases = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, LISTENERS);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  async function launch(
    spec: { capabilities?: readonly string[]; flags?: readonly string[] } = {},
  ): Promise<ServiceAgent> {
    agent = await ServiceAgent.launch(setting.lab, spec);
    return agent;
  }

  async function untilReady(service: ServiceAgent): Promise<void> {
    const isReady = () => expect(service.hasEnded || service.socket.events.includes('READY')).toBe(true);
    await vi.waitFor(isReady, WAIT_MS);
    expect([service.hasEnded, service.hasEnded ? service.log : []]).toEqual([false, []]);
  }

  async function expectSetting(service: ServiceAgent, name: string, value: unknown): Promise<void> {
    await vi.waitFor(async () => {
      const found = (await service.config()).settings.find((one) => one.name === name);
      expect(found?.value).toBe(value);
    }, WAIT_MS);
  }

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    const green = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
    setting.manifests.write('50-policy.yaml', [policy({ ...green, ingress: allowPorts([7000]) })]);
  });

  afterEach(async () => {
    await agent?.end('SIGKILL');
    agent = undefined;
    setting.manifests.remove('60-felix.yaml');
    await cleanUp(setting.lab);
  });

  afterAll(() => setting?.close());

  it('ends when its start fails after it has begun to enforce: nothing of it goes on', async () => {
    const taken = join(setting.lab.directory, 'taken.sock');
    mkdirSync(join(taken, 'something'), { recursive: true });
    configure();
    const service = await launch({ flags: ['--socket', taken] });
    await vi.waitFor(() => expect(service.hasEnded).toBe(true), WAIT_MS);
    expect(service.log.join('\n')).toMatch(/taken\.sock/);
    const next = await launch();
    await untilReady(next);
    await expectVerdicts();
  });

  it('tells systemd when it is in sync, reloads and stops, and all the while that it lives', async () => {
    configure();
    const service = await launch();
    await untilReady(service);
    expect(await service.status()).toMatchObject({ inSync: true });
    const { messages, events } = service.socket;
    expect(events.indexOf('READY')).toBeGreaterThan(events.indexOf('STATUS'));
    expect(messages.find((message) => message.startsWith('READY'))).toMatch(/^READY=1\nSTATUS=in sync, 2 endpoints, /);
    const pings = () => messages.filter((message) => message === 'WATCHDOG=1').length;
    const before = pings();
    await vi.waitFor(() => expect(pings()).toBeGreaterThan(before + 2), WAIT_MS);
    const told = service.socket.events.length;
    service.signal('SIGHUP');
    await vi.waitFor(() => expect(service.socket.events.slice(told)).toEqual(['RELOADING', 'READY']), WAIT_MS);
    expect(await service.end()).toBe(0);
    expect(service.socket.events.at(-1)).toBe('STOPPING');
  });

  it('is not ready for as long as what it accepted does not fit', async () => {
    configure({ limits: { rules: 1 } });
    const service = await launch();
    await vi.waitFor(() => expect(service.socket.messages.join()).toContain('NOT in sync'), WAIT_MS);
    expect(service.socket.events).not.toContain('READY');
    expect((await service.status()).error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it.each(['tcx', 'clsact'] as const)(
    'works with the capabilities of the unit, attached by %s, and takes over with them',
    async (attach) => {
      configure({ attach });
      for (const _ of ['first', 'second']) {
        const service = await launch();
        await untilReady(service);
        expect((await service.status()).endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
        await expectVerdicts();
        await service.end('SIGKILL');
      }
    },
  );

  it.each(unitCapabilities())('does not work without the capability %s', async (capability) => {
    configure();
    const service = await launch({ capabilities: unitCapabilities().filter((one) => one !== capability) });
    await vi.waitFor(() => {
      const isRefused = service.hasEnded || service.log.some((line) => line.includes('not guarded'));
      expect(isRefused).toBe(true);
    }, WAIT_MS);
  });

  it('changes what may change when the file changes, and says what needs a restart', async () => {
    configure({ eventBudget: 10, established: 'revalidate' });
    const service = await launch();
    await untilReady(service);
    configure({ eventBudget: 20, established: 'keep', onDeny: 'reset', node: 'other' });
    await expectSetting(service, 'eventBudget', 20);
    await expectSetting(service, 'established', 'keep');
    await expectSetting(service, 'onDeny', 'reset');
    expect((await service.status()).config).toEqual({ errors: [], pending: ['node'] });
    expect((await service.status()).endpoints).toHaveLength(2);
  });

  it('keeps the last good settings when the file is broken, through a restart too', async () => {
    configure({ eventBudget: 10 });
    const first = await launch();
    await untilReady(first);
    writeFileSync(ServiceAgent.configFile(setting.lab), 'evntBudget: 3\n');
    await vi.waitFor(
      async () => expect((await first.status()).config?.errors).toMatchObject([{ code: 'UNKNOWN_FIELD' }]),
      WAIT_MS,
    );
    await expectSetting(first, 'eventBudget', 10);
    expect(await first.end()).toBe(0);
    const second = await launch();
    await untilReady(second);
    await expectSetting(second, 'eventBudget', 10);
    expect((await second.status()).config?.errors).toMatchObject([{ code: 'UNKNOWN_FIELD' }]);
  });

  it('answers other machines where it is told to, and only by certificate', async () => {
    using authority = new Authority();
    for (const name of ['server', 'ann']) authority.certify(name);
    configure({
      apiAddress: '127.0.0.1:7443',
      apiCertificate: authority.path('server.pem'),
      apiKey: authority.path('server.key'),
      apiClientAuthority: authority.path('ca.pem'),
    });
    const service = await launch();
    await untilReady(service);
    const get = async (...own: readonly string[]): Promise<string> => {
      const request = 'GET /version HTTP/1.1\r\nHost: tortie\r\nConnection: close\r\n\r\n';
      const argv = ['openssl', 's_client', '-quiet', '-connect', '127.0.0.1:7443', '-CAfile', authority.path('ca.pem')];
      return setting.lab.exec(HOST, [...argv, ...own], request).then(
        ({ stdout }) => stdout,
        () => 'refused',
      );
    };
    const certificate = ['-cert', authority.path('ann.pem'), '-key', authority.path('ann.key')];
    expect(await get(...certificate)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get()).not.toContain('HTTP/1.1');
  });

  it('is not ended by a listener that cannot be opened, and says so', async () => {
    const none = '/nonexistent.pem';
    configure({ apiAddress: '127.0.0.1:7443', apiCertificate: none, apiKey: none, apiClientAuthority: none });
    const service = await launch();
    await vi.waitFor(() => expect(service.socket.events).toContain('READY'), WAIT_MS);
    const ready = service.socket.messages.find((message) => message.startsWith('READY'));
    expect(ready).toContain('not listening to other machines');
    expect(service.log.filter((line) => line.includes('not listening to other machines'))).toHaveLength(1);
    expect(await service.status()).toMatchObject({ inSync: true });
  });

  it('goes by a FelixConfiguration among the manifests, and below its own file', async () => {
    configure({ logLevel: 'error' });
    const felix = (interfacePrefix: string) => ({
      apiVersion: 'projectcalico.org/v3',
      kind: 'FelixConfiguration',
      metadata: { name: 'default' },
      spec: { interfacePrefix, logSeverityScreen: 'Debug', bpfLogLevel: 'Off' },
    });
    setting.manifests.write('60-felix.yaml', [felix('tap')]);
    const service = await launch();
    await untilReady(service);
    await expectSetting(service, 'interfacePrefix', 'tap');
    await expectSetting(service, 'logLevel', 'error');
    expect((await service.config()).ignored.map(({ origin }) => origin)).toEqual(['default bpfLogLevel']);
    setting.manifests.write('60-felix.yaml', [felix('eni')]);
    await expectSetting(service, 'interfacePrefix', 'eni');
    setting.manifests.remove('60-felix.yaml');
    await expectSetting(service, 'interfacePrefix', 'cali');
  });
});
