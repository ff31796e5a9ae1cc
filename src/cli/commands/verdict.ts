// tortie verdict: flows in, verdicts out, one JSON object a line each way. Nothing else on standard output.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { ENGINES, type Engine, type EngineName, loadManifests, openEngine } from '../../agent/offline.ts';
import { DataplaneError } from '../../base/errors.ts';
import { formatAnswer, parseFlowQuestion } from '../../model/flow-question.ts';
import { formatPathAnswer, isPathQuestion, parsePathQuestion } from '../../model/path-question.ts';
import type { World } from '../../model/world.ts';
import { EXIT } from '../exit-codes.ts';
import { manifestsOption, nodeOption } from '../options.ts';
import { printError } from '../output.ts';
import { openPathEngine, type PathEngine } from '../path-engine.ts';

const MAX_LINE_LENGTH = 64 * 1024;

interface VerdictFlags {
  readonly manifests: string;
  readonly node: string;
  readonly flows: string;
  readonly engine: EngineName;
  readonly interfaces?: string;
}

export function fillVerdictCommand(command: Command): void {
  command
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
    .addOption(
      new Option(
        '--interfaces <file>',
        "JSON list of the host's interfaces, for questions with a hook (default: this machine's)",
      ),
    )
    .action(runVerdict);
}

async function runVerdict({ manifests, node, flows, engine: name, interfaces }: VerdictFlags): Promise<void> {
  const { world, errors } = loadManifests(manifests);
  errors.forEach(printError);
  const input = flows === '-' ? process.stdin : createReadStream(flows);
  const judges = new Judges(name, world, node, interfaces);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() === '') continue;
      if (!process.stdout.write(`${JSON.stringify(answer(line, judges))}\n`)) await drained();
    }
  } catch (cause) {
    throw cause instanceof DataplaneError ? cause : unreadable(flows, cause);
  } finally {
    judges.close();
  }
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** Engines for both kinds of questions. */
class Judges {
  readonly flows: Engine;
  readonly #openPaths: () => PathEngine;
  #paths: PathEngine | undefined;

  /** What is asked for by name is opened at once, so that what is wrong with it ends the command. */
  constructor(name: EngineName, world: World, node: string, interfaces: string | undefined) {
    this.#openPaths = () => openPathEngine(name, world, node, interfaces);
    if (interfaces !== undefined) this.#paths = this.#openPaths();
    this.flows = openEngine(name, world, node);
  }

  get paths(): PathEngine {
    this.#paths ??= this.#openPaths();
    return this.#paths;
  }

  close(): void {
    this.flows.close();
    this.#paths?.close();
  }
}

/** A line that makes no sense is answered with an error; the rest go on. */
function answer(line: string, judges: Judges): Record<string, unknown> {
  let id: unknown = null;
  try {
    if (line.length > MAX_LINE_LENGTH) throw new Error(`line is longer than ${MAX_LINE_LENGTH} characters`);
    const question: unknown = JSON.parse(line);
    id = (question as { id?: unknown } | null)?.id ?? null;
    if (isPathQuestion(question)) {
      const { packet } = parsePathQuestion(question);
      return formatPathAnswer(id, judges.paths.evaluatePath(packet));
    }
    return formatAnswer(id, judges.flows.evaluate(parseFlowQuestion(question).flow));
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
