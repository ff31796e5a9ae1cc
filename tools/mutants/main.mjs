// The door `npm run test:mutants [-- --only=TEXT ...] [--suite=NAME ...] [--under=COMMAND]`: takes each defence of the programs, and
// some of the agent's, out, one at a time, in a copy of the tree, and expects a test to notice. Which defences there are is in list/.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeResults } from './document.mjs';
import { allMutants } from './list/all.mjs';
import { Sandbox } from './sandbox.mjs';

/** Tests that may notice, in the order they are asked: the attacks, or files of tests. */
const SUITES = {
  packet: ['attacks', 'test/packet/ test/attacks/memory'],
  wire: ['test/attacks/wire'],
  guard: ['test/packet/guard-lists test/packet/guard-syn', 'test/packet/guard'],
  host: ['test/packet/host-'],
  logs: ['attacks', 'test/packet/flow-logs'],
  reset: ['test/packet/reset'],
};

/** Of the agent's own code: files of unit tests. Nothing is compiled, loaded or locked for them. */
const SOURCE_SUITES = {
  flows: ['test/unit/agent/flows', 'test/unit/observe/flows'],
};

process.exitCode = main(process.argv.slice(2));

/**
 * `--only`: a part of the mutants' names; `--suite`: who has to notice them; more than one of either may be given. `--under`: words in
 * front of what loads programs, such as a lock that users of a machine share.
 */
function main(parameters) {
  const options = (name) =>
    parameters.filter((one) => one.startsWith(`--${name}=`)).map((one) => one.slice(name.length + 3));
  const only = options('only');
  const under = options('under')[0]?.split(' ') ?? [];
  const sandbox = new Sandbox();
  process.on('SIGINT', () => process.exit(130));
  process.on('exit', () => sandbox.remove());
  const suites = options('suite');
  const chosen = allMutants
    .filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
    .filter(({ suite }) => suites.length === 0 || suites.includes(suite));
  const sources = chosen.filter(({ suite }) => Object.hasOwn(SOURCE_SUITES, suite));
  const programs = chosen.filter((mutant) => !sources.includes(mutant));
  const results = [
    ...probeSources(sandbox, sources),
    ...(programs.length === 0 ? [] : probePrograms(sandbox, programs, under)),
  ];
  writeResults(allMutants, results);
  const failed = results.filter(({ state }) => state !== 'noticed');
  for (const { name, state, by } of failed) console.log(`${state}: ${name}${by ? `\n${by}` : ''}`);
  console.log(`${results.length - failed.length} noticed, ${failed.length} not`);
  return failed.length === 0 ? 0 : 1;
}

function probeSources(sandbox, mutants) {
  for (const suite of new Set(mutants.map((mutant) => mutant.suite))) {
    const broken = firstUnitFailure(sandbox, SOURCE_SUITES[suite]);
    if (broken !== undefined) throw new Error(`the code as it is: ${broken.file}: ${broken.test}`);
  }
  return mutants.map((mutant) => {
    const failure = sandbox.withChange(mutant, () => firstUnitFailure(sandbox, SOURCE_SUITES[mutant.suite]));
    const result = {
      name: mutant.name,
      ...(failure === undefined ? { state: 'survived' } : { state: 'noticed', ...failure }),
    };
    console.log(`${result.state}  ${result.name}${result.test ? `  (${result.test})` : ''}`);
    return result;
  });
}

/** undefined = all of them pass. */
function firstUnitFailure(sandbox, files) {
  const report = sandbox.at('report.json');
  rmSync(report, { force: true });
  const options = ['--project', 'unit', '--bail', '1', '--reporter', 'json', '--outputFile', report];
  const { status, output } = sandbox.run(['node', 'node_modules/vitest/vitest.mjs', 'run', ...options, ...files]);
  if (status === 0) return undefined;
  const { testResults } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [] };
  for (const { name, assertionResults, message } of testResults) {
    const test = assertionResults.find((one) => one.status === 'failed')?.fullName ?? message;
    if (test) return { file: path.relative(sandbox.at('.'), name), test };
  }
  throw new Error(output);
}

function probePrograms(sandbox, chosen, under) {
  const whole = buildWhole(sandbox, new Set(chosen.map(({ suite }) => suite)));
  const built = chosen.map((mutant, index) => build(sandbox, mutant, `mutants/${index}`));
  const refused = built.filter(({ by }) => by !== undefined);
  const loadable = built.filter(({ by }) => by === undefined);
  const remember = (found) => {
    // Otherwise every mutant would be noticed by what fails anyway.
    const broken = found.slice(0, whole.length).find(({ state }) => state !== 'survived');
    if (broken !== undefined) throw new Error(`${broken.name}: ${broken.state} ${broken.test ?? broken.by}`);
    writeResults(allMutants, found.slice(whole.length));
    return found.slice(whole.length);
  };
  return [...refused, ...remember(probeAll(sandbox, under, [...whole, ...loadable], remember))];
}

/** The programs as they are, for each of the suites. All of the packet tier takes ten minutes, and is run often enough. */
function buildWhole(sandbox, suites) {
  const folder = 'mutants/none';
  const broken = sandbox.build(folder);
  if (broken !== undefined) throw new Error(broken);
  const asked = ['guard', 'host', 'logs', 'reset']
    .filter((suite) => suites.has(suite))
    .flatMap((suite) => SUITES[suite]);
  return [...new Set(['attacks', ...asked])].map((suite) => ({
    name: 'the programs as they are',
    folder,
    suites: [suite],
  }));
}

function build(sandbox, mutant, folder) {
  const by = sandbox.withChange(mutant, () => sandbox.build(folder));
  return {
    name: mutant.name,
    folder,
    suites: SUITES[mutant.suite],
    ...(by === undefined ? {} : { state: 'refused', by }),
  };
}

/** `tell` gets all results so far now and then: a run of an hour that breaks off has not been for nothing. */
function probeAll(sandbox, under, jobs, tell) {
  const [jobsFile, resultsFile] = [sandbox.at('jobs.json'), sandbox.at('results.jsonl')];
  rmSync(resultsFile, { force: true });
  const results = [];
  while (results.length < jobs.length) {
    writeFileSync(jobsFile, JSON.stringify(jobs.slice(results.length)));
    const { status, output } = sandbox.run([...under, 'node', 'tools/mutants/prober.mjs', jobsFile, resultsFile]);
    if (status !== 0) throw new Error(output);
    const lines = existsSync(resultsFile) ? readFileSync(resultsFile, 'utf8').trimEnd().split('\n') : [];
    for (const line of lines.slice(results.length)) {
      const result = JSON.parse(line);
      console.log(`${result.state}  ${result.name}${result.test ? `  (${result.test})` : ''}`);
      results.push(result);
    }
    tell(results);
  }
  return results;
}
