// What goes on all the while that something is done to an agent: connections that live on, and datagrams that nothing may answer.
import { PATIENCE } from '../../../tools/lab/patience.ts';
import type { ProbeResult } from '../../../tools/lab/peer.ts';
import type { Stream } from '../../../tools/lab/stream.ts';
import type { TruthCase } from '../../../tools/lab/truth-table.ts';
import type { Setting } from '../../host/support/setting.ts';
import { isClosedToUdp, ofEachFamily } from './truth-cases.ts';

const STREAM_EVERY_MS = 20 * PATIENCE;

/** A connection for each case, when something has gone over each. */
export async function startStreams(setting: Setting, cases: readonly TruthCase[]): Promise<readonly Stream[]> {
  const streams = cases.map(({ from, request }) =>
    setting.peer(from).stream({ ...request, port: Number(request.port), intervalMs: STREAM_EVERY_MS }),
  );
  await Promise.all(streams.map((stream) => stream.progress(5, 3000)));
  return streams;
}

/** Returns how to end them. */
export type Storms = () => Promise<{ readonly sent: number; readonly answered: number }[]>;

/** One pair of each family that the policy denies UDP; their storms must not be answered. */
export function startStorms(setting: Setting, table: readonly TruthCase[]): Storms {
  const storms = ofEachFamily(table.filter(isClosedToUdp)).map(({ from, request }) =>
    setting.peer(from).storm(request.address, Number(request.port)),
  );
  return () => Promise.all(storms.map((stop) => stop()));
}

/** Whether any probe got through before the promise was settled. Throws what that throws. */
export async function isOpenBefore(end: Promise<void>, probe: () => Promise<ProbeResult>): Promise<boolean> {
  let hasEnded = false;
  const askOn = async (): Promise<boolean> => {
    let wasOpen = false;
    while (!hasEnded) if ((await probe()) === 'open') wasOpen = true;
    return wasOpen;
  };
  const noted = end.finally(() => {
    hasEnded = true;
  });
  const [wasOpen] = await Promise.all([askOn(), noted]);
  return wasOpen;
}
