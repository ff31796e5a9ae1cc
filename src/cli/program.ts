// The command tree: argv in, text out. Which commands there are is command-list.ts; each has a file of its own.
import type { EventEmitter } from 'node:events';
import { Command, CommanderError, Help, Option } from 'commander';
import { VERSION } from '../agent/version.ts';
import { DataplaneError } from '../base/errors.ts';
import { COMMANDS } from './command-list.ts';
import { ASKING } from './completion/scripts.ts';
import { EXIT, EXIT_MEANING } from './exit-codes.ts';
import { printError } from './output.ts';

/** What may stand before the verb, as kubectl has it; the verb says what comes of it, and when it is not given. */
const GLOBAL_OPTIONS = [
  ['-n, --namespace <name>', 'before or after a command that takes it: its namespace'],
  ['--socket <path>', "before or after a command that takes it: the agent's socket"],
] as const;

/** The command tree. Of `only`, if it is given, all is known; of others their names, their arguments and what they do. */
export async function createProgram(only?: string): Promise<Command> {
  // Whether a verb that nobody asked for has options is not known: all are shown without.
  const terms = new Map<Command, string>();
  const program = new Command('tortie')
    .description('Calico and Kubernetes network policy, judged in the kernel at a fixed cost per packet')
    .version(VERSION)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => terms.get(command) ?? new Help().subcommandTerm(command) })
    .addHelpText('after', `\nExit codes:\n${describeExitCodes()}`);
  for (const { usage, description, load } of COMMANDS) {
    const command = program.command(usage).description(description);
    terms.set(command, usage);
    if (only === undefined || only === command.name()) (await load())(command);
  }
  for (const option of globalOptions()) program.addOption(option);
  // What comes behind a verb is the verb's own. Only here: commands would take it over for those below them.
  return program.enablePositionalOptions().hook('preAction', handDown);
}

function globalOptions(): readonly Option[] {
  return GLOBAL_OPTIONS.map(([flags, description]) => new Option(flags, description));
}

/** Options that stand before the verb, for the verb, unless it has been given its own. */
function handDown(program: Command, verb: Command): void {
  for (const option of program.options) {
    const attribute = option.attributeName();
    const value: unknown = program.getOptionValue(attribute);
    if (typeof value !== 'string' || verb.getOptionValueSource(attribute) === 'cli') continue;
    const own = verb.options.find((one) => one.attributeName() === attribute);
    if (own === undefined) verb.error(`error: ${verb.name()} has no option '${option.flags}'`);
    // As if the verb had read it, with its own check.
    (verb as Command & Pick<EventEmitter, 'emit'>).emit(`option:${own.name()}`, value);
  }
}

function describeExitCodes(): string {
  return Object.entries(EXIT_MEANING)
    .map(([code, meaning]) => `  ${code}  ${meaning}`)
    .join('\n');
}

/** The command that words of a command line begin with, `help VERB` included; '' = none. */
function verbOf(words: readonly string[]): string {
  const at = words.findIndex((word, index) => !word.startsWith('-') && !awaitsValue(words[index - 1] ?? ''));
  const [verb = '', ...rest] = at === -1 ? [] : words.slice(at);
  return verb === 'help' ? verbOf(rest) : verb;
}

function awaitsValue(word: string): boolean {
  return globalOptions().some(({ short, long }) => word === short || word === long);
}

async function answer(words: readonly string[]): Promise<string> {
  const [{ answerCompletion }, { LIVE }] = await Promise.all([
    import('./completion/answer.ts'),
    import('./completion/live.ts'),
  ]);
  return answerCompletion(await createProgram(verbOf(words.slice(0, -1))), words, LIVE);
}

/** Runs one command line, or answers a shell that asks how one goes on, and returns the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  process.exitCode = EXIT.OK;
  try {
    if (argv[2] === ASKING) process.stdout.write(await answer(argv.slice(4)));
    else await (await createProgram(verbOf(argv.slice(2)))).parseAsync([...argv]);
    return Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    const problems = problemsOf(error);
    if (problems !== undefined) {
      problems.forEach(printError);
      return EXIT.INVALID;
    }
    const known = error instanceof DataplaneError ? error : (fromSystem(error) ?? (await fromSkew(error)));
    if (known === undefined) throw error;
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

/** A failed system call of Node itself, in the form of all other errors; undefined = it is something else. */
function fromSystem(error: unknown): DataplaneError | undefined {
  const { code, syscall, path, address } = error as NodeJS.ErrnoException & { readonly address?: string };
  if (code === undefined || syscall === undefined) return undefined;
  return new DataplaneError(code === 'EACCES' || code === 'EPERM' ? 'PERMISSION' : 'KERNEL', code, {
    operation: syscall,
    target: path ?? address ?? 'system',
    cause: error,
  });
}

/** What comes of an answer that another version has given; undefined = there was none, and it is a bug. */
async function fromSkew(error: unknown): Promise<DataplaneError | undefined> {
  const { skewedAgent } = await import('./agent-client.ts');
  const agent = skewedAgent();
  if (agent === undefined) return undefined;
  return new DataplaneError('VERSION_SKEW', 'the answer is not as this command expects it', {
    operation: 'read',
    target: 'answer of the agent',
    found: `agent ${agent.version}`,
    expected: VERSION,
    hint: 'use the command that was installed with the agent',
    cause: error,
  });
}
