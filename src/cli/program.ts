// The command tree: argv in, text out. Each command has a file of its own; this one wires them.
import { Command, CommanderError } from 'commander';
import { VERSION } from '../agent/version.ts';
import { DataplaneError } from '../base/errors.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addApplyCommand } from './commands/apply.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addCleanupCommand } from './commands/cleanup.ts';
import { addCompletionCommand, answerCompletion } from './commands/completion.ts';
import { addConfigCommand } from './commands/config.ts';
import { addConvertCommand } from './commands/convert.ts';
import { addCreateCommands } from './commands/create.ts';
import { addDeleteCommand } from './commands/delete.ts';
import { addDiffCommand } from './commands/diff.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEndpointCommand } from './commands/endpoint.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addGetCommand } from './commands/get.ts';
import { addHistoryCommands } from './commands/history.ts';
import { addLabelCommand } from './commands/label.ts';
import { addLintCommand } from './commands/lint.ts';
import { addMatrixCommand } from './commands/matrix.ts';
import { addMonitorCommand } from './commands/monitor.ts';
import { addNodeCommand } from './commands/node.ts';
import { addPatchCommand } from './commands/patch.ts';
import { addRenderCommand } from './commands/render.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addStatusCommand } from './commands/status.ts';
import { addSupportBundleCommand } from './commands/support-bundle.ts';
import { addTablesCommand } from './commands/tables.ts';
import { addTestCommand } from './commands/test.ts';
import { addTraceCommand } from './commands/trace.ts';
import { addValidateCommand } from './commands/validate.ts';
import { addVerdictCommand } from './commands/verdict.ts';
import { addVersionCommand } from './commands/version.ts';
import { addWatchCommand } from './commands/watch.ts';
import { LIVE } from './completion/live.ts';
import { ASKING } from './completion/scripts.ts';
import { EXIT, EXIT_MEANING } from './exit-codes.ts';
import { printError } from './output.ts';

/** The whole command tree; docs/cli.md is generated from it. */
export function createProgram(): Command {
  const program = new Command('tortie')
    .description('Calico and Kubernetes network policy, judged in the kernel at a fixed cost per packet')
    .version(VERSION)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .addHelpText('after', `\nExit codes:\n${describeExitCodes()}`);
  const adders = [
    addAgentCommand,
    addStatusCommand,
    addConfigCommand,
    addEndpointCommand,
    addNodeCommand,
    addGetCommand,
    addWatchCommand,
    addApplyCommand,
    addCreateCommands,
    addPatchCommand,
    addLabelCommand,
    addDeleteCommand,
    addHistoryCommands,
    addValidateCommand,
    addConvertCommand,
    addVerdictCommand,
    addTraceCommand,
    addDiffCommand,
    addSimulateCommand,
    addTestCommand,
    addMatrixCommand,
    addLintCommand,
    addExplainCommand,
    addRenderCommand,
    addBenchCommand,
    addTablesCommand,
    addMonitorCommand,
    addCleanupCommand,
    addDoctorCommand,
    addSupportBundleCommand,
    addVersionCommand,
    addCompletionCommand,
  ];
  for (const add of adders) add(program);
  for (const command of program.commands) command.exitOverride().showHelpAfterError('(see --help)');
  return program;
}

function describeExitCodes(): string {
  return Object.entries(EXIT_MEANING)
    .map(([code, meaning]) => `  ${code}  ${meaning}`)
    .join('\n');
}

/** Runs one command line, or answers a shell that asks how one goes on, and returns the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  process.exitCode = EXIT.OK;
  try {
    if (argv[2] === ASKING) process.stdout.write(await answerCompletion(createProgram(), argv.slice(4), LIVE));
    else await createProgram().parseAsync([...argv]);
    return Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    const problems = problemsOf(error);
    if (problems !== undefined) {
      problems.forEach(printError);
      return EXIT.INVALID;
    }
    const known = error instanceof DataplaneError ? error : fromSystem(error);
    printError(known);
    if (known.code === 'USAGE') return EXIT.USAGE;
    return known.code === 'AGENT_UNREACHABLE' ? EXIT.NOT_READY : EXIT.FAILED;
  }
}

/** Everything that is wrong with manifests, which were refused together; undefined = it is something else. */
function problemsOf(error: unknown): readonly DataplaneError[] | undefined {
  if (!(error instanceof AggregateError)) return undefined;
  const problems = (error.errors as readonly unknown[]).filter((one) => one instanceof DataplaneError);
  return problems.length > 0 ? problems : undefined;
}

/** A failed system call of Node itself, in the form of all other errors. Anything else is a bug and is thrown on. */
function fromSystem(error: unknown): DataplaneError {
  const { code, syscall, path, address } = error as NodeJS.ErrnoException & { readonly address?: string };
  if (code === undefined || syscall === undefined) throw error;
  return new DataplaneError(code === 'EACCES' || code === 'EPERM' ? 'PERMISSION' : 'KERNEL', code, {
    operation: syscall,
    target: path ?? address ?? 'system',
    cause: error,
  });
}
