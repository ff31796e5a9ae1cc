// The listener for other machines over its life, with real certificates: opened late, renewed, never a reason to fail.
import { copyFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TlsListenerOptions } from '../../../src/agent/api/options.ts';
import { AgentApi } from '../../../src/agent/api.ts';
import { RemoteListener } from '../../../src/agent/remote-listener.ts';
import { Logger } from '../../../src/base/log.ts';
import { Authority } from '../../support/agent/authority.ts';
import { KernelLessAgent } from '../../support/agent/kernel-less-agent.ts';

const TRY_EVERY_MS = 20;
const WAIT_MS = 10_000;

describe('the listener for other machines', () => {
  let authority: Authority;
  let agent: KernelLessAgent;
  let api: AgentApi;
  let listener: RemoteListener;
  let log: string[];
  let options: TlsListenerOptions;

  async function occupy(port = 0): Promise<Server> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  async function free(server: Server): Promise<number> {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  beforeEach(async () => {
    authority = new Authority();
    for (const name of ['first', 'second', 'ann']) authority.certify(name);
    authority.forge('eve');
    agent = await KernelLessAgent.start();
    log = [];
    const logger = new Logger({ level: 'info', write: (line) => log.push(line) });
    api = new AgentApi(agent, logger);
    present('first');
    options = {
      address: '127.0.0.1',
      port: await free(await occupy()),
      certificateFile: authority.path('server.pem'),
      keyFile: authority.path('server.key'),
      clientAuthorityFile: authority.path('ca.pem'),
    };
    listener = new RemoteListener(api, options, logger, TRY_EVERY_MS);
  });

  afterEach(async () => {
    await listener.close();
    await api.close();
    await agent.end();
    authority[Symbol.dispose]();
  });

  /** Puts the certificate of that name where the agent looks for its own. */
  function present(name: string): void {
    for (const kind of ['pem', 'key'])
      copyFileSync(authority.path(`${name}.${kind}`), authority.path(`server.${kind}`));
  }

  function get(name?: string): ReturnType<Authority['get']> {
    return authority.get(options.port, '/version', name);
  }

  function errors(): string[] {
    return log.filter((line) => line.includes('"level":"error"'));
  }

  it('answers a certificate of its authority and no other', async () => {
    await listener.open();
    expect(await get('ann')).toEqual({ status: 200, server: 'first' });
    await expect(get('eve')).rejects.toThrow();
    await expect(get()).rejects.toThrow();
  });

  it('is opened once its address can be had, and complains once', async () => {
    const other = await occupy(options.port);
    await listener.open();
    expect(listener.isOpen).toBe(false);
    await expect(listener.open().then(() => listener.isOpen)).resolves.toBe(false);
    await free(other);
    await vi.waitFor(() => expect(listener.isOpen).toBe(true), WAIT_MS);
    expect(errors()).toHaveLength(1);
    expect(errors()[0]).toContain('EADDRINUSE');
    expect((await get('ann')).status).toBe(200);
  });

  it('is opened once there are certificates', async () => {
    writeFileSync(options.certificateFile, 'not a certificate');
    await listener.open();
    expect(listener.isOpen).toBe(false);
    present('second');
    await listener.renew();
    expect(await get('ann')).toEqual({ status: 200, server: 'second' });
  });

  it('shows a new certificate after it was renewed, and asks clients for theirs as before', async () => {
    await listener.open();
    present('second');
    await listener.renew();
    expect(await get('ann')).toEqual({ status: 200, server: 'second' });
    await expect(get('eve')).rejects.toThrow();
    await expect(get()).rejects.toThrow();
  });

  it.each([
    ['a certificate that is none', () => writeFileSync(options.certificateFile, 'x')],
    ['the key of another certificate', () => copyFileSync(authority.path('second.key'), options.keyFile)],
  ])('keeps the certificate in use when renewed with %s', async (_what, breakIt) => {
    await listener.open();
    breakIt();
    await listener.renew();
    expect(errors()).toHaveLength(1);
    expect(await get('ann')).toEqual({ status: 200, server: 'first' });
    await expect(get('eve')).rejects.toThrow();
  });

  it('is tried no more once it is closed', async () => {
    const other = await occupy(options.port);
    await listener.open();
    await listener.close();
    await free(other);
    await listener.open();
    expect(listener.isOpen).toBe(false);
  });
});
