// The door `npm test [-- tier|tier/path]... [--without=tier,...] [-- vitest arguments]`: runs tiers, ends in one line of
// counts. Which files a tier has is vitest.config.ts; what it needs is tools/test/needs.mjs.
import { Durations } from './test/durations.mjs';
import { findMissingNeeds } from './test/needs.mjs';
import { Tally } from './test/tally.mjs';

const tiers = ['unit', 'abi', 'packet', 'attacks', 'fuzz', 'host', 'proof', 'traffic', 'vm'];

process.exit(await main(process.argv.slice(2)));

async function main(parameters) {
  const request = readRequest(parameters);
  if (request.problem !== undefined) {
    console.error(`test: ${request.problem} (tiers: ${tiers.join(', ')}, or a path below one, as in host/lab)`);
    return 2;
  }
  const tally = new Tally();
  const runnable = request.tiers.filter((tier) => hasNeeds(tier, tally));
  for (const tier of request.without) console.log(`tier ${tier}: left out, as asked`);
  const ofVitest = runnable.filter((tier) => tier !== 'vm');
  if (ofVitest.length > 0) await runVitest(ofVitest, request, tally);
  if (runnable.includes('vm')) await runGuests(tally);
  console.log(tally.line());
  return tally.failed > 0 ? 1 : 0;
}

/** Words name tiers or files of tiers; what follows `--` is vitest's own. */
function readRequest(parameters) {
  const end = parameters.includes('--') ? parameters.indexOf('--') : parameters.length;
  const own = parameters.slice(0, end);
  const words = own.filter((word) => !word.startsWith('--'));
  const without = own.flatMap((word) => /^--without=(.*)$/.exec(word)?.[1]?.split(',') ?? []);
  const strange = own.filter((word) => word.startsWith('--') && !word.startsWith('--without='));
  const paths = words.map((word) => word.replace(/^test\//, ''));
  const named = paths.map((path) => path.split('/')[0]);
  const unknown = [...named, ...without].filter((tier) => !tiers.includes(tier));
  if (strange.length > 0) return { problem: `no option ${strange.join(', ')}; those of vitest go behind --` };
  if (unknown.length > 0) return { problem: `no tier ${unknown.join(', ')}` };
  return {
    tiers: tiers.filter((tier) => isWanted(tier, named) && !without.includes(tier)),
    without,
    files: paths.map((path) => `test/${path}${path.includes('/') ? '' : '/'}`),
    vitest: parameters.slice(end + 1),
  };
}

function isWanted(tier, named) {
  return named.includes(tier) || named.length === 0;
}

function hasNeeds(tier, tally) {
  const missing = findMissingNeeds(tier);
  for (const need of missing) console.error(`tier ${tier} cannot run: ${need} (or leave it out: --without=${tier})`);
  tally.failed += missing.length;
  return missing.length === 0;
}

/** On every kernel that is served; the table of kernels by features comes before the line of counts. */
async function runGuests(tally) {
  const { VmFailure } = await import('../dist-tools/tools/vm/failure.js');
  const { runTier } = await import('../dist-tools/tools/vm/tier/run.js');
  try {
    const { passed, failed, report } = await runTier();
    for (const line of report) console.log(line);
    tally.passed += passed;
    tally.failed += failed;
  } catch (error) {
    if (!(error instanceof VmFailure)) throw error;
    console.error(`tier vm: ${error.message}`);
    tally.failed += 1;
  }
}

async function runVitest(runnable, request, tally) {
  const { parseCLI, startVitest } = await import('vitest/node');
  const { options, filter } = parseCLI(['vitest', 'run', ...request.vitest]);
  const { reporter = 'default', ...rest } = options;
  const durations = new Durations();
  const files = request.files.filter((file) => runnable.includes(file.split('/')[1]));
  const vitest = await startVitest('test', [...files, ...filter], {
    ...rest,
    watch: false,
    project: runnable,
    passWithNoTests: !request.files.some((file) => !file.endsWith('/')),
    reporters: [reporter, tally, durations].flat(),
  });
  await vitest.close();
  for (const line of durations.lines()) console.log(line);
  if (process.exitCode !== undefined && process.exitCode !== 0 && tally.failed === 0) tally.failed = 1;
}
