// Policy tests: what a file expects of policies, asked of an engine cell by cell.
import { DataplaneError } from '../base/errors.ts';
import { formatTrace, type TraceEntry } from '../model/trace.ts';
import type { FlowVerdict, SideVerdict } from '../model/verdict.ts';
import type { EndpointNames } from './endpoint-names.ts';
import { decisionsOf, formatEntry, type Judge, viewOf } from './outcome.ts';
import { flowKey, type TestCell, TestCells } from './policy-tests-cells.ts';
import type { ClosedExpectation, Expectation, PolicyTestFile, TestService } from './policy-tests-parse.ts';

export interface CellFailure {
  readonly cell: TestCell;
  /** One sentence for each thing that is not as expected. */
  readonly problems: readonly string[];
  readonly verdict: FlowVerdict;
}

export interface TestResult {
  readonly name: string;
  /** 1-based, in the file of tests. */
  readonly line: number;
  /** Flows that were asked about. */
  readonly cells: number;
  readonly failures: readonly CellFailure[];
  /** The test makes no sense with these manifests. */
  readonly error?: DataplaneError;
}

export const CLOSED_TEST_NAME = 'everything else is denied';

export function isPassed({ failures, error }: TestResult): boolean {
  return failures.length === 0 && error === undefined;
}

/** One result for each expectation, in the order of the file; `closed` is the last. */
export function runPolicyTests(tests: PolicyTestFile, names: EndpointNames, judge: Judge): readonly TestResult[] {
  const cells = new TestCells(names);
  const allowed = new Set<string>();
  const results = tests.expectations.map((expectation) => {
    const { name, line, expect } = expectation;
    return attempt(name, line, () => {
      const asked = cells.of(expectation);
      if (expect === 'allow') for (const { flow } of asked) allowed.add(flowKey(flow));
      return {
        cells: asked.length,
        failures: failuresAmong(asked, judge, (verdict) => problemsOf(expectation, verdict)),
      };
    });
  });
  const { closed } = tests;
  if (closed === undefined) return results;
  const rest = attempt(CLOSED_TEST_NAME, closed.line, () => {
    const { endpoints, services } = scopeOf(closed, tests.expectations);
    const asked = cells.between(endpoints, services).filter(({ flow }) => !allowed.has(flowKey(flow)));
    return { cells: asked.length, failures: failuresAmong(asked, judge, problemsOfOpen) };
  });
  return [...results, rest];
}

/** An error of the question itself is a failure of this test, not of the others. */
function attempt(name: string, line: number, ask: () => Pick<TestResult, 'cells' | 'failures'>): TestResult {
  try {
    return { name, line, ...ask() };
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    return { name, line, cells: 0, failures: [], error };
  }
}

function failuresAmong(
  cells: readonly TestCell[],
  judge: Judge,
  problemsOf: (verdict: FlowVerdict) => readonly string[],
): readonly CellFailure[] {
  return cells
    .map((cell) => {
      const verdict = judge(cell.flow);
      return { cell, verdict, problems: problemsOf(verdict) };
    })
    .filter(({ problems }) => problems.length > 0);
}

function problemsOfOpen({ verdict }: FlowVerdict): readonly string[] {
  return verdict === 'deny' ? [] : ['expected deny, found allow: no test expects it to be open'];
}

function problemsOf(expectation: Expectation, verdict: FlowVerdict): readonly string[] {
  const problems: string[] = [];
  const { expect, pending, decidedBy, trace } = expectation;
  if (verdict.verdict !== expect) problems.push(`expected ${expect}, found ${verdict.verdict}`);
  const wouldBe = viewOf(verdict, 'pending').verdict;
  if (pending !== undefined && pending !== wouldBe) problems.push(`pending: expected ${pending}, found ${wouldBe}`);
  const deciding = decisionsOf(verdict).map(({ entry }) => entry);
  for (const wanted of decidedBy) {
    if (deciding.some((entry) => isEntry(entry, wanted))) continue;
    const found = deciding.map(formatEntry).join(' and ') || 'nothing: neither end is a workload';
    problems.push(`decidedBy: expected ${wanted}, found ${found}`);
  }
  for (const direction of ['egress', 'ingress'] as const) {
    const wanted = trace?.[direction];
    if (wanted !== undefined) problems.push(...traceProblems(direction, wanted, verdict[direction]));
  }
  return problems;
}

function traceProblems(direction: string, wanted: readonly string[], side: SideVerdict | null): readonly string[] {
  const found = formatTrace(side?.trace ?? []);
  if (found.length === wanted.length && found.every((entry, index) => entry === wanted[index])) return [];
  return [`trace.${direction}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`];
}

/** `wanted` is `<kind>:[<namespace>/]<name>`, alone or in the middle of a trace entry, with or without position. */
function isEntry(entry: TraceEntry, wanted: string): boolean {
  const full = formatEntry(entry);
  const [tier = '', policy = '', action = '', rule = ''] = full.split('|');
  const parts = wanted.split('|');
  switch (parts.length) {
    case 1:
      return wanted === policy;
    case 2:
      return wanted === `${tier}|${policy}`;
    case 3:
      return wanted === `${policy}|${action}|${rule}`;
    default:
      return parts.slice(-4).join('|') === full;
  }
}

function scopeOf(closed: ClosedExpectation, expectations: readonly Expectation[]) {
  const mentioned = new Set(expectations.flatMap(({ from, to }) => [...from, ...to]));
  const services = new Map<string, TestService>();
  for (const { service } of expectations) services.set(JSON.stringify(service), service);
  return {
    endpoints: closed.endpoints ?? [...mentioned],
    services: closed.services ?? [...services.values()],
  };
}
