// How results of a guest's tests come out of it: one line each among whatever the tests print. Pure.

/** One file of tests, compiled. */
export interface GuestFile {
  /** Absolute. */
  readonly path: string;
  /** Tests whose title has none of these are not run, nor told of. */
  readonly only?: readonly string[];
}

/** What one guest is to run. */
export interface GuestTests {
  readonly files: readonly GuestFile[];
  /** Tests whose title has one of these are left out. */
  readonly without: readonly string[];
  /** Whether tests that throw KernelTooOld count as left out; otherwise they failed. */
  readonly mayBeTooOld: boolean;
  readonly timeoutMs: number;
}

export interface TestResult {
  readonly file: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'left out';
  readonly ms: number;
  readonly problems: readonly string[];
}

/** What the verifier did for one program: how long it took there, in steps. */
export interface Verified {
  readonly object: string;
  readonly program: string;
  readonly instructions: number;
  readonly states: number;
}

export type Probe = Readonly<Record<string, boolean | number>>;

/** Everything that came out of a guest. */
export interface GuestReport {
  readonly results: readonly TestResult[];
  readonly verified: readonly Verified[];
  readonly probe: Probe | undefined;
  /** What the tests themselves printed. */
  readonly rest: string;
}

/** No test prints this by chance. */
const MARKS = { result: '\u0001result ', verified: '\u0001verified ', probe: '\u0001probe ' } as const;

/** With line breaks around it: a test may have left a line unfinished. */
export function formatResult(result: TestResult): string {
  return `\n${MARKS.result}${JSON.stringify(result)}\n`;
}

/** A line for console.info. */
export function formatVerified(verified: Verified): string {
  return MARKS.verified + JSON.stringify(verified);
}

/** A line for console.info. */
export function formatProbe(probe: Probe): string {
  return MARKS.probe + JSON.stringify(probe);
}

export function parseReport(output: string): GuestReport {
  const lines = output.split('\n');
  const marked = (mark: string): unknown[] =>
    lines.filter((line) => line.startsWith(mark)).map((line) => JSON.parse(line.slice(mark.length)));
  return {
    results: marked(MARKS.result) as TestResult[],
    verified: marked(MARKS.verified) as Verified[],
    probe: marked(MARKS.probe)[0] as Probe | undefined,
    rest: lines.filter((line) => line !== '' && !line.startsWith('\u0001')).join('\n'),
  };
}
