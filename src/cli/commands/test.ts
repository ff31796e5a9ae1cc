// tortie test: policy unit tests. Reads files of expectations, asks the compiled tables, and says what is not as expected.
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Command, Option } from 'commander';
import { type LoadedManifests, openEngine } from '../../agent/offline.ts';
import { EndpointNames } from '../../analysis/endpoint-names.ts';
import { formatLocation } from '../../analysis/outcome.ts';
import { type CellFailure, isPassed, runPolicyTests, type TestResult } from '../../analysis/policy-tests.ts';
import { type PolicyTestFile, parsePolicyTests } from '../../analysis/policy-tests-parse.ts';
import {
  type FileResult,
  SHOWN_FAILURES,
  testsAsData,
  testsAsJunit,
  testsAsTap,
} from '../../analysis/policy-tests-reports.ts';
import { DataplaneError } from '../../base/errors.ts';
import { buildWorld } from '../../model/build-world.ts';
import { formatQuestion } from '../../model/flow-question.ts';
import type { SideVerdict } from '../../model/verdict.ts';
import { mergeFiles } from '../../resources/sources/snapshot.ts';
import { EXIT } from '../exit-codes.ts';
import { readManifestPaths } from '../manifest-paths.ts';
import { argumentOf } from '../options.ts';
import { formatTable, paint, print, printError } from '../output.ts';

type TestOutput = 'text' | 'json' | 'junit' | 'tap';

const FORMATS: Readonly<Record<TestOutput, (results: readonly FileResult[]) => string>> = {
  text: describeResults,
  json: (results) => JSON.stringify(testsAsData(results), null, 2),
  junit: testsAsJunit,
  tap: testsAsTap,
};

const HELP = `
A file of tests, in YAML or JSON:
  manifests: ../manifests                  # a path or a list: directories, files, objects written in place
  tests:
    - name: only the api reaches the database
      from: shop/api-1                     # <namespace>/<name>, <namespace>/<beginning>*, an address, or a list
      to: shop/db-1
      protocol: TCP                        # TCP unless given; ping = echo request
      port: postgres                       # a number, or the name of a port of the destination
      expect: allow
      decidedBy: knp:shop/db
  allow:
    - shop/web-1 -> shop/api-1 TCP 9000
  deny:
    - shop/web-1 -> shop/db-1 TCP 5432
  closed: true                             # between the ends and services above nothing else is open

Exit codes: 0 all tests pass, 1 some fail, 3 a file of tests or its manifests have errors. See docs/policy-tests.md.`;

export function fillTestCommand(command: Command): void {
  argumentOf(command, 'file').description = 'files of tests';
  command
    .addOption(new Option('-o, --output <format>', 'how to show results').choices(Object.keys(FORMATS)).default('text'))
    .addHelpText('after', HELP)
    .action(runTests);
}

function runTests(files: readonly string[], { output }: { output: TestOutput }): void {
  const results = files.map(runFile);
  print(FORMATS[output](results));
  if (results.some(({ tests }) => !tests.every(isPassed))) process.exitCode = EXIT.FAILED;
  if (results.some(({ errors }) => errors.length > 0)) process.exitCode = EXIT.INVALID;
}

/** With errors in manifests the tests are run all the same, on what is valid. */
function runFile(file: string): FileResult {
  const startMs = performance.now();
  const parsed = parsePolicyTests(readText(file), file);
  parsed.errors.forEach(printError);
  if (parsed.tests === undefined) return resultOf(file, [], parsed.errors, startMs);
  const { world, errors } = loadWorld(parsed.tests);
  errors.forEach(printError);
  const engine = openEngine('tables', world, '*');
  const tests = runPolicyTests(parsed.tests, new EndpointNames(world), (flow) => engine.evaluate(flow));
  engine.close();
  return resultOf(file, tests, errors, startMs);
}

/** What is written in the file itself comes after what it names. */
function loadWorld({ file, paths, resources }: PolicyTestFile): LoadedManifests {
  try {
    const named = readManifestPaths(paths.map((path) => (isAbsolute(path) ? path : join(dirname(file), path))));
    const inline = { resources, errors: [] };
    const merged = mergeFiles([{ resources: [...named.objects.values()], errors: named.errors }, inline], []);
    const { world, errors } = buildWorld(merged.objects.values());
    return { world, errors: [...merged.errors, ...errors] };
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    return { world: buildWorld([]).world, errors: [error] };
  }
}

function resultOf(
  file: string,
  tests: readonly TestResult[],
  errors: readonly DataplaneError[],
  startMs: number,
): FileResult {
  return { file, tests, errors, durationMs: Math.round(performance.now() - startMs) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const what = `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}`;
    throw new DataplaneError('FILE_UNREADABLE', what, { operation: 'read tests', target: file, cause });
  }
}

function describeResults(results: readonly FileResult[]): string {
  const blocks = results.map((result) => {
    const passed = result.tests.filter(isPassed).length;
    const cells = result.tests.reduce((sum, test) => sum + test.cells, 0);
    const failed = result.tests.length - passed;
    const tally = [
      paint(`${passed} passed`, 'green'),
      ...(failed > 0 ? [paint(`${failed} failed`, 'red')] : []),
      ...(result.errors.length > 0 ? [paint(`${result.errors.length} errors`, 'red')] : []),
    ];
    const failures = result.tests.filter((test) => !isPassed(test)).map((test) => describeTest(result.file, test));
    return [...failures, `${result.file}: ${tally.join(', ')} (${cells} flows)`].join('\n\n');
  });
  return blocks.join('\n');
}

function describeTest(file: string, { name, line, failures, error }: TestResult): string {
  const title = `${paint('FAIL', 'red')}  ${file}:${line}  ${name}`;
  if (error !== undefined) return `${title}\n  ${error.code}: ${error.message}`;
  const shown = failures.slice(0, SHOWN_FAILURES).map(describeFailure);
  const rest = failures.length - shown.length;
  return [title, ...shown, ...(rest > 0 ? [`  ... and ${rest} more flows`] : [])].join('\n');
}

function describeFailure({ cell, problems, verdict }: CellFailure): string {
  const { src, dst, protocol, dstPort, icmpType } = formatQuestion(cell.flow);
  const service = [protocol, dstPort ?? icmpType].filter((part) => part !== undefined).join(' ');
  return [
    `  ${cell.from} (${src}) -> ${cell.to} (${dst}) ${service}`,
    ...problems.map((problem) => `    ${paint(problem, 'red')}`),
    ...describeSide('egress', verdict.egress),
    ...describeSide('ingress', verdict.ingress),
  ].join('\n');
}

function describeSide(direction: string, side: SideVerdict | null): string[] {
  if (side === null) return [];
  const rows = side.trace.map((entry) => [
    entry.tier,
    `${entry.kind}:${entry.namespace === undefined || entry.namespace === '' ? '' : `${entry.namespace}/`}${entry.name}`,
    entry.ruleIndex >= 0 ? `rule ${entry.ruleIndex}` : 'default',
    entry.action,
    formatLocation(entry) ?? 'built in',
  ]);
  const [first = [], ...rest] = rows;
  const table = rows.length === 0 ? [] : formatTable(first, rest).split('\n');
  return [`    ${direction} of ${side.endpoint}: ${side.verdict}`, ...table.map((row) => `      ${row}`)];
}
