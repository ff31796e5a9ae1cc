// Runs in the copy of the tree: puts each mutant's objects in place, loads them, and asks the tests. Ends after a while, so that others
// may use the machine in between; the caller starts it again with what is left.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createServer } from 'vite';
import { OBJECTS } from './sandbox.mjs';

const HOLD_MS = 150_000;
const REPORT = path.resolve('report.json');
const VITEST = ['node_modules/vitest/vitest.mjs', 'run', '--bail', '1', '--reporter', 'json', '--outputFile', REPORT];

/** Of the attacks: in this process, because a test runner takes longer to start than they take. */
const ATTACKS = '/test/attacks/support/all-attacks.ts';

const server = await createServer({
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true },
});
const { firstFailure: firstAttack } = await server.ssrLoadModule(ATTACKS);
const [jobsFile, resultsFile] = process.argv.slice(2);
const end = performance.now() + HOLD_MS;
for (const job of JSON.parse(readFileSync(jobsFile, 'utf8'))) {
  appendFileSync(resultsFile, `${JSON.stringify({ name: job.name, ...probe(job) })}\n`);
  if (performance.now() > end) break;
}
await server.close();
process.exit(0);

/** `noticed` by a test; `survived` all of them; `refused` by the verifier, which proves nothing. */
function probe(job) {
  const { folder, suites } = job;
  for (const object of OBJECTS) cpSync(path.join(folder, path.basename(object)), object);
  const refusal = load();
  if (refusal !== undefined) return { state: 'refused', by: refusal };
  const missed = suites.includes('attacks') ? firstAttack() : undefined;
  if (missed !== undefined) return { state: 'noticed', file: 'test/attacks/packet.test.ts', test: missed.attack };
  for (const files of suites.filter((suite) => suite !== 'attacks')) {
    const failure = firstFailure(files);
    if (failure !== undefined) return { state: 'noticed', ...failure };
  }
  return { state: 'survived' };
}

function load() {
  const { BpfObject } = createRequire(import.meta.url)(path.resolve('build/Release/tortie.node'));
  try {
    for (const object of OBJECTS) BpfObject.open(object, {}).close();
    return undefined;
  } catch (error) {
    return `${error.message} ${(error.log ?? '').trimEnd().split('\n').slice(-6).join('\n')}`;
  }
}

function firstFailure(files) {
  rmSync(REPORT, { force: true });
  const { status, stdout, stderr } = spawnSync('node', [...VITEST, ...files.split(' ')], { encoding: 'utf8' });
  if (status === 0) return undefined;
  if (!existsSync(REPORT)) throw new Error(stdout + stderr);
  for (const { name, assertionResults, message } of JSON.parse(readFileSync(REPORT, 'utf8')).testResults) {
    const failed = assertionResults.find((one) => one.status === 'failed');
    const test = failed?.fullName ?? message;
    if (test) return { file: path.relative('.', name), test };
  }
  throw new Error(stdout + stderr);
}
