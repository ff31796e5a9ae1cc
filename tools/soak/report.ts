// What a soak comes to: a table of what must be flat, counts of what must be nothing, and a verdict. Markdown, ready for docs/soak.md.
import { cpus, release } from 'node:os';
import type { Judgement } from '../lab/flip-judge.ts';
import type { Sample } from './sample.ts';
import { type Slope, slopeOf } from './slope.ts';

export interface SoakOutcome {
  readonly minutes: number;
  readonly samples: readonly Sample[];
  readonly flips: number;
  readonly kills: number;
  /** Of the agent that lives on, and of the one that is killed. */
  readonly judgements: readonly Judgement[];
}

interface Gauge {
  readonly field: keyof Sample;
  readonly title: string;
  /** A day's growth that would be noticed; what surely grows more slowly does not grow. */
  readonly perDay: number;
  /** An hour's growth that may hide in the noise of readings; where more could, they tell nothing. */
  readonly hiddenPerHour: number;
}

/** unclear = it may grow, and the readings are too few or too noisy to tell. */
export type Flatness = 'flat' | 'grows' | 'unclear';

const GAUGES: readonly Gauge[] = [
  { field: 'rssMib', title: 'resident memory, MiB', perDay: 64, hiddenPerHour: 30 },
  { field: 'anonMib', title: 'of it not maps and files, MiB', perDay: 64, hiddenPerHour: 30 },
  { field: 'storeMib', title: 'the process that keeps flows, MiB', perDay: 64, hiddenPerHour: 30 },
  { field: 'descriptors', title: 'file descriptors', perDay: 1, hiddenPerHour: 4 },
  { field: 'rows', title: 'rows of endpoint maps', perDay: 5, hiddenPerHour: 10 },
  { field: 'regions', title: 'regions of tables', perDay: 20, hiddenPerHour: 40 },
  { field: 'traceIds', title: 'trace ids', perDay: 100, hiddenPerHour: 40 },
  { field: 'pins', title: 'pins', perDay: 0.5, hiddenPerHour: 1 },
];
const PROBLEMS = { grows: 'grows', unclear: 'too noisy to tell, take longer' } as const;
/** The first part is left out: caches fill and code is compiled. */
const WARM_UP = 0.25;

/** With 95 % confidence it would not matter in a day; or it cannot be told from none, and no more than so much can hide in that. */
export function judgeSlope(
  { perHour, error }: Slope,
  { perDay, hiddenPerHour }: Omit<Gauge, 'field' | 'title'>,
): Flatness {
  const [least, most] = [perHour - error, perHour + error];
  if (24 * most <= perDay) return 'flat';
  if (least > 0) return 'grows';
  return most <= hiddenPerHour ? 'flat' : 'unclear';
}

function slopeFor(samples: readonly Sample[], field: keyof Sample): Slope {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  return slopeOf(warm.map((sample) => ({ hours: sample.hours, value: sample[field] })));
}

/** Everything that speaks against the agent; none = the soak was passed. */
export function findProblems({ samples, judgements }: SoakOutcome): string[] {
  const slopes = GAUGES.map((gauge) => ({ ...gauge, found: judgeSlope(slopeFor(samples, gauge.field), gauge) }));
  const last = samples.at(-1);
  return [
    ...slopes.flatMap(({ title, found }) => (found === 'flat' ? [] : [`${title}: ${PROBLEMS[found]}`])),
    ...judgements.flatMap(({ wrong, examples }) => (wrong === 0 ? [] : [`${wrong} wrong packets`, ...examples])),
    ...((last?.holes ?? 0) === 0 ? [] : [`${last?.holes} packets met an interface or a table that was not ready`]),
  ];
}

export function renderSoak(outcome: SoakOutcome): string {
  const { samples, minutes, flips, kills, judgements } = outcome;
  const last = samples.at(-1);
  const packets = judgements.reduce((sum, one) => sum + one.packets, 0);
  const problems = findProblems(outcome);
  return [
    `Linux ${release()}, ${cpus().length} CPUs; ${minutes} minutes, ${samples.length} samples, the first quarter left out of slopes.`,
    '',
    '| reading | mean | slope for each hour (95 %) | flat |',
    '|---|---|---|---|',
    ...GAUGES.map((gauge) => {
      const slope = slopeFor(samples, gauge.field);
      const found = judgeSlope(slope, gauge);
      const [mean, perHour, error] = [slope.mean, slope.perHour, slope.error].map((value) => value.toFixed(2));
      return `| ${gauge.title} | ${mean} | ${perHour} ± ${error} | ${found === 'flat' ? 'yes' : `**${found}**`} |`;
    }),
    '',
    '| count | |',
    '|---|---|',
    `| policy changes in force under traffic | ${flips} |`,
    `| agents killed | ${kills} |`,
    `| packets judged | ${packets} |`,
    `| of them wrong | ${judgements.reduce((sum, one) => sum + one.wrong, 0)} |`,
    `| events | ${last?.events ?? 0} |`,
    `| of them lost | ${last?.eventsLost ?? 0} |`,
    `| packets that met a table not ready | ${last?.holes ?? 0} |`,
    `| flows at the end | ${last?.flows ?? 0} |`,
    '',
    problems.length === 0 ? 'Passed.' : `**Not passed**: ${problems.join('; ')}.`,
    '',
  ].join('\n');
}
