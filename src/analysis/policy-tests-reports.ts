// Results of policy tests in the forms that build servers read: JUnit XML, TAP 14 and plain data. Text for people is the
// command line's.
import { formatAnswer, formatQuestion } from '../model/flow-question.ts';
import { type CellFailure, isPassed, type TestResult } from './policy-tests.ts';

export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  /** What is wrong with the file or its manifests. */
  readonly errors: readonly { readonly code: string; readonly message: string }[];
  readonly durationMs: number;
}

/** Failing cells of a test that are written out; the others are counted. */
export const SHOWN_FAILURES = 10;

/** JSON-ready. */
export function testsAsData(results: readonly FileResult[]): Record<string, unknown> {
  const tests = results.flatMap((result) => result.tests);
  const passed = tests.filter(isPassed).length;
  return {
    passed,
    failed: tests.length - passed,
    files: results.map(({ file, tests, errors, durationMs }) => ({
      file,
      durationMs,
      errors: errors.map(({ code, message }) => ({ code, message })),
      tests: tests.map((test) => ({
        name: test.name,
        line: test.line,
        isPassed: isPassed(test),
        cells: test.cells,
        error: test.error === undefined ? undefined : { code: test.error.code, message: test.error.message },
        failures: test.failures.map(failureAsData),
      })),
    })),
  };
}

/** One suite for each file, one case for each test. Characters that XML does not allow are replaced. */
export function testsAsJunit(results: readonly FileResult[]): string {
  const suites = results.flatMap(({ file, tests, errors, durationMs }) => [
    `  <testsuite ${attributes({ name: file, ...tallyOf(tests, errors.length), time: seconds(durationMs) })}>`,
    ...errors.flatMap(({ code, message }) => [
      `    <testcase ${attributes({ classname: file, name: 'manifests and tests are valid' })}>`,
      `      <error ${attributes({ type: code, message })}/>`,
      '    </testcase>',
    ]),
    ...tests.flatMap((test) => junitCase(file, test)),
    '  </testsuite>',
  ]);
  const all = results.flatMap((result) => result.tests);
  const errors = results.reduce((sum, result) => sum + result.errors.length, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: 'tortie test', ...tallyOf(all, errors) })}>`,
    ...suites,
    '</testsuites>',
  ].join('\n');
}

/** Test Anything Protocol, version 14; details in the YAML blocks are JSON, which is YAML. */
export function testsAsTap(results: readonly FileResult[]): string {
  const points = results.flatMap(({ file, tests, errors }) => [
    ...errors.map(({ code, message }) => ({ isOk: false, name: `${file}: ${code}`, details: { message } })),
    ...tests.map((test) => tapPoint(file, test)),
  ]);
  const lines = points.flatMap(({ isOk, name, details }, index) => [
    `${isOk ? 'ok' : 'not ok'} ${index + 1} - ${tapText(name)}`,
    ...(isOk ? [] : tapDetails(details)),
  ]);
  return ['TAP version 14', `1..${points.length}`, ...lines].join('\n');
}

function failureAsData({ cell, problems, verdict }: CellFailure): Record<string, unknown> {
  const { id: _, ...answer } = formatAnswer(null, verdict);
  return { from: cell.from, to: cell.to, flow: formatQuestion(cell.flow), problems, ...answer };
}

function junitCase(file: string, test: TestResult): string[] {
  const open = `    <testcase ${attributes({ classname: file, name: test.name, file, line: test.line })}`;
  if (isPassed(test)) return [`${open}/>`];
  if (test.error !== undefined) {
    const { code, message } = test.error;
    return [`${open}>`, `      <error ${attributes({ type: code, message })}/>`, '    </testcase>'];
  }
  const [first] = test.failures;
  const text = test.failures.slice(0, SHOWN_FAILURES).map(failureText).join('\n');
  const message = `${first?.problems[0] ?? ''}${test.failures.length > 1 ? ` (${test.failures.length} flows)` : ''}`;
  return [
    `${open}>`,
    `      <failure ${attributes({ type: 'verdict', message })}>${escapeXml(text)}</failure>`,
    '    </testcase>',
  ];
}

function failureText({ cell, problems, verdict }: CellFailure): string {
  const { egress, ingress } = formatAnswer(null, verdict);
  const sides = Object.entries({ egress, ingress }).filter(([, side]) => side !== null);
  return [
    `${cell.from} -> ${cell.to} ${JSON.stringify(formatQuestion(cell.flow))}`,
    ...problems.map((problem) => `  ${problem}`),
    ...sides.map(([direction, side]) => `  ${direction}: ${JSON.stringify(side)}`),
  ].join('\n');
}

function tallyOf(tests: readonly TestResult[], errors: number): Record<string, number> {
  return {
    tests: tests.length + errors,
    failures: tests.filter(({ failures }) => failures.length > 0).length,
    errors: errors + tests.filter(({ error }) => error !== undefined).length,
  };
}

function tapPoint(file: string, test: TestResult) {
  const failures = test.failures.slice(0, SHOWN_FAILURES).map(failureAsData);
  const details = test.error === undefined ? { failures } : { message: test.error.message };
  return { isOk: isPassed(test), name: `${file}:${test.line} ${test.name}`, details };
}

function tapDetails(details: Record<string, unknown>): string[] {
  const fields = Object.entries(details).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  return ['  ---', ...fields, '  ...'];
}

/** `#` begins a directive. */
function tapText(text: string): string {
  return text.replaceAll(/[\\#]/g, String.raw`\$&`).replaceAll(/\s+/g, ' ');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escapeXml(String(value))}"`)
    .join(' ');
}

function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}
