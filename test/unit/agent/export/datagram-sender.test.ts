import { createSocket } from 'node:dgram';
import { afterEach, expect, it, vi } from 'vitest';
import { DatagramSender } from '../../../../src/agent/export/sinks/datagram-sender.ts';

vi.mock(import('node:dgram'), async (actual) => {
  const dgram = await actual();
  return { ...dgram, createSocket: vi.fn(dgram.createSocket) as unknown as typeof dgram.createSocket };
});

afterEach(() => void vi.mocked(createSocket).mockClear());

it('opens nothing when it was closed while the name was looked up, and waits for no answer', async () => {
  let found: (place: { address: string; family: number }) => void = () => {};
  const sender = new DatagramSender('collector.example', 9, () => new Promise((resolve) => (found = resolve)));
  const sent = sender.send([Buffer.from('a')]).catch(String);
  sender.close();
  expect(await sent).toContain('closed');
  found({ address: '127.0.0.1', family: 4 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(createSocket).not.toHaveBeenCalled();
  expect(sender.isFresh).toBe(true);
});

it('looks no address up', async () => {
  const lookUp = vi.fn();
  const receiver = createSocket('udp4');
  await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const sender = new DatagramSender('127.0.0.1', receiver.address().port, lookUp);
  await sender.send([Buffer.from('a')]);
  expect(lookUp).not.toHaveBeenCalled();
  sender.close();
  receiver.close();
});

it('can be used again after it was closed', async () => {
  const receiver = createSocket('udp4');
  await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const received = new Promise((resolve) => receiver.once('message', (message) => resolve(String(message))));
  const sender = new DatagramSender('collector.example', receiver.address().port, async () => {
    return { address: '127.0.0.1', family: 4 };
  });
  sender.close();
  await sender.send([Buffer.from('again')]);
  expect(await received).toBe('again');
  sender.close();
  receiver.close();
});
