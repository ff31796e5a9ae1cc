// Connections to the listener for other machines that nobody should make: none of them keeps a client with a certificate out, and
// none outlives its time or the listener.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Authority } from '../../../support/agent/authority.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';

const LIMITS = { headersMs: 1000, requestMs: 1500, idleMs: 1500, connections: 8 };
/** Of LIMITS with what a busy machine adds. */
const LATE_MS = 5000;
/** How a handshake begins: a record of 512 bytes, of which no more comes. */
const HALF_A_HELLO = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);

let authority: Authority;
let agent: KernelLessAgent;
let sockets: Socket[];

beforeAll(() => {
  authority = new Authority();
  authority.certify('server');
  authority.certify('ann');
  authority.forge('eve');
});

afterAll(() => authority[Symbol.dispose]());

beforeEach(async () => {
  sockets = [];
  agent = await start();
});

function start(limits: Partial<typeof LIMITS> = {}): Promise<KernelLessAgent> {
  const [certificateFile, keyFile, clientAuthorityFile] = ['server.pem', 'server.key', 'ca.pem'].map((file) =>
    authority.path(file),
  ) as [string, string, string];
  const tls = { address: '127.0.0.1', port: 0, certificateFile, keyFile, clientAuthorityFile };
  return KernelLessAgent.start({ api: { limits: { ...LIMITS, ...limits }, tls } });
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await agent.end();
});

/** A client that ends nothing by itself. */
function connect(): Socket {
  const socket = createConnection({ host: '127.0.0.1', port: agent.remotePort as number, allowHalfOpen: true });
  socket.on('error', () => undefined).resume();
  sockets.push(socket);
  return socket;
}

async function expectAnswer(): Promise<void> {
  expect(await authority.get(agent.remotePort as number, '/liveness', 'ann')).toEqual({
    status: 200,
    server: 'server',
  });
}

/** Until the other side has none of them any more: what is sent to one that it has forgotten is answered by a reset. */
async function expectForgotten(those: readonly Socket[]): Promise<void> {
  for (const socket of those) {
    socket.once('end', () => {
      const timer = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(timer));
    });
  }
  await vi.waitFor(() => expect(those.filter(({ closed }) => !closed)).toEqual([]), LATE_MS);
}

describe('the listener for other machines', () => {
  it('has room for a certificate however many come without one', async () => {
    for (let index = 0; index < 40; index += 1) {
      connect();
      if (index % 4 === 0) await sleep(1);
    }
    await sleep(50);
    await expectAnswer();
  });

  it.each([
    ['say nothing', () => undefined],
    ['stop in the middle of the handshake', (socket: Socket) => void socket.write(HALF_A_HELLO)],
    ['send something else', (socket: Socket) => void socket.write('GET /version HTTP/1.1\r\nhost: a\r\n\r\n')],
  ])('forgets clients that %s', async (_what, begin) => {
    const those = Array.from({ length: 4 }, () => {
      const socket = connect();
      begin(socket);
      return socket;
    });
    await expectForgotten(those);
    await expectAnswer();
  });

  it('ends in time, whoever holds connections without a certificate', async () => {
    await agent.end();
    agent = await start({ headersMs: 60_000, requestMs: 60_000 });
    connect().write(HALF_A_HELLO);
    connect();
    await sleep(50);
    const sinceMs = performance.now();
    await agent.stop();
    expect(performance.now() - sinceMs).toBeLessThan(10_000);
    agent = await KernelLessAgent.start({ folder: agent.folder });
  });

  it('forgets clients with a certificate that never end after what they were refused', async () => {
    const read = (file: string): Buffer => readFileSync(authority.path(file));
    const own = { ca: read('ca.pem'), cert: read('ann.pem'), key: read('ann.key') };
    for (let client = 0; client < LIMITS.connections; client += 1) {
      const socket = connectTls({
        ...own,
        socket: connect(),
        checkServerIdentity: () => undefined,
      });
      sockets.push(socket.on('error', () => undefined));
      socket.write('no HTTP\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 400 /);
    }
    await vi.waitFor(expectAnswer, { timeout: LATE_MS, interval: 200 });
  });
});
