// The door `npm run fuzz [-- options]`: hours of what `npm test` does for a minute. What the targets are is in targets.ts.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { HarnessFailure, type TargetName } from './harness.ts';
import { shrinkCorpus } from './merge.ts';
import { fuzzRounds } from './rounds.ts';
import { type FuzzOutcome, fuzz } from './target.ts';
import { type FuzzTarget, TARGETS } from './targets.ts';

/** The guard is small: of a run of all targets it has one part in so many. */
const GUARD_SHARE = 10;

const HELP = `npm run fuzz -- [options]: frames against the C programs compiled for this machine
  --target T    stages: packets, time and policy changes, held to the reference evaluator
                guard: frames against prefix tables, whole and with holes, held to the prefixes
                (default: the guard for a tenth of the time, then the stages; with --packets the stages)
  --seconds N   how long (default 3600)
  --seed S      of worlds, tables and choices (default: the time)
  --worlds N    generated worlds, each with two policies, or files of two prefix tables (default 16)
  --packets N   instead of --seconds: so many packets, in rounds of new worlds, one in ten of them under sanitizers and
                the others as fast as the machine can; says after each round how many it has been
  --keep        put inputs that reach new code into ${Object.values(TARGETS)
    .map(({ corpus }) => corpus)
    .join(' and ')}
  --shrink      instead of fuzzing: replace those by the fewest of them that reach as much, with these worlds
A failure prints the command that shows it again.`;

process.exitCode = await main(process.argv.slice(2));

async function main(parameters: readonly string[]): Promise<number> {
  const request = readRequest(parameters);
  if (typeof request === 'string') {
    console.log(request);
    return request === HELP ? 0 : 2;
  }
  const root = path.resolve(process.cwd());
  try {
    for (const target of request.targets) {
      const code = await runTarget(root, target, request);
      if (code !== 0) return code;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof HarnessFailure)) throw error;
    console.error(`fuzz: ${error.message}`);
    return 1;
  }
}

async function runTarget(root: string, target: FuzzTarget, request: Request): Promise<number> {
  if (request.isShrink) {
    const { before, after } = shrinkCorpus(root, target, request);
    console.log(`fuzz: ${target.corpus}: ${before.files} inputs, ${before.bytes} bytes before`);
    console.log(`fuzz: ${target.corpus}: ${after.files} inputs, ${after.bytes} bytes now`);
    return 0;
  }
  return request.packets === undefined
    ? await fuzzForTime(root, target, request)
    : await fuzzPackets(root, target, request);
}

async function fuzzForTime(root: string, target: FuzzTarget, request: Request): Promise<number> {
  const { seed, worlds, keep } = request;
  const share = target === TARGETS.guard ? 1 / GUARD_SHARE : 1 - 1 / GUARD_SHARE;
  const seconds = request.targets.length === 1 ? request.seconds : Math.max(1, Math.round(request.seconds * share));
  const start = performance.now();
  console.log(`fuzz: ${target.name} for ${seconds} s, seed ${seed}`);
  const corpus = keep ? path.join(root, target.corpus) : undefined;
  const outcome = await fuzz(target, {
    root,
    seconds,
    seed,
    worlds,
    corpus,
    print: (line) => console.log(`fuzz: ${line}`),
  });
  printEnds(target, outcome.ends);
  console.log(`fuzz: ${target.name}: ${outcome.packets} packets in ${secondsSince(start)} s, seed ${seed}`);
  return outcome.isGood ? 0 : fail(outcome);
}

async function fuzzPackets(root: string, target: FuzzTarget, request: Request): Promise<number> {
  const { seed, worlds, packets = 0 } = request;
  const start = performance.now();
  console.log(`fuzz: ${packets} packets against the ${target.name}, seed ${seed}, ${worlds} worlds a round`);
  const total = { plain: 0, sanitized: 0, ends: [] as number[] };
  for await (const { round, build, outcome } of fuzzRounds({ target, root, seed, worlds, packets })) {
    total[build] += outcome.packets;
    for (const [end, count] of outcome.ends.entries()) total.ends[end] = (total.ends[end] ?? 0) + count;
    const sum = total.plain + total.sanitized;
    const parts = `${total.sanitized} under sanitizers, ${total.plain} without`;
    console.log(`fuzz: round ${round}: ${sum} packets so far (${parts}) in ${secondsSince(start)} s, seed ${seed}`);
    if (!outcome.isGood) return fail(outcome);
  }
  printEnds(target, total.ends);
  console.log(`fuzz: done: ${total.plain + total.sanitized} packets, no failure, seed ${seed}`);
  return 0;
}

function printEnds(target: FuzzTarget, ends: readonly number[]): void {
  for (const [name, value] of Object.entries(target.ends)) {
    const count = ends[value] ?? 0;
    if (count > 0) console.log(`fuzz:   ${name} ${count}`);
  }
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0);
}

function fail({ log, reproduction }: FuzzOutcome): number {
  console.log(log);
  console.log(`fuzz: FAILED; to see it again:\n${reproduction ?? 'no input was left behind'}`);
  return 1;
}

interface Request {
  readonly targets: readonly FuzzTarget[];
  readonly seconds: number;
  readonly seed: number;
  readonly worlds: number;
  readonly keep: boolean;
  readonly isShrink: boolean;
  readonly packets: number | undefined;
}

function readRequest(parameters: readonly string[]): Request | string {
  const text = { type: 'string' } as const;
  const options = {
    target: text,
    seconds: text,
    packets: text,
    seed: text,
    worlds: text,
    keep: { type: 'boolean' },
    shrink: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...parameters], options });
    if (values.help === true) return HELP;
    return {
      targets: targetsOf(values.target, values.packets !== undefined),
      seconds: wholeNumber('seconds', values.seconds, 3600),
      seed: wholeNumber('seed', values.seed, Date.now() % 2 ** 31),
      worlds: wholeNumber('worlds', values.worlds, 16),
      keep: values.keep === true,
      isShrink: values.shrink === true,
      packets: values.packets === undefined ? undefined : wholeNumber('packets', values.packets, 0),
    };
  } catch (error) {
    return `fuzz: ${(error as Error).message}\n${HELP}`;
  }
}

function targetsOf(name: string | undefined, isByPackets: boolean): FuzzTarget[] {
  const names: readonly string[] = name !== undefined ? [name] : isByPackets ? ['stages'] : ['guard', 'stages'];
  return names.map((wanted) => {
    if (!Object.hasOwn(TARGETS, wanted)) {
      throw new RangeError(`--target: found ${wanted}, expected ${Object.keys(TARGETS).join(' or ')}`);
    }
    return TARGETS[wanted as TargetName];
  });
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9][0-9]{0,9}$/.test(text))
    throw new RangeError(`--${name}: found ${text}, expected a whole number above 0`);
  return Number(text);
}
