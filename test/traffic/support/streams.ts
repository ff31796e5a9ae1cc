// Connections that outlive what a test does to the machines. Guests are slow: what counts is that nothing was lost, not for how long
// it was on its way.
import { expect } from 'vitest';
import type { Peer } from '../../../tools/lab/peer.ts';
import type { Stream } from '../../../tools/lab/stream.ts';
import { OPEN_PORT } from './network.ts';

const INTERVAL_MS = 50;
const LIMIT_MS = 60_000;

/** One to each address, once it carries something. */
export async function startStreams(peer: Peer, addresses: readonly string[]): Promise<Stream[]> {
  const streams = addresses.map((address) => peer.stream({ address, port: OPEN_PORT, intervalMs: INTERVAL_MS }));
  await expectAlive(streams);
  return streams;
}

export async function expectAlive(streams: readonly Stream[]): Promise<void> {
  await Promise.all(streams.map((stream) => stream.progress(5, LIMIT_MS)));
}

/** Ends them: each is alive and no packet of it was sent twice. */
export async function expectNothingLost(streams: readonly Stream[]): Promise<void> {
  await expectAlive(streams);
  const ended = await Promise.all(streams.map((stream) => stream.stop(LIMIT_MS)));
  expect(ended.map(({ state, lost }) => ({ state, lost }))).toEqual(streams.map(() => ({ state: 'stopped', lost: 0 })));
}
