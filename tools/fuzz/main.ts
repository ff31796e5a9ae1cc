// The door `npm run fuzz [-- options] [TARGET]...`: hours of what `npm test` does for a minute. What a target does is in its file.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Reason } from '../../src/abi/event.gen.ts';
import { HarnessFailure } from './harness.ts';
import { fuzzRounds } from './rounds.ts';
import { CORPUS, fuzzStages, type StagesOutcome } from './stages-target.ts';

const HELP = `npm run fuzz -- [options]: packets, time and policy changes against the C stages, held to the reference evaluator
  --seconds N   how long (default 3600)
  --seed S      of worlds and of choices (default: the time)
  --worlds N    generated worlds, each with two policies (default 16)
  --packets N   instead of --seconds: so many packets, in rounds of new worlds, one in ten of them under sanitizers and
                the others as fast as the machine can; says after each round how many it has been
  --keep        put inputs that reach new code into ${CORPUS}
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
    return request.packets === undefined ? await fuzzForTime(root, request) : await fuzzPackets(root, request);
  } catch (error) {
    if (!(error instanceof HarnessFailure)) throw error;
    console.error(`fuzz: ${error.message}`);
    return 1;
  }
}

async function fuzzForTime(root: string, request: Request): Promise<number> {
  const { seconds, seed, worlds, keep } = request;
  const start = performance.now();
  console.log(`fuzz: stages for ${seconds} s, seed ${seed}`);
  const corpus = keep ? path.join(root, CORPUS) : undefined;
  const outcome = await fuzzStages({
    root,
    seconds,
    seed,
    worlds,
    corpus,
    print: (line) => console.log(`fuzz: ${line}`),
  });
  printReasons(outcome.reasons);
  console.log(`fuzz: ${outcome.packets} packets in ${secondsSince(start)} s, seed ${seed}`);
  return outcome.isGood ? 0 : fail(outcome);
}

async function fuzzPackets(root: string, request: Request): Promise<number> {
  const { seed, worlds, packets = 0 } = request;
  const start = performance.now();
  console.log(`fuzz: ${packets} packets against the stages, seed ${seed}, ${worlds} worlds a round`);
  const total = { plain: 0, sanitized: 0, reasons: [] as number[] };
  for await (const { round, build, outcome } of fuzzRounds({ root, seed, worlds, packets })) {
    total[build] += outcome.packets;
    for (const [reason, count] of outcome.reasons.entries()) {
      total.reasons[reason] = (total.reasons[reason] ?? 0) + count;
    }
    const sum = total.plain + total.sanitized;
    const parts = `${total.sanitized} under sanitizers, ${total.plain} without`;
    console.log(`fuzz: round ${round}: ${sum} packets so far (${parts}) in ${secondsSince(start)} s, seed ${seed}`);
    if (!outcome.isGood) return fail(outcome);
  }
  printReasons(total.reasons);
  console.log(`fuzz: done: ${total.plain + total.sanitized} packets, no failure, seed ${seed}`);
  return 0;
}

function printReasons(reasons: readonly number[]): void {
  for (const [name, value] of Object.entries(Reason)) {
    const count = reasons[value] ?? 0;
    if (count > 0) console.log(`fuzz:   ${name} ${count}`);
  }
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0);
}

function fail({ log, reproduction }: StagesOutcome): number {
  console.log(log);
  console.log(`fuzz: FAILED; to see it again:\n${reproduction ?? 'no input was left behind'}`);
  return 1;
}

interface Request {
  readonly seconds: number;
  readonly seed: number;
  readonly worlds: number;
  readonly keep: boolean;
  readonly packets: number | undefined;
}

function readRequest(parameters: readonly string[]): Request | string {
  const number = { type: 'string' } as const;
  const options = {
    seconds: number,
    packets: number,
    seed: number,
    worlds: number,
    keep: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...parameters], options });
    if (values.help === true) return HELP;
    return {
      seconds: wholeNumber('seconds', values.seconds, 3600),
      seed: wholeNumber('seed', values.seed, Date.now() % 2 ** 31),
      worlds: wholeNumber('worlds', values.worlds, 16),
      keep: values.keep === true,
      packets: values.packets === undefined ? undefined : wholeNumber('packets', values.packets, 0),
    };
  } catch (error) {
    return `fuzz: ${(error as Error).message}\n${HELP}`;
  }
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9][0-9]{0,9}$/.test(text))
    throw new RangeError(`--${name}: found ${text}, expected a whole number above 0`);
  return Number(text);
}
