// Real sockets on the loopback interface: what a probe says of who answers, who refuses, and who is silent.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { measure } from '../../../../src/cli/probe/measure.ts';
import { findNamespace } from '../../../../src/cli/probe/namespaces.ts';
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
  it('takes the own one where the address is in all', () => {
    expect(findNamespace({ family: 4, words: [0x7f000001] })).toBe('/proc/self/ns/net');
    expect(findNamespace({ family: 4, words: [0xcb007109] })).toBeUndefined();
  });
});
