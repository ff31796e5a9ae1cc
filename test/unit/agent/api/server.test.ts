// Requests that nobody should send: each is refused in words, and the next good one is answered.
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataplaneError } from '../../../../src/base/errors.ts';
import { askAgent, sendToAgent } from '../../../../src/cli/agent-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';

const LIMITS = { headersMs: 300, requestMs: 600, idleMs: 1000, connections: 8 };

let agent: KernelLessAgent;

beforeEach(async () => {
  agent = await KernelLessAgent.start({ api: { limits: LIMITS } });
});

afterEach(() => agent.end());

/** Everything the server answers until it closes, or for a while. */
async function exchange(text: string | Buffer, waitMs = 3000): Promise<string> {
  const socket = createConnection(agent.options.socket);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(text);
  await Promise.race([closed, sleep(waitMs)]);
  socket.destroy();
  return answer;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
const post = (path: string, type: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const REFUSED: readonly [string, string, number][] = [
  ['percent-encoding that is none', get('/%ff'), 400],
  ['a path of two slashes', get('//'), 400],
  ['a path that goes up', get('/api/v1/../x'), 400],
  ['a control character in a name', get('/api/v1/nodes/a%00b'), 400],
  ['an absolute form', 'GET http://evil/api HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400],
  ['an unknown path', get('/nothing'), 404],
  ['an unknown method', 'PURGE /version HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 405],
  ['another method', post('/version', 'application/json', '{}'), 405],
  ['an unknown query parameter', get('/apis/projectcalico.org/v3/tiers?limitt=3'), 400],
  ['a number that is none', get('/history?limit=-1'), 400],
  ['JSON that is none', post('/apply', 'application/json', '{"kind":'), 400],
  ['YAML that is none', post('/apply', 'application/yaml', 'a: [b'), 400],
  [
    'JSON that is nested without end',
    post('/apply', 'application/json', '['.repeat(100_000) + ']'.repeat(100_000)),
    400,
  ],
  ['a body that is no object', post('/apply', 'application/json', '[1]'), 400],
  ['aliases that expand without end', post('/apply', 'application/yaml', aliasBomb()), 400],
  ['an unknown kind', post('/apply', 'application/json', '{"apiVersion":"v9","kind":"Podd"}'), 422],
  ['a body larger than the limit', `POST /apply HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n`, 413],
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['headers larger than the limit', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 400],
];

function aliasBomb(): string {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(9)}1]`,
  );
  return ['a0: &a0 x', ...levels].join('\n');
}

describe('the server', () => {
  it.each(REFUSED)('refuses %s', async (_, text, status) => {
    expect(await exchange(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(await askAgent(agent.options.socket, 'GET', '/liveness')).toEqual({ status: 'ok' });
    expect(agent.log.join()).not.toContain('ended early');
  });

  it('answers failures as Status objects with every field of the error', async () => {
    const answer = await exchange(get('/apis/projectcalico.org/v3/tiers/none'));
    const body = JSON.parse(
      answer.slice(answer.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, ''),
    ) as object;
    expect(body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
      details: { causes: [{ reason: 'NOT_FOUND', error: { code: 'NOT_FOUND', target: 'Tier//none' } }] },
    });
  });

  it('keeps the form of failures that the first API has', async () => {
    expect(await exchange(get('/v1/nothing'))).toContain('{"code":"NOT_FOUND","error":"');
  });

  it('cuts clients that are slow to send, and those that say nothing', async () => {
    const slow = [
      exchange('GET /version HTTP/1.1\r\nho'),
      exchange('POST /apply HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{'),
      exchange(''),
    ];
    const answers = await Promise.all(slow);
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 200'))).toEqual([]);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 408 .*"code":"AGENT_UNREACHABLE"/s);
    expect(await askAgent(agent.options.socket, 'GET', '/liveness')).toEqual({ status: 'ok' });
  });

  it('takes no more connections than it may, and takes them again when others have gone', async () => {
    const sockets: Socket[] = Array.from({ length: 20 }, () => createConnection(agent.options.socket));
    for (const socket of sockets) socket.on('error', () => undefined);
    await vi.waitFor(() => expect(sockets.filter(({ destroyed }) => destroyed).length).toBe(12), 1000);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(
      async () => expect(await askAgent(agent.options.socket, 'GET', '/liveness')).toEqual({ status: 'ok' }),
      3000,
    );
  });

  it('answers half-open connections and survives clients that leave in the middle', async () => {
    const half = createConnection({ path: agent.options.socket, allowHalfOpen: true });
    let answer = '';
    half.on('data', (chunk) => {
      answer += chunk.toString();
    });
    half.end(get('/version'));
    await vi.waitFor(() => expect(answer).toContain('200 OK'), 2000);
    for (let index = 0; index < 20; index += 1) {
      const gone = createConnection(agent.options.socket);
      gone.on('error', () => undefined);
      gone.write(`${get('/openapi.json')}`);
      await sleep(2);
      gone.destroy();
    }
    half.destroy();
    await vi.waitFor(
      async () => expect(await askAgent(agent.options.socket, 'GET', '/liveness')).toEqual({ status: 'ok' }),
      3000,
    );
  });

  it('is ready only when all that was accepted is in force', async () => {
    expect(await askAgent(agent.options.socket, 'GET', '/readiness')).toEqual({ status: 'ok' });
    agent.isEnforcing = false;
    expect(await exchange(get('/readiness'))).toMatch(/^HTTP\/1.1 503 /);
    agent.isEnforcing = true;
    const condition = { type: 'Degraded', reason: 'FlowsNotKept', message: 'no process', since: '' } as const;
    agent.health = { ...agent.health, conditions: [condition] };
    const degraded = ['FlowsNotKept: no process'];
    expect(await askAgent(agent.options.socket, 'GET', '/readiness')).toEqual({ status: 'ok', degraded });
    agent.isEnforcing = false;
    expect(await exchange(get('/readiness'))).toMatch(/^HTTP\/1.1 503 [\s\S]*FlowsNotKept: no process/);
    expect(await exchange(get('/liveness'))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('refuses a peer that it does not know', async () => {
    await agent.end();
    const identify = (): never => {
      throw new DataplaneError('FORBIDDEN', 'may not use the API', { operation: 'connect to', target: 'socket' });
    };
    agent = await KernelLessAgent.start({ api: { identify } });
    const asked = { method: 'GET', path: '/version' } as const;
    await expect(sendToAgent(agent.options.socket, asked)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
