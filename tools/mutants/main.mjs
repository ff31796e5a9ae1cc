// The door `npm run test:mutants [-- --only=TEXT ...] [--under=COMMAND]`: takes each defence of the programs out, one at a time, in a copy of the
// tree, and expects a test to notice. Which defences there are is in list/.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readResults, writeResults } from './document.mjs';
import { allMutants } from './list/all.mjs';
import { Sandbox } from './sandbox.mjs';

/** Tests that may notice, in the order they are asked: the attacks, or files of tests. */
const SUITES = {
  packet: ['attacks', 'test/packet/ test/attacks/memory'],
  wire: ['test/attacks/wire'],
  guard: ['test/packet/guard'],
  host: ['test/packet/host-'],
};

process.exitCode = main(process.argv.slice(2));

/**
 * `--only`: a part of the mutants' names; more than one may be given. `--under`: words in front of what loads programs, such as a lock that
 * users of a machine share.
 */
function main(parameters) {
  const options = (name) =>
    parameters.filter((one) => one.startsWith(`--${name}=`)).map((one) => one.slice(name.length + 3));
  const only = options('only');
  const under = options('under')[0]?.split(' ') ?? [];
  const sandbox = new Sandbox();
  process.on('SIGINT', () => process.exit(130));
  process.on('exit', () => sandbox.remove());
  const base = { name: 'the programs as they are', folder: 'mutants/none', suites: ['attacks'] };
  const broken = sandbox.build(base.folder);
  if (broken !== undefined) throw new Error(broken);
  const chosen = allMutants.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)));
  const built = chosen.map((mutant, index) => build(sandbox, mutant, `mutants/${index}`));
  const refused = built.filter(({ by }) => by !== undefined);
  const loadable = built.filter(({ by }) => by === undefined);
  const remember = (results) => writeResults(allMutants, [...readResults(), ...results]);
  const [whole, ...probed] = probeAll(sandbox, under, [base, ...loadable], ([, ...found]) => remember(found));
  // Otherwise every mutant would be noticed by what fails anyway.
  if (whole.state !== 'survived') throw new Error(`${whole.name}: ${whole.state} ${whole.test ?? whole.by}`);
  const results = [...refused, ...probed];
  remember(results);
  const failed = results.filter(({ state }) => state !== 'noticed');
  for (const { name, state, by } of failed) console.log(`${state}: ${name}${by ? `\n${by}` : ''}`);
  console.log(`${results.length - failed.length} noticed, ${failed.length} not`);
  return failed.length === 0 ? 0 : 1;
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
