import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../../../src/analysis/flow-logs/byte-queue.ts';

describe('ByteQueue', () => {
  it('gives bytes in the lengths that are asked for, wherever the pieces end', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2));
    expect(queue.take(3)).toBeUndefined();
    queue.push(Uint8Array.of(3, 4, 5));
    expect([...(queue.peek(3) ?? [])]).toEqual([1, 2, 3]);
    expect([...(queue.take(3) ?? [])]).toEqual([1, 2, 3]);
    expect([queue.length, queue.position]).toEqual([2, 3]);
    expect([...(queue.take(2) ?? [])]).toEqual([4, 5]);
  });

  it('skips bytes that are still to come without keeping them', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3));
    queue.skip(7);
    expect([queue.length, queue.position]).toEqual([0, 3]);
    queue.push(Uint8Array.of(4, 5));
    expect(queue.length).toBe(0);
    queue.push(Uint8Array.of(6, 7, 8));
    expect([...(queue.take(1) ?? [])]).toEqual([8]);
    expect(queue.position).toBe(8);
  });
});
