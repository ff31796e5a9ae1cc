// Pings that no manifest allows, fifty a second each, from another host and from the outsider: one answer is one wrong packet.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { knock, type PingCount, type Place } from '../../../tools/traffic/programs.ts';
import { HOSTS } from './network.ts';
import type { Setting } from './setting.ts';

export interface Knocks {
  readonly targets: readonly string[];
  readonly stop: () => Promise<PingCount[]>;
}

/** On a machine so fast that what happens meanwhile is over at once, they go on for this long. */
const LEAST_MS = 1000;

/** Who knocks at whom: never one that may. */
const KNOCKERS: Readonly<Record<string, readonly string[]>> = {
  one: ['api', 'outsider'],
  two: ['web', 'outsider'],
  api: ['one', 'outsider'],
};

export function startKnocks(setting: Setting, at: readonly string[] = ['one', 'two']): Knocks {
  const started = at.flatMap((target) =>
    (KNOCKERS[target] ?? []).map((from) => {
      const stop = knock(placeOf(setting, from), addressesOf(target));
      return { names: addressesOf(target).map((address) => `${from} -> ${address}`), stop };
    }),
  );
  const least = sleep(LEAST_MS);
  return {
    targets: started.flatMap(({ names }) => names),
    stop: async () => {
      await least;
      return (await Promise.all(started.map(({ stop }) => stop()))).flat();
    },
  };
}

/** Ends them. That they were sent at all is part of it: in the slowest guest a few a second. */
export async function expectNothingAnswered({ targets, stop }: Knocks): Promise<void> {
  const counts = await stop();
  expect(counts.filter(({ sent }) => sent < 10)).toEqual([]);
  const answered = counts.flatMap(({ answered: count }, index) => (count > 0 ? [`${targets[index]}: ${count}`] : []));
  expect(answered).toEqual([]);
}

function placeOf(setting: Setting, name: string): Place {
  const host = setting.hosts.find(({ plan }) => plan.workloads.some((one) => one.name === name));
  return host?.place(name) ?? setting.outsider;
}

function addressesOf(name: string): readonly string[] {
  return HOSTS.flatMap(({ workloads }) => workloads).find((one) => one.name === name)?.addresses ?? [];
}
