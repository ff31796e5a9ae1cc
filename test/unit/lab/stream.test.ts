// A stream as its reports tell it, without a peer.
import { describe, expect, it } from 'vitest';
import { Stream, type StreamState } from '../../../tools/lab/stream.ts';

function report(state: StreamState, alive: number, gapMs = 0) {
  return { state, alive, gapMs, lost: 0 };
}

describe('Stream', () => {
  it('counts progress from where it stands', async () => {
    const stream = new Stream(() => {});
    stream.accept(report('alive', 100));
    const waiting = stream.progress(10, 1000);
    stream.accept(report('alive', 105));
    stream.accept(report('alive', 110));
    expect((await waiting).alive).toBe(110);
  });

  it('rejects whoever waits when the connection ends', async () => {
    const stream = new Stream(() => {});
    const waiting = stream.progress(1, 60_000);
    stream.accept(report('reset', 0));
    await expect(waiting).rejects.toMatchObject({ code: 'KERNEL', found: 'reset' });
    expect(stream.isEnded).toBe(true);
    await expect(stream.progress(1, 60_000)).rejects.toMatchObject({ code: 'KERNEL' });
  });

  it('rejects after the time given', async () => {
    const stream = new Stream(() => {});
    await expect(stream.waitFor(() => true, 5)).rejects.toMatchObject({ code: 'KERNEL' });
  });

  it('asks the peer to stop once, and not at all when it has ended', async () => {
    let asked = 0;
    const stream = new Stream(() => {
      asked += 1;
    });
    const stopping = stream.stop();
    stream.accept(report('stopped', 7));
    expect((await stopping).alive).toBe(7);
    expect((await stream.stop()).state).toBe('stopped');
    expect(asked).toBe(1);
  });

  it('remembers the longest gap of all reports', () => {
    const stream = new Stream(() => {});
    for (const gapMs of [3, 250, 9]) stream.accept(report('alive', 1, gapMs));
    expect(stream.longestGapMs).toBe(250);
  });
});
