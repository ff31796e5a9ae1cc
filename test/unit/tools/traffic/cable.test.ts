import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Cable } from '../../../../tools/traffic/cable.ts';

const [A, B, C, ALL] = [0x0a, 0x0b, 0x0c, 0xff].map((last) => Buffer.from([2, 0, 0, 0, 0, last])) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

function frame(to: Buffer, from: Buffer, text: string): Buffer {
  const body = Buffer.concat([to, from, Buffer.from(text)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** A guest's device: what has come in so far. */
class Plug {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
  }

  async until(length: number): Promise<void> {
    while (this.received.length < length) await once(this.socket, 'data');
  }
}

describe('the cable between guests', () => {
  let folder: string;
  let cable: Cable;
  let plugs: readonly [Plug, Plug, Plug];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-cable-'));
    cable = await Cable.open(join(folder, 'cable'));
    plugs = [new Plug(cable.path), new Plug(cable.path), new Plug(cable.path)];
    await vi.waitUntil(() => cable.plugged === 3);
  });

  afterEach(() => {
    for (const { socket } of plugs) socket.destroy();
    cable.close();
    rmSync(folder, { recursive: true });
  });

  it('brings a frame to everyone else until it knows who it is for', async () => {
    const [a, b, c] = plugs;
    const first = frame(ALL, A, 'who is B?');
    a.socket.write(first);
    await Promise.all([b.until(first.length), c.until(first.length)]);
    const second = frame(A, B, 'I am');
    b.socket.write(second);
    await a.until(second.length);
    const third = frame(C, A, 'who is C?');
    a.socket.write(third);
    await c.until(first.length + third.length);
    expect(a.received).toEqual(second);
    expect(b.received).toEqual(Buffer.concat([first, third]));
    expect(c.received).toEqual(Buffer.concat([first, third]));
  });

  it('puts frames together that come in pieces, and parts those that come as one', async () => {
    const [a, b] = plugs;
    const bytes = Buffer.concat([frame(ALL, A, 'one'), frame(ALL, A, 'two'), frame(ALL, A, 'x'.repeat(9000))]);
    for (const piece of [bytes.subarray(0, 2), bytes.subarray(2, 30), bytes.subarray(30, 60), bytes.subarray(60)]) {
      a.socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await b.until(bytes.length);
    expect(b.received).toEqual(bytes);
    expect(a.received).toHaveLength(0);
  });

  it('forgets who has left, for whoever comes in its place', async () => {
    const [a, b, c] = plugs;
    const hello = frame(ALL, B, 'here');
    b.socket.write(hello);
    await Promise.all([a.until(hello.length), c.until(hello.length)]);
    b.socket.end();
    await vi.waitUntil(() => cable.plugged === 2);
    const next = new Plug(cable.path);
    await vi.waitUntil(() => cable.plugged === 3);
    const question = frame(B, A, 'are you back?');
    a.socket.write(question);
    await next.until(question.length);
    expect(next.received).toEqual(question);
    next.socket.destroy();
  });
});
