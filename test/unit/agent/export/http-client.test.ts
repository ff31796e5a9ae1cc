import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HttpClient } from '../../../../src/agent/export/sinks/http-client.ts';

const POST = { path: '/', headers: {}, body: Buffer.from('x') };

let server: Server;
let port: number;
/** Whether requests are answered. */
let isAnswering: boolean;
let asked: number;

beforeEach(async () => {
  isAnswering = true;
  asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    request.resume();
    if (isAnswering) response.end('yes');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
});

function open(timeoutMs: number): HttpClient {
  return new HttpClient({
    transport: 'http',
    host: '127.0.0.1',
    port,
    timeoutMs,
    headersFile: undefined,
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
  });
}

it('leaves nothing of a request behind that was answered', async () => {
  // Signals that are derived from one that lives as long as the client are never given up by it.
  const derived = vi.spyOn(AbortSignal, 'any');
  const timers = vi.spyOn(globalThis, 'clearTimeout');
  const client = open(60_000);
  for (let round = 0; round < 5; round += 1) expect(await client.post(POST)).toBe('yes');
  expect(derived).not.toHaveBeenCalled();
  expect(timers.mock.calls.length).toBeGreaterThanOrEqual(5);
  client.close();
});

it('gives a receiver up that does not answer', async () => {
  isAnswering = false;
  const client = open(50);
  await expect(client.post(POST)).rejects.toThrow('no answer in 50 ms');
  client.close();
});

it('ends what is under way when it is closed, and sends nothing afterwards', async () => {
  isAnswering = false;
  const client = open(60_000);
  const sent = client.post(POST).catch(String);
  await vi.waitFor(() => expect(asked).toBe(1));
  client.close();
  expect(await sent).not.toContain('no answer');
  await expect(client.post(POST)).rejects.toThrow('closed');
  expect(asked).toBe(1);
});
