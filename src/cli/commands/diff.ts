// tortie diff: which packets two sets of manifests judge differently, exactly, in sentences.
import { type Command, Option } from 'commander';
import { readLiveManifests } from '../../agent/live-manifests.ts';
import {
  ManifestReader,
  type ManifestSource,
  parseManifestSource,
  promoteStaged,
} from '../../agent/manifest-sources.ts';
import { countChangedObjects, loadStates } from '../../agent/policy-states.ts';
import { type Difference, findDifference } from '../../analysis/diff/difference.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { ResourceSnapshot } from '../../resources/sources/snapshot.ts';
import { askAgent } from '../agent-client.ts';
import { diffFiles, formatFileDifference } from '../diff-files.ts';
import { formatDifference } from '../diff-text.ts';
import { EXIT } from '../exit-codes.ts';
import { addFileOptions, namespaceOption, selectorOption } from '../object-options.ts';
import { outputOption, socketOption } from '../options.ts';
import { type OutputFormat, printData, printError } from '../output.ts';
import type { WrittenFlags } from '../written-objects.ts';

interface DiffFlags extends WrittenFlags {
  readonly promote?: boolean;
  readonly socket: string;
  readonly output: OutputFormat;
}

const HELP = `
A and B are each one of:
  DIR        a directory of manifests
  REV:PATH   a directory as a git revision has it: HEAD:policy, v1.2:./policy, origin/main:
  live       what the running agent enforces

Exit codes of diff:
  0  every packet of workloads is judged alike; policy of host endpoints is not compared, which is said where there is some
  1  some packets are judged differently
  2  a source cannot be read, or the command line is not understood
  3  some manifests were refused; the others were compared
  4  no agent answers

With -f instead of A and B: what tortie apply with these files would change, objects and packets. Exit code 1 then means
that an object or a packet would differ; 2 also that the agent would refuse it.

Examples:
  tortie diff -f policy.yaml           what would applying this file change?
  tortie diff live policy/             what would applying these manifests change?
  tortie diff HEAD:policy policy       what did I change since the last commit?
  tortie diff policy --promote         what would putting the staged policies in force change?

What the sentences mean, exactly: docs/diff.md`;

/** As diff(1) has it; FAILED would say that there are differences. */
const DIFFERENT = 1;
const TROUBLE = 2;

export function fillDiffCommand(command: Command): void {
  command.addOption(new Option('--promote', 'B is A with its staged policies put in force'));
  addFileOptions(command, 'what would applying these files to the agent change?')
    .addOption(namespaceOption())
    .addOption(selectorOption())
    .addOption(socketOption())
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(runDiff);
}

async function runDiff(before: string | undefined, after: string | undefined, flags: DiffFlags): Promise<void> {
  try {
    if (flags.filename !== undefined) {
      await runFileDiff(before, flags);
      return;
    }
    const [first, second] = await readBoth(before, after, flags);
    const states = loadStates(first, second);
    const difference = findDifference(states);
    const changedObjects = countChangedObjects(first, second);
    const errors = withoutRepeats([...states[0].errors, ...states[1].errors]);
    errors.forEach(printError);
    await printData({ ...difference, changedObjects }, flags.output, () =>
      formatDifference(difference, changedObjects),
    );
    process.exitCode = exitCodeOf(difference, errors);
  } catch (error) {
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    for (const one of errors) {
      if (!(one instanceof DataplaneError) || one.code === 'AGENT_UNREACHABLE') throw error;
      printError(one);
    }
    process.exitCode = TROUBLE;
  }
}

/** Throws what apply does, and USAGE when sources are named besides the files. */
async function runFileDiff(source: string | undefined, flags: DiffFlags): Promise<void> {
  if (source !== undefined || flags.promote === true) throw unclear([source ?? '--promote'], 'sources besides files');
  const difference = await diffFiles(flags.socket, flags);
  await printData(difference, flags.output, () => formatFileDifference(difference));
  process.exitCode = difference.objects.length === 0 ? EXIT.OK : DIFFERENT;
}

function exitCodeOf({ sentences }: Difference, errors: readonly DataplaneError[]): number {
  if (errors.length > 0) return EXIT.INVALID;
  return sentences.length === 0 ? EXIT.OK : DIFFERENT;
}

async function readBoth(
  before: string | undefined,
  after: string | undefined,
  { promote, socket }: DiffFlags,
): Promise<[ResourceSnapshot, ResourceSnapshot]> {
  const given = [before, after].filter((source) => source !== undefined);
  if (before === undefined) throw unclear(given, 'no source');
  if ((after === undefined) !== (promote === true)) {
    throw unclear(given, promote === true ? 'two sources and --promote' : 'one source');
  }
  const reader = new ManifestReader();
  const read = async (source: ManifestSource): Promise<ResourceSnapshot> =>
    source.kind === 'live' ? readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests')) : reader.read(source);
  const first = await read(parseManifestSource(before));
  return [first, after === undefined ? promoteStaged(first) : await read(parseManifestSource(after))];
}

function unclear(given: readonly string[], found: string): DataplaneError {
  return new DataplaneError('USAGE', 'two sources are compared, or one with --promote, or files with -f', {
    operation: 'diff',
    target: given.join(' '),
    found,
  });
}

/** What is wrong on both sides is said once. */
function withoutRepeats(errors: readonly DataplaneError[]): DataplaneError[] {
  return [...new Map(errors.map((error) => [error.message, error])).values()];
}
