import { describe, expect, it } from 'vitest';
import { packetRoom } from '../../../src/kernel/host-object.ts';

describe('the room for packets at the hooks of a host', () => {
  it.each([
    [1, 32],
    [2, 64],
    [3, 128],
    [8, 256],
    [96, 4096],
  ])('of %s CPUs is a power of two: %s', (cpus, room) => {
    expect(packetRoom(cpus)).toBe(room);
  });
});
