import { describe, expect, it } from 'vitest';
import { watchHost } from '../../../../src/agent/protect/watch.ts';

const look = (forMs: number, rests: number[]) =>
  watchHost({
    interfaces: () => [],
    session: '198.51.100.7 1 192.0.2.1 22',
    forMs,
    onLook: (_, restMs) => rests.push(restMs),
  });

describe('watchHost', () => {
  it('looks once when no time is given', async () => {
    const rests: number[] = [];
    const { sessions } = await look(0, rests);
    expect(sessions[0]).toMatchObject({ clientPort: 1, serverPort: 22 });
    expect(rests).toEqual([]);
  });

  it('looks again until the time is over, and says how much is left', async () => {
    const rests: number[] = [];
    await look(30, rests);
    expect(rests.length).toBeGreaterThanOrEqual(1);
    expect(rests.every((rest, at) => rest > 0 && rest <= (rests[at - 1] ?? 30))).toBe(true);
  });
});
