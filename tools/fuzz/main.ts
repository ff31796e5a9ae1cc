// The door `npm run fuzz [-- options] [TARGET]...`: hours of what `npm test` does for a minute. What a target does is in its file.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Reason } from '../../src/abi/event.gen.ts';
import { HarnessFailure } from './harness.ts';
import { CORPUS, fuzzStages } from './stages-target.ts';

const HELP = `npm run fuzz -- [options]: packets, time and policy changes against the C stages, held to the reference evaluator
  --seconds N   how long (default 3600)
  --seed S      of worlds and of choices (default: the time)
  --worlds N    generated worlds, each with two policies (default 16)
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
  const start = performance.now();
  console.log(`fuzz: stages for ${request.seconds} s, seed ${request.seed}`);
  try {
    const corpus = request.keep ? path.join(root, CORPUS) : undefined;
    const outcome = await fuzzStages({ root, ...request, corpus, print: (line) => console.log(`fuzz: ${line}`) });
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    for (const [name, value] of Object.entries(Reason)) {
      const count = outcome.reasons[value] ?? 0;
      if (count > 0) console.log(`fuzz:   ${name} ${count}`);
    }
    console.log(`fuzz: ${outcome.packets} packets in ${seconds} s, seed ${request.seed}`);
    if (outcome.isGood) return 0;
    console.log(outcome.log);
    console.log(`fuzz: FAILED; to see it again:\n${outcome.reproduction ?? 'no input was left behind'}`);
    return 1;
  } catch (error) {
    if (!(error instanceof HarnessFailure)) throw error;
    console.error(`fuzz: ${error.message}`);
    return 1;
  }
}

interface Request {
  readonly seconds: number;
  readonly seed: number;
  readonly worlds: number;
  readonly keep: boolean;
}

function readRequest(parameters: readonly string[]): Request | string {
  const number = { type: 'string' } as const;
  const options = {
    seconds: number,
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
