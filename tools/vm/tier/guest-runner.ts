// Runs compiled test files inside a guest: `node guest-runner.mjs REQUEST`, a JSON of GuestTests. Results go out as lines.
import {
  type File,
  type Suite,
  startTests,
  type Test,
  type VitestRunner,
  type VitestRunnerConfig,
} from '@vitest/runner';
import { formatResult, type GuestTests, type TestResult } from './results.ts';

const request = JSON.parse(process.argv[2] ?? '{}') as GuestTests;

process.on('warning', (warning) => {
  throw warning;
});

class Runner implements VitestRunner {
  readonly config: VitestRunnerConfig;

  constructor({ timeoutMs }: GuestTests) {
    this.config = {
      root: '/',
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    };
  }

  importFile(file: string): unknown {
    return import(file);
  }

  onBeforeRunTask(test: Test): void {
    if (!isChosen(test)) test.mode = 'skip';
    else if (request.without.some((words) => titleOf(test).includes(words))) {
      test.mode = 'skip';
      tell(test, { outcome: 'left out' });
    }
  }

  /** Not called for a test whose mode is `skip`. */
  onAfterRunTask(test: Test): void {
    const { state, errors = [], duration = 0 } = test.result ?? {};
    const problems = errors.map((error) => [error.stack ?? error.message, error.diff ?? ''].join('\n').trim());
    const isTooOld = request.mayBeTooOld && errors.length > 0 && errors.every(({ name }) => name === 'KernelTooOld');
    const outcome = isTooOld ? 'left out' : state === 'pass' ? 'passed' : 'failed';
    tell(test, { outcome, ms: duration, problems });
  }
}

function tell(test: Test, result: Pick<TestResult, 'outcome'> & Partial<TestResult>): void {
  const name = { file: fileOf(test), title: titleOf(test) };
  process.stdout.write(formatResult({ ...name, ms: 0, problems: [], ...result }));
}

function isChosen(test: Test): boolean {
  const only = request.files.find(({ path }) => path === test.file.filepath)?.only;
  return only === undefined || only.some((words) => titleOf(test).includes(words));
}

function fileOf(test: Test): string {
  return test.file.name;
}

function titleOf(test: Test): string {
  const words: string[] = [];
  for (let task: Test | Suite | undefined = test; task !== undefined && !('filepath' in task); task = task.suite) {
    words.unshift(task.name);
  }
  return words.join(' > ');
}

/** Hooks and imports that fail are no test's: each counts as one of its file. */
function reportRest(file: File): void {
  const suites: Suite[] = [file];
  for (const suite of suites) {
    suites.push(...suite.tasks.filter((task) => task.type === 'suite'));
    const problems = (suite.result?.errors ?? []).map((error) => error.stack ?? error.message);
    if (problems.length === 0) continue;
    process.stdout.write(formatResult({ file: file.name, title: suite.name, outcome: 'failed', ms: 0, problems }));
  }
}

for (const file of await startTests(
  request.files.map(({ path }) => path),
  new Runner(request),
))
  reportRest(file);
process.exit(0);
