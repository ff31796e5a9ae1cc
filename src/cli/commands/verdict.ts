// tortie verdict: flows in, verdicts out, one JSON object a line each way. Nothing else on standard output.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { ENGINES, type Engine, type EngineName, loadManifests, openEngine } from '../../agent/offline.ts';
import { DataplaneError } from '../../base/errors.ts';
import { formatAnswer, parseFlowQuestion } from '../../model/flow-question.ts';
import { EXIT } from '../exit-codes.ts';
import { manifestsOption, nodeOption } from '../options.ts';
import { printError } from '../output.ts';

const MAX_LINE_LENGTH = 64 * 1024;

interface VerdictFlags {
  readonly manifests: string;
  readonly node: string;
  readonly flows: string;
  readonly engine: EngineName;
}

export function addVerdictCommand(program: Command): void {
  program
    .command('verdict')
    .description('judge flows by a directory of manifests; see docs/verdict.md for both formats')
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addOption(new Option('--flows <file>', 'JSON lines; - = standard input').default('-'))
    .addOption(
      new Option(
        '--engine <name>',
        'model = reference evaluator, tables = compiled arrays, kernel = the loaded programs',
      )
        .choices([...ENGINES])
        .default('tables'),
    )
    .action(runVerdict);
}

async function runVerdict({ manifests, node, flows, engine: name }: VerdictFlags): Promise<void> {
  const { world, errors } = loadManifests(manifests);
  errors.forEach(printError);
  const input = flows === '-' ? process.stdin : createReadStream(flows);
  const engine = openEngine(name, world, node);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() === '') continue;
      if (!process.stdout.write(`${JSON.stringify(answer(line, engine))}\n`)) await drained();
    }
  } catch (cause) {
    throw cause instanceof DataplaneError ? cause : unreadable(flows, cause);
  } finally {
    engine.close();
  }
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** A line that makes no sense is answered with an error; the rest go on. */
function answer(line: string, engine: Engine): Record<string, unknown> {
  let id: unknown = null;
  try {
    if (line.length > MAX_LINE_LENGTH) throw new Error(`line is longer than ${MAX_LINE_LENGTH} characters`);
    const question: unknown = JSON.parse(line);
    id = (question as { id?: unknown } | null)?.id ?? null;
    return formatAnswer(id, engine.evaluate(parseFlowQuestion(question).flow));
  } catch (error) {
    return { id, error: (error as Error).message };
  }
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

function unreadable(path: string, cause: unknown): DataplaneError {
  return new DataplaneError('FILE_UNREADABLE', 'cannot be read', { operation: 'read flows', target: path, cause });
}
