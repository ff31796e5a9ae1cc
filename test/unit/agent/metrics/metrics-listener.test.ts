import { createServer, Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MetricsListener } from '../../../../src/agent/metrics/metrics-listener.ts';
import { Logger } from '../../../../src/base/log.ts';

const PLACE = { address: '127.0.0.1', port: 0 };
const log: string[] = [];
const logger = new Logger({ level: 'info', write: (line) => log.push(line) });
let listener: MetricsListener | undefined;
let scrapes = 0;

async function read(): Promise<{ text: string; contentType: string }> {
  scrapes += 1;
  return { text: `scrape ${scrapes}\n`, contentType: 'text/plain; version=0.0.4' };
}

async function ask(path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${listener?.port}${path}`, { method });
  return { status: response.status, text: await response.text() };
}

afterEach(async () => {
  await listener?.close();
  scrapes = 0;
  log.length = 0;
});

describe('MetricsListener', () => {
  it('answers metrics and nothing else', async () => {
    listener = new MetricsListener(read, PLACE, logger);
    await listener.open();
    expect(await ask('/metrics?name=x')).toEqual({ status: 200, text: 'scrape 1\n' });
    expect((await ask('/v1/status')).status).toBe(404);
    expect((await ask('/metrics', 'POST')).status).toBe(405);
    expect(await ask('/metrics', 'HEAD')).toEqual({ status: 200, text: '' });
  });

  it('reads once for many who ask at once', async () => {
    listener = new MetricsListener(read, PLACE, logger);
    await listener.open();
    await Promise.all(Array.from({ length: 20 }, () => ask('/metrics')));
    expect(scrapes).toBe(1);
  });

  it('reads anew later', async () => {
    listener = new MetricsListener(read, PLACE, logger, { keepMs: 0 });
    await listener.open();
    await ask('/metrics');
    expect((await ask('/metrics')).text).toBe('scrape 2\n');
  });

  it('says that a scrape came to nothing', async () => {
    listener = new MetricsListener(() => Promise.reject(new Error('broken')), PLACE, logger);
    await listener.open();
    expect((await ask('/metrics')).status).toBe(500);
    expect(log.join('')).toContain('broken');
  });

  it('goes on trying while the address is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    listener = new MetricsListener(read, { address: '127.0.0.1', port }, logger, { tryEveryMs: 20 });
    await listener.open();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(listener.port).toBeUndefined();
    expect(log.filter((line) => line.includes('not answering metrics'))).toHaveLength(1);
    await new Promise((resolve) => other.close(resolve));
    await vi.waitFor(() => expect(listener?.port).toBe(port));
    expect((await ask('/metrics')).status).toBe(200);
  });

  it('leaves nothing open and nothing waiting when it is closed while it opens', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    for (const address of ['127.0.0.1', 'localhost']) {
      listener = new MetricsListener(read, { address, port: 0 }, logger);
      const opened = listener.open();
      await listener.close();
      await opened;
      const server = listen.mock.contexts.at(-1) as Server;
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect([address, server.listening, log]).toEqual([address, false, []]);
    }
    listen.mockRestore();
  });

  it('leaves no listener behind for a try that failed', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    listener = new MetricsListener(read, { address: '127.0.0.1', port }, logger, { tryEveryMs: 1 });
    await listener.open();
    const server = listen.mock.contexts.at(-1) as Server;
    const before = server.listenerCount('listening');
    await vi.waitFor(() => expect(listen.mock.calls.length).toBeGreaterThan(5));
    expect(server.listenerCount('listening')).toBeLessThanOrEqual(before + 1);
    listen.mockRestore();
    await new Promise((resolve) => other.close(resolve));
  });
});
