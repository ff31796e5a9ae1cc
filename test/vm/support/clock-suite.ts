// The clock of the machine is set under traffic, while a change waits for its confirmation.
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { ResourceClient } from '../../../src/cli/resource-client.ts';
import { type Agent, socketPath } from '../../../tools/lab/agent.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import type { ProbeResult } from '../../../tools/lab/peer.ts';
import type { Stream } from '../../../tools/lab/stream.ts';
import type { TruthCase } from '../../../tools/lab/truth-table.ts';
import type { Setting } from '../../host/support/setting.ts';
import { expectUndisturbed } from '../../host/support/undisturbed.ts';
import { AUDIT_LIMIT_MS, SYNC_LIMIT_MS } from './limits.ts';
import { type Storms, startStorms, startStreams } from './traffic.ts';
import { denying, isDeniable, isOpenToTcp, ofEachFamily } from './truth-cases.ts';
import { WallClock } from './wall-clock.ts';

const CLOCK_FILE = '92-clock.yaml';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CONFIRM_MS = 30_000;
/** Of what is undone once its time is up. */
const LATE_MS = 300 * PATIENCE;

/** Tests of an agent that is up; `given` is asked when they begin. */
export function testClock(
  given: () => { readonly setting: Setting; readonly agent: Agent; readonly table: readonly TruthCase[] },
): void {
  let clock: WallClock;
  let client: ResourceClient;
  let setting: Setting;
  let agent: Agent;
  let table: readonly TruthCase[];
  let streams: readonly Stream[];
  let stopStorms: Storms;
  let byStore: TruthCase;
  let byFile: TruthCase;
  let asEver: readonly TruthCase[];

  beforeAll(async () => {
    ({ setting, agent, table } = given());
    await agent.waitFor((status) => status.inSync, SYNC_LIMIT_MS);
    clock = new WallClock();
    client = new ResourceClient(socketPath(setting.lab));
    const open = table.filter(isDeniable);
    byStore = open[0] as TruthCase;
    byFile = open.find(({ to, request }) => to === byStore.to && request.port !== byStore.request.port) as TruthCase;
    asEver = table.filter(({ to }) => to !== byStore.to);
  });

  beforeEach(async () => {
    streams = await startStreams(setting, ofEachFamily(asEver.filter(isOpenToTcp)));
    stopStorms = startStorms(setting, table);
  });

  afterEach(async () => {
    await clock?.restore();
  });

  const ask = ({ from, request }: TruthCase) => setting.probe(from, { ...request, timeoutMs: 500 });
  const untilAnswer = (one: TruthCase, answer: ProbeResult) =>
    vi.waitUntil(async () => (await ask(one)) === answer, SYNC_LIMIT_MS * PATIENCE);
  const pendingOf = async () => (await agent.status())?.store?.pending ?? undefined;

  /** Waits until the agent has told that the clock was set, and of nothing worse. */
  async function untilTold(byMs: number): Promise<void> {
    const words = new RegExp(`set ${byMs > 0 ? 'forward' : 'back'} by (\\d+)\\.`);
    const isTold = (text: string) => Math.abs(Number(words.exec(text)?.[1]) - Math.abs(byMs) / 1000) < 60;
    const { conditions, flows, inSync } = await agent.waitFor(
      (status) => status.conditions.some(({ message }) => isTold(message)),
      AUDIT_LIMIT_MS,
      100 / PATIENCE,
    );
    expect(conditions.map(({ reason }) => reason)).toEqual(['ClockJumped']);
    expect(Math.abs(Date.parse(String(conditions[0]?.since)) - Date.now())).toBeLessThan(60_000);
    expect([inSync, await agent.isReady(), flows >= streams.length]).toEqual([true, true, true]);
    await vi.waitUntil(() => agent.log.some((line) => line.includes('ClockJumped') && isTold(line)), SYNC_LIMIT_MS);
  }

  it('is set forward by a day and back by more, and nothing that is in force or waits takes note', async () => {
    const sentMs = performance.now();
    await client.applyAll(stringify(denying('by-store', byStore)), { confirm: `${CONFIRM_MS / 1000}s` });
    const answeredMs = performance.now();
    const isUndone = async () => (await pendingOf()) === undefined;
    const undone = vi
      .waitUntil(isUndone, { timeout: CONFIRM_MS + LATE_MS, interval: 500 })
      .then(() => performance.now());
    // Asked for at the end: what fails before then is what is told.
    undone.catch(() => undefined);

    await clock.move(DAY_MS);
    const leftMs = Date.parse(String((await pendingOf())?.expires)) - Date.now();
    expect(leftMs, `${performance.now() - sentMs} ms after it was sent`).toBeLessThanOrEqual(CONFIRM_MS);
    expect(leftMs).toBeGreaterThan(0);
    expect(await ask(byStore)).toBe('timeout');
    await untilTold(DAY_MS);
    setting.manifests.write(CLOCK_FILE, [denying('by-file', byFile)]);
    await untilAnswer(byFile, 'timeout');

    await clock.move(-DAY_MS - HOUR_MS);
    await untilTold(-DAY_MS - HOUR_MS);
    setting.manifests.remove(CLOCK_FILE);
    await untilAnswer(byFile, 'open');

    const undoneMs = await undone;
    expect(undoneMs - sentMs).toBeGreaterThanOrEqual(CONFIRM_MS);
    expect(undoneMs - answeredMs).toBeLessThan(CONFIRM_MS + LATE_MS);
    await untilAnswer(byStore, 'open');
    for (const { sent, answered } of await stopStorms()) expect([sent > 0, answered]).toEqual([true, 0]);
    await expectUndisturbed(streams);
  });
}
