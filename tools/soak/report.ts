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
  /** A day's growth that would be noticed; slower growth, or one that cannot be told from none, is none. */
  readonly perDay: number;
}

const GAUGES: readonly Gauge[] = [
  { field: 'rssMib', title: 'resident memory, MiB', perDay: 64 },
  { field: 'anonMib', title: 'of it not maps and files, MiB', perDay: 64 },
  { field: 'descriptors', title: 'file descriptors', perDay: 1 },
  { field: 'rows', title: 'rows of endpoint maps', perDay: 5 },
  { field: 'regions', title: 'regions of tables', perDay: 20 },
  { field: 'traceIds', title: 'trace ids', perDay: 100 },
  { field: 'pins', title: 'pins', perDay: 0.5 },
];
/** The first part is left out: caches fill and code is compiled. */
const WARM_UP = 0.25;

/** Whether a quantity is flat as far as these readings can tell. */
function isFlat({ perHour, error }: Slope, perDay: number): boolean {
  return 24 * perHour <= perDay || perHour - error <= 0;
}

function slopeFor(samples: readonly Sample[], field: keyof Sample): Slope {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  return slopeOf(warm.map((sample) => ({ hours: sample.hours, value: sample[field] })));
}

/** Everything that speaks against the agent; none = the soak was passed. */
export function findProblems({ samples, judgements }: SoakOutcome): string[] {
  const grown = GAUGES.filter(({ field, perDay }) => !isFlat(slopeFor(samples, field), perDay));
  const last = samples.at(-1);
  return [
    ...grown.map(({ title }) => `${title}: grows`),
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
    ...GAUGES.map(({ field, title, perDay }) => {
      const slope = slopeFor(samples, field);
      const [mean, perHour, error] = [slope.mean, slope.perHour, slope.error].map((value) => value.toFixed(2));
      return `| ${title} | ${mean} | ${perHour} ± ${error} | ${isFlat(slope, perDay) ? 'yes' : '**no**'} |`;
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
