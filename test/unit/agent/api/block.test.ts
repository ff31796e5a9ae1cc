// The block list over the socket: what is answered, and to whom it is refused.
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockOutcome, BlockReport, BlockTest } from '../../../../src/agent/block/block-service.ts';
import { type AgentRequest, sendToAgent } from '../../../../src/cli/agent-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';

let agent: KernelLessAgent;

beforeEach(async () => {
  agent = await KernelLessAgent.start({ block: { read: () => undefined } });
});

afterEach(() => agent.end());

const ask = async <T = BlockOutcome>(asked: AgentRequest): Promise<T> =>
  (await sendToAgent<T>(agent.options.socket, asked)).body;
const add = (body: object) => ask({ method: 'POST', path: '/block/add', body });
const report = () => ask<BlockReport>({ method: 'GET', path: '/block' });
const putFeed = (name: string, body: string | Readable, query = {}) =>
  ask({ method: 'PUT', path: `/block/feeds/${name}`, body, query, contentType: 'text/plain' });

describe('the block list of the API', () => {
  it('takes entries, tells of them, takes them back', async () => {
    expect(await add({ cidrs: ['198.51.100.7'], ttl: '1h', reason: 'flood' })).toMatchObject({ added: 1 });
    const { list, entries } = await report();
    expect([entries, list]).toMatchObject([1, [{ cidr: '198.51.100.7/32', reason: 'flood', who: { kind: 'agent' } }]]);
    const asked = { method: 'GET', path: '/block/test', query: { address: '198.51.100.7' } } as const;
    expect(await ask<BlockTest>(asked)).toMatchObject({ isBlocked: true });
    const removed = await ask({ method: 'POST', path: '/block/remove', body: { cidrs: ['198.51.100.7/32'] } });
    expect([removed.removed, (await report()).list]).toEqual([1, []]);
  });

  it('takes a file as it comes, and answers its bad lines', async () => {
    const body = Readable.from(['198.51.', '100.7\nnonsense\n', '2001:db8::/32']);
    const outcome = await ask({ method: 'POST', path: '/block/file', body, contentType: 'text/plain' });
    expect(outcome).toMatchObject({ added: 2, badCount: 1, bad: [{ line: 2, text: 'nonsense' }] });
    expect(agent.enforcement.dropped('198.51.100.7', '2001:db8::1')).toHaveLength(2);
  });

  it('replaces and removes feeds, of more than other bodies may be', async () => {
    const lines = Array.from(
      { length: 700_000 },
      (_, index) => `198.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    );
    expect(lines.join('\n').length).toBeGreaterThan(8 * 2 ** 20);
    expect(await putFeed('big', lines.join('\n'), { ttl: '2d' })).toMatchObject({ added: 700_000, removed: 0 });
    expect(agent.enforcement.dropped('198.10.0.9', '199.0.0.0')).toEqual(['198.10.0.9']);
    expect(await putFeed('big', '199.0.0.0\n')).toMatchObject({ added: 1, removed: 700_000 });
    expect(agent.enforcement.dropped('198.10.0.9', '199.0.0.0')).toEqual(['199.0.0.0']);
    expect(await ask({ method: 'DELETE', path: '/block/feeds/big' })).toMatchObject({ removed: 1 });
    expect(agent.enforcement.isAttached).toBe(false);
  });

  it('keeps everything through a restart', async () => {
    await add({ cidrs: ['198.51.100.7'] });
    await putFeed('drop', '203.0.113.0/24');
    agent = await agent.restarted({ read: () => undefined });
    expect(agent.enforcement.dropped('198.51.100.7', '203.0.113.9', '203.0.114.9')).toHaveLength(2);
  });

  it.each<[string, AgentRequest, string]>([
    ['no body', { method: 'POST', path: '/block/add' }, 'INVALID_REQUEST'],
    ['no list', { method: 'POST', path: '/block/add', body: {} }, 'INVALID_REQUEST'],
    ['an empty list', { method: 'POST', path: '/block/add', body: { cidrs: [] } }, 'INVALID_REQUEST'],
    [
      'a field that is not known',
      { method: 'POST', path: '/block/add', body: { cidrs: ['1.1.1.1'], to: 1 } },
      'INVALID_REQUEST',
    ],
    ['what is no list', { method: 'POST', path: '/block/add', body: { cidrs: '1.1.1.1' } }, 'INVALID_REQUEST'],
    [
      'a list too long',
      { method: 'POST', path: '/block/add', body: { cidrs: Array(10_001).fill('1.1.1.1') } },
      'INVALID_REQUEST',
    ],
    ['what is no address', { method: 'POST', path: '/block/add', body: { cidrs: ['x'] } }, 'INVALID_REQUEST'],
    ['host bits', { method: 'POST', path: '/block/add', body: { cidrs: ['10.1.1.1/8'] } }, 'INVALID_REQUEST'],
    ['link-local addresses', { method: 'POST', path: '/block/add', body: { cidrs: ['fe80::/10'] } }, 'LOCKS_OUT'],
    [
      'a time to live that is none',
      { method: 'POST', path: '/block/add', body: { cidrs: ['1.1.1.1'], ttl: '5' } },
      'INVALID_REQUEST',
    ],
    [
      'the session of who asks',
      {
        method: 'POST',
        path: '/block/add',
        body: { cidrs: ['203.0.113.0/24'], session: '203.0.113.5 1 192.0.2.1 22' },
      },
      'LOCKS_OUT',
    ],
    [
      'a session that is none',
      { method: 'POST', path: '/block/add', body: { cidrs: ['1.1.1.1'], session: 'x' } },
      'INVALID_REQUEST',
    ],
    ['what is not in the list', { method: 'POST', path: '/block/remove', body: { cidrs: ['1.1.1.1'] } }, 'NOT_FOUND'],
    ['a feed that is not there', { method: 'DELETE', path: '/block/feeds/none' }, 'NOT_FOUND'],
    [
      'a name that is none',
      { method: 'PUT', path: '/block/feeds/A%20B', body: '1.1.1.1', contentType: 'text/plain' },
      'INVALID_REQUEST',
    ],
    [
      'a name that leads elsewhere',
      { method: 'PUT', path: '/block/feeds/..%2Fx', body: '', contentType: 'text/plain' },
      'INVALID_REQUEST',
    ],
    [
      'a force that is neither',
      { method: 'POST', path: '/block/file', body: '', query: { force: 'maybe' } },
      'INVALID_REQUEST',
    ],
    [
      'a parameter that is not known',
      { method: 'GET', path: '/block/test', query: { force: true } },
      'INVALID_REQUEST',
    ],
    ['no address', { method: 'GET', path: '/block/test' }, 'INVALID_REQUEST'],
  ])('refuses %s, and blocks nothing', async (_, asked, code) => {
    await expect(ask(asked)).rejects.toMatchObject({ code });
    expect(await report()).toMatchObject({ entries: 0, feeds: 0 });
  });

  it('refuses a file with too many lines, and its writer comes to read that', async () => {
    const body = Readable.from(Array.from({ length: 200 }, () => '198.51.100.7\n'.repeat(1000)));
    const asked = { method: 'POST', path: '/block/file', body, contentType: 'text/plain' } as const;
    await expect(ask(asked)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('lives on when an upload is cut, and blocks nothing of it', async () => {
    const path = '/block/feeds/cut';
    const upload = request({ socketPath: agent.options.socket, path, method: 'PUT' });
    upload.write('198.51.100.7\n');
    upload.on('error', () => undefined);
    await once(upload, 'socket');
    await new Promise((resolve) => setTimeout(resolve, 20));
    upload.destroy();
    expect(await add({ cidrs: ['203.0.113.1'] })).toMatchObject({ added: 1 });
    expect(await report()).toMatchObject({ feeds: 0, entries: 1 });
    expect(agent.enforcement.dropped('198.51.100.7')).toEqual([]);
  });
});
