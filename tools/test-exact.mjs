// The door `npm run test:exact [-- --flows=N] [--histories=N] [--selectors=N] [--seed=S] [--only=pair,...]`: the generated
// tests of `npm test` with many more questions. Which questions there are is test/support/worlds.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { root } from './build-steps/process.mjs';
import { findMissingNeeds } from './test/needs.mjs';

/** Each shard starts at a world of its own; no run has as many. */
const WORLDS_OF_A_SHARD = 10_000_000;

/** What is held to what. `variable` says how much to the test; pure pairs are shared among all processors, unless they say otherwise. */
const pairs = {
  tables: {
    title: 'model == tables',
    unit: 'flows',
    project: 'unit',
    file: 'test/unit/tables/agreement.test.ts',
    variable: 'TORTIE_EXACT_FLOWS',
  },
  incremental: {
    title: 'incremental == from scratch',
    unit: 'histories',
    project: 'unit',
    file: 'test/unit/calc/incremental.test.ts',
    variable: 'TORTIE_EXACT_HISTORIES',
  },
  selectors: {
    title: 'selector == its canonical text',
    unit: 'selectors',
    project: 'unit',
    file: 'test/unit/model/selector/fuzz.test.ts',
    variable: 'TORTIE_EXACT_SELECTORS',
  },
  kernel: {
    title: 'kernel == model',
    unit: 'flows',
    project: 'packet',
    file: 'test/packet/agreement.test.ts',
    variable: 'TORTIE_EXACT_FLOWS',
  },
  'host-tables': {
    title: 'model == tables, past interfaces',
    unit: 'flows',
    project: 'unit',
    file: 'test/unit/tables/path-evaluator.test.ts',
    variable: 'TORTIE_EXACT_FLOWS',
    // The same packets as of the next one: three engines agree on each.
    shards: 1,
  },
  'host-kernel': {
    title: 'kernel == model, past interfaces',
    unit: 'flows',
    project: 'packet',
    file: 'test/packet/path-agreement.test.ts',
    variable: 'TORTIE_EXACT_FLOWS',
  },
};

const defaults = { flows: 1_000_000, histories: 10_000, selectors: 1_000_000 };
const help = `npm run test:exact -- [options]: the generated tests of npm test with many more questions
  --flows=N       flows for each model == tables and kernel == model (default ${defaults.flows})
  --histories=N   histories of changes for incremental == from scratch (default ${defaults.histories})
  --selectors=N   selectors (default ${defaults.selectors})
  --seed=S        the seed that a run has printed, to run it again
  --only=A,B      of ${Object.keys(pairs).join(', ')} (default all)`;

process.exit(await main(process.argv.slice(2)));

async function main(parameters) {
  if (parameters.includes('--help')) {
    console.log(help);
    return 0;
  }
  const request = readRequest(parameters);
  if (request.problem !== undefined) {
    console.error(`test:exact: ${request.problem} (pairs: ${Object.keys(pairs).join(', ')})`);
    return 2;
  }
  const start = performance.now();
  const failed = [];
  for (const pair of request.pairs) if (!(await holds(pair, request))) failed.push(pair.title);
  const outcome = failed.length === 0 ? 'all agree' : `FAILED: ${failed.join(', ')}`;
  console.log(`exact: ${outcome}, ${secondsSince(start)} s, seed ${request.seed}`);
  return failed.length === 0 ? 0 : 1;
}

function readRequest(parameters) {
  const number = { type: 'string' };
  const options = { flows: number, histories: number, selectors: number, seed: number, only: { type: 'string' } };
  let values;
  try {
    ({ values } = parseArgs({ args: parameters, options }));
  } catch (error) {
    return { problem: error.message };
  }
  const { only = Object.keys(pairs).join(','), ...given } = values;
  const numbers = { ...defaults, seed: Date.now() % 2 ** 31 };
  for (const [name, text] of Object.entries(given)) {
    if (!/^[1-9][0-9]{0,9}$/.test(text))
      return { problem: `--${name}: found ${text}, expected a whole number above 0` };
    numbers[name] = Number(text);
  }
  const names = only.split(',');
  const unknown = names.filter((name) => !Object.hasOwn(pairs, name));
  if (unknown.length > 0) return { problem: `no pair ${unknown.join(', ')}` };
  return { ...numbers, pairs: names.map((name) => pairs[name]) };
}

/** Runs one pair, in as many processes as there are processors if it does not need the kernel. */
async function holds(pair, request) {
  const missing = findMissingNeeds(pair.project);
  for (const need of missing) console.error(`${pair.title} cannot run: ${need}`);
  if (missing.length > 0) return false;
  const total = request[pair.unit];
  const processes = pair.project === 'unit' ? availableParallelism() : 1;
  const shards = Math.min(pair.shards ?? processes, total);
  const start = performance.now();
  console.log(`exact: ${pair.title}: ${total} ${pair.unit}, seed ${request.seed}, ${shards} processes`);
  const runs = Array.from({ length: shards }, (_, shard) => {
    const share = Math.floor(total / shards) + (shard < total % shards ? 1 : 0);
    return runTest(pair, share, request.seed, shard * WORLDS_OF_A_SHARD);
  });
  const codes = await Promise.all(runs);
  const isGood = codes.every((code) => code === 0);
  console.log(`exact: ${pair.title}: ${isGood ? 'agree' : 'FAILED'} in ${secondsSince(start)} s`);
  return isGood;
}

function runTest({ project, file, variable }, amount, seed, first) {
  const environment = { [variable]: String(amount), TORTIE_SEED: String(seed), TORTIE_EXACT_FIRST: String(first) };
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', project, file, '--disable-console-intercept'];
  const child = spawn(process.execPath, vitest, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  return new Promise((resolve) => child.on('close', resolve));
}

function secondsSince(start) {
  return ((performance.now() - start) / 1000).toFixed(1);
}
