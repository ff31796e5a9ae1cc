// Flows that a command learns from: of files in any format that is known, or of the running agent's store. Streams; keeps nothing
// but the first problems.
import { createReadStream } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type FeedSummary,
  FLOW_FORMATS,
  type FlowFormat,
  type FlowSink,
  feedFlows,
} from '../analysis/flow-logs/feed.ts';
import { isFlowLog, type LoggedFlow, readFlowLog } from '../analysis/flow-logs/flow-log.ts';
import { readJsonRecords } from '../analysis/flow-logs/json-records.ts';
import { DataplaneError } from '../base/errors.ts';
import { sendToAgent } from './agent-client.ts';

export interface FlowInputFlags {
  readonly fromFile?: readonly string[];
  readonly format: FlowFormat;
  /** Milliseconds. */
  readonly since: number;
  readonly socket: string;
}

/** Conditions of the store's API, see docs/observability.md. */
export type FlowQuery = Readonly<Record<string, string | number | undefined>>;

export interface FlowProblem {
  readonly file: string;
  readonly place: string;
  readonly why: string;
}

/** What could not be read: how much, and the first of it. */
export interface Unreadable {
  count: number;
  readonly first: FlowProblem[];
}

export interface FlowInput extends FeedSummary {
  readonly from: string;
  readonly unreadable: Unreadable;
}

const CHUNK_BYTES = 1024 * 1024;
const SHOWN_PROBLEMS = 10;
const PAGE = 2_000;
/** Of one answer of the store: what is more is refused. */
export const MAX_STORED = 2_000_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** For options that take a time: 90s, 30m, 24h, 7d. Milliseconds. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^([1-9]\d{0,6})([smhdw])$/.exec(text) ?? [];
  const ms = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms <= 10 * 366 * 86_400_000) return ms;
  throw new InvalidArgumentError('expected a number and s, m, h, d or w, as 90s or 24h');
}

export function addFlowInputOptions(command: Command, since = '24h'): Command {
  return command
    .addOption(
      new Option('--since <time>', "how far back flows of the agent's store count: 90s, 30m, 24h, 7d")
        .argParser(duration)
        .default(duration(since), since),
    )
    .option('--from-file <file...>', "flow logs or captures instead of the agent's store; - = standard input")
    .addOption(
      new Option('--format <name>', 'of the files; auto looks at the first bytes and at the fields of each record')
        .choices([...FLOW_FORMATS])
        .default('auto'),
    );
}

/** Every flow, in the form that all formats come down to. Throws FILE_UNREADABLE, AGENT_UNREACHABLE, and the agent's errors. */
export async function feedInput(
  flags: FlowInputFlags,
  query: FlowQuery,
  sink: Omit<FlowSink, 'bad'>,
): Promise<FlowInput> {
  const unreadable: Unreadable = { count: 0, first: [] };
  const sum = { records: 0, turned: 0, forgotten: 0 };
  const sources = flags.fromFile ?? [undefined];
  for (const file of sources) {
    const pieces = file === undefined ? storedPieces(flags, query) : piecesOf(file);
    const bad = (place: string, why: string): void =>
      noteProblem(unreadable, { file: file ?? flags.socket, place, why });
    const decoder = new TextDecoder();
    const decode = (piece: Uint8Array): string => decoder.decode(piece, { stream: true });
    const format = file === undefined ? 'tortie' : flags.format;
    const summary = await feedFlows(pieces, { format, decode }, { ...sink, bad });
    sum.records += summary.records;
    sum.turned += summary.turned;
    sum.forgotten += summary.forgotten;
  }
  return { from: flags.fromFile?.join(', ') ?? 'the store of the agent', ...sum, unreadable };
}

/** Flow logs with their traces; records of other formats are problems. Throws as feedInput does. */
export async function* readLogs(
  flags: Omit<FlowInputFlags, 'format'>,
  query: FlowQuery,
  unreadable: Unreadable,
): AsyncGenerator<LoggedFlow, void, void> {
  for (const file of flags.fromFile ?? [undefined]) {
    const pieces = file === undefined ? storedPieces(flags, query) : piecesOf(file);
    for await (const item of readJsonRecords(texts(pieces))) {
      const problem = (why: string): void =>
        noteProblem(unreadable, { file: file ?? flags.socket, place: `line ${item.line}`, why });
      if (item.kind === 'bad') problem(item.why);
      else if (!isFlowLog(item.record)) problem('is no flow log of tortie flows --output json');
      else {
        const log = readOne(item.record, problem);
        if (log !== undefined) yield log;
      }
    }
  }
}

/** Lines for a person; none when all was read. */
export function describeUnreadable({ count, first }: Unreadable): string[] {
  if (count === 0) return [];
  const more = count > first.length ? [`  ... and ${count - first.length} more`] : [];
  return [`unreadable: ${count}`, ...first.map(({ file, place, why }) => `  ${file} ${place}: ${why}`), ...more];
}

function readOne(record: Parameters<typeof readFlowLog>[0], problem: (why: string) => void): LoggedFlow | undefined {
  try {
    return readFlowLog(record);
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    problem(error.message);
    return undefined;
  }
}

function noteProblem(unreadable: Unreadable, problem: FlowProblem): void {
  unreadable.count += 1;
  if (unreadable.first.length < SHOWN_PROBLEMS) unreadable.first.push(problem);
}

interface FlowPage {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly unknown[];
}

/** Pages of the store, the oldest first, one record a line. */
async function* storedPieces({ socket, since }: Pick<FlowInputFlags, 'socket' | 'since'>, query: FlowQuery) {
  const from = new Date(Date.now() - since).toISOString();
  let left = MAX_STORED;
  for (let token: string | undefined; left > 0; ) {
    const { body } = await sendToAgent<FlowPage>(socket, {
      method: 'GET',
      path: '/flows',
      query: { since: from, sort: 'time', ...query, limit: Math.min(PAGE, left), continue: token },
    });
    left -= body.items.length;
    yield Buffer.from(body.items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    token = body.metadata?.continue;
    if (token === undefined || body.items.length === 0) return;
  }
  throw new DataplaneError('LIMIT_EXCEEDED', 'has more records than one question may take', {
    operation: 'read',
    target: 'stored flows',
    expected: `at most ${MAX_STORED}`,
    hint: 'ask for a shorter time, or for fewer flows',
  });
}

/** Of a file, or of standard input (-). Throws FILE_UNREADABLE. */
export async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    const what = `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}`;
    throw new DataplaneError('FILE_UNREADABLE', what, { operation: 'read flows', target: file, cause });
  }
}

async function* texts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of pieces) yield decoder.decode(piece, { stream: true });
}
