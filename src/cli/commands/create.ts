// tortie create and tortie replace: objects of files, one request each. What is refused leaves the others alone.
import type { Command } from 'commander';
import type { Manifest } from '../../agent/store/stored-object.ts';
import { DataplaneError } from '../../base/errors.ts';
import { describeOutcome } from '../change-text.ts';
import { EXIT } from '../exit-codes.ts';
import {
  addChangeOptions,
  addFileOptions,
  type ChangeOptions,
  changeFlags,
  type DryRun,
  namespaceOption,
  type ObjectFormat,
  objectOutputOption,
  selectorOption,
} from '../object-options.ts';
import { formatData, qualifiedName } from '../object-output.ts';
import { print, printError } from '../output.ts';
import { ResourceClient } from '../resource-client.ts';
import { readWrittenObjects, type WrittenFlags, type WrittenObject } from '../written-objects.ts';
import { validateOption } from './apply.ts';

interface WriteFlags extends ChangeOptions, WrittenFlags {
  readonly output?: ObjectFormat;
}

type Write = (client: ResourceClient, object: WrittenObject, flags: WriteFlags) => Promise<Manifest>;

export function addCreateCommands(program: Command): void {
  addWriteCommand(program, 'create', 'create objects that are not there yet', (client, { ref, manifest }, flags) =>
    client.create(ref, manifest, changeFlags(flags)),
  );
  addWriteCommand(
    program,
    'replace',
    'put objects in the place of those that are there; a resourceVersion says which version is meant',
    (client, { ref, manifest }, flags) => client.replace(ref, manifest, changeFlags(flags)),
  );
}

function addWriteCommand(program: Command, verb: 'create' | 'replace', description: string, write: Write): void {
  const command = program.command(verb).description(description);
  addFileOptions(command).addOption(namespaceOption()).addOption(selectorOption()).addOption(validateOption());
  addChangeOptions(command)
    .addOption(objectOutputOption('how to show the objects as they are then'))
    .action((flags: WriteFlags) => writeObjects(verb, write, flags));
}

async function writeObjects(verb: 'create' | 'replace', write: Write, flags: WriteFlags): Promise<void> {
  const objects = readWrittenObjects(flags);
  requireOne(verb, objects, flags);
  const client = new ResourceClient(flags.socket);
  const dryRun = dryRunOf(flags);
  for (const object of objects) {
    try {
      const result = dryRun === 'client' ? object.manifest : await write(client, object, flags);
      printWritten(result, `${verb}d`, dryRun, flags.output);
    } catch (error) {
      if (!(error instanceof DataplaneError) || error.code === 'AGENT_UNREACHABLE') throw error;
      printError(error);
      process.exitCode = EXIT.FAILED;
    }
  }
}

export function dryRunOf({ dryRun = 'none' }: ChangeOptions): DryRun {
  return dryRun === true ? 'server' : dryRun;
}

/** An object that a request has answered with. */
export function printWritten(
  object: Manifest,
  outcome: string,
  dryRun: DryRun,
  format: ObjectFormat = { kind: 'table' },
): void {
  if (format.kind === 'table' || format.kind === 'wide') print(describeOutcome(object, outcome, dryRun));
  else if (format.kind === 'name') print(qualifiedName(object));
  else if (format.kind === 'jsonpath') process.stdout.write(formatData(object, format));
  else print(format.kind === 'yaml' ? `---\n${formatData(object, format)}` : formatData(object, format));
}

/** Each request is a change of its own, and the second would have to wait for the first to be confirmed. */
function requireOne(verb: string, { length }: readonly WrittenObject[], { confirm }: WriteFlags): void {
  if (confirm === undefined || length === 1) return;
  throw new DataplaneError('USAGE', 'one change is confirmed at a time', {
    operation: verb,
    target: `${length} objects`,
    found: '--confirm',
    hint: 'tortie apply makes one change of all objects',
  });
}
