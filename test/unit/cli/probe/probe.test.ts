// Real sockets on the loopback interface: what a probe says of who answers, who refuses, and who is silent.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { NamedEnd } from '../../../../src/cli/probe/ends.ts';
import { measure } from '../../../../src/cli/probe/measure.ts';
import { findNamespace, namespacePath } from '../../../../src/cli/probe/namespaces.ts';
import { type Ask, choosePair, orderedPairs, probedEnds } from '../../../../src/cli/probe/pairs.ts';
import { answerTo, isAnswer, probeDatagram } from '../../../../src/cli/probe/protocol.ts';
import { Responder } from '../../../../src/cli/probe/responder.ts';

let responder: Responder | undefined;

afterEach(async () => {
  await responder?.close();
  responder = undefined;
});

function target(address: string, port = responder?.port ?? 0): { address: string; port: number; timeoutMs: number } {
  return { address, port, timeoutMs: 300 };
}

describe('a probe', () => {
  it('measures both protocols and both families', async () => {
    responder = await Responder.open(0);
    for (const address of ['127.0.0.1', '::1']) {
      for (const protocol of ['TCP', 'UDP'] as const) {
        const sample = await measure(protocol, target(address));
        expect(sample).toEqual({ protocol, result: 'ok', ms: expect.any(Number) });
        expect(sample.ms).toBeGreaterThan(0);
        expect(sample.ms).toBeLessThan(300);
      }
    }
  });

  it('says that nobody listens', async () => {
    responder = await Responder.open(0);
    const { port } = responder;
    await responder.close();
    responder = undefined;
    expect(await measure('TCP', target('127.0.0.1', port))).toEqual({ protocol: 'TCP', result: 'refused' });
    expect(await measure('UDP', target('127.0.0.1', port))).toEqual({ protocol: 'UDP', result: 'refused' });
  });

  it('says that nobody answers, whatever else is said', async () => {
    const other = createSocket('udp4');
    other.on('message', (_, { address, port }) => other.send('tortie-probe!of-somebody-else', port, address));
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    expect(await measure('UDP', target('127.0.0.1', other.address().port))).toEqual({
      protocol: 'UDP',
      result: 'timeout',
    });
    other.close();
  });

  it('fails to open where somebody listens', async () => {
    responder = await Responder.open(0);
    await expect(Responder.open(responder.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('the answer to a probe', () => {
  it('is none to what is no probe, and none to an answer: two responders would talk for ever', () => {
    const answer = answerTo(probeDatagram('1')) as Buffer;
    expect(isAnswer(answer, '1')).toBe(true);
    expect(isAnswer(answer, '2')).toBe(false);
    expect(answerTo(answer)).toBeUndefined();
    expect(answerTo(Buffer.from('GET / HTTP/1.1'))).toBeUndefined();
    expect(answerTo(Buffer.alloc(0))).toBeUndefined();
  });

  it('is never longer than what was asked, nor long', () => {
    expect(answerTo(probeDatagram('x'.repeat(1000)))).toBeUndefined();
    expect(answerTo(probeDatagram('xyz'))?.length).toBe(probeDatagram('xyz').length);
  });
});

describe('findNamespace', () => {
  const address = { family: 4, words: [0xcb007109] } as const;
  const holders = [
    { path: '/run/netns/a', mac: '02:00:00:00:00:01' },
    { path: '/run/netns/b', mac: '02:00:00:00:00:02' },
  ];

  it('takes the own one where the address is in all', () => {
    expect(findNamespace({ name: 'here', address: { family: 4, words: [0x7f000001] } })).toBe('/proc/self/ns/net');
    expect(findNamespace({ name: 'nobody', address })).toBeUndefined();
  });

  it('goes by the link of the endpoint where several have its address', () => {
    expect(findNamespace({ name: 'x', address, mac: '02:00:00:00:00:02' }, holders)).toBe('/run/netns/b');
    expect(findNamespace({ name: 'x', address }, holders.slice(0, 1))).toBe('/run/netns/a');
  });

  it.each([undefined, '02:00:00:00:00:09'])('does not guess where the link says nothing (%s)', (mac) => {
    expect(() => findNamespace({ name: 'shop/web', address, ...(mac && { mac }) }, holders)).toThrow(
      'probe shop/web: several network namespaces have its address: found 203.0.113.9 in /run/netns/a, /run/netns/b (say which with --from-netns or --to-netns)',
    );
  });

  it('takes the place that an operator names', () => {
    expect(['/tmp/ns', '17', 'blue'].map(namespacePath)).toEqual(['/tmp/ns', '/proc/17/ns/net', '/run/netns/blue']);
  });
});

describe('pairs of endpoints', () => {
  const end = (name: string, last: number, link?: string): NamedEnd => ({
    name,
    addresses: [{ family: 4, words: [0x0a000000 + last] }],
    ...(link !== undefined && { interface: link }),
  });
  const allowed =
    (...protocols: string[]): Ask =>
    async ({ protocol }) =>
      protocols.includes(protocol);

  it('come each once, and every endpoint before any comes twice', () => {
    const pairs = [...orderedPairs(4)];
    expect(pairs.slice(0, 4)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
    ]);
    expect(new Set(pairs.map(String)).size).toBe(12);
    expect(pairs.filter(([from, to]) => from === to)).toEqual([]);
    expect([...orderedPairs(1), ...orderedPairs(0)]).toEqual([]);
  });

  it('are those of this node, and two at least', () => {
    expect(probedEnds([end('b', 2, 'cali2'), end('c', 3), end('a', 1, 'cali1')]).map(({ name }) => name)).toEqual([
      'a',
      'b',
    ]);
    expect(() => probedEnds([end('a', 1, 'cali1'), end('c', 3)])).toThrow(
      'needs two endpoints that are enforced: found 1',
    );
  });

  it('are measured by what policy lets through, and not at all where it lets nothing', async () => {
    const two = [end('a', 1, 'cali1'), end('b', 2, 'cali2')] as const;
    const choice = { protocols: ['TCP', 'UDP'] } as const;
    expect(await choosePair(two, choice, allowed('UDP'))).toMatchObject({
      from: { name: 'a' },
      to: { name: 'b' },
      protocols: ['UDP'],
    });
    expect(await choosePair(two, choice, allowed())).toBeUndefined();
    expect(await choosePair(two, { ...choice, family: '6' }, allowed('TCP', 'UDP'))).toBeUndefined();
  });
});
