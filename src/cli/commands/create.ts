// tortie create and tortie replace: objects of files, one request each. What is refused leaves the others alone.
import type { Command } from 'commander';
import type { Manifest } from '../../agent/store/manifest.ts';
import { DataplaneError } from '../../base/errors.ts';
import { EXIT } from '../exit-codes.ts';
import {
  addChangeOptions,
  addFileOptions,
  type ChangeOptions,
  changeFlags,
  namespaceOption,
  type ObjectFormat,
  objectOutputOption,
  selectorOption,
} from '../object-options.ts';
import { requireOneChange } from '../one-change.ts';
import { printError } from '../output.ts';
import { ResourceClient } from '../resource-client.ts';
import { readWrittenObjects, type WrittenFlags, type WrittenObject } from '../written-objects.ts';
import { dryRunOf, printWritten } from '../written-text.ts';
import { validateOption } from './apply.ts';

interface WriteFlags extends ChangeOptions, WrittenFlags {
  readonly output?: ObjectFormat;
}

type Write = (client: ResourceClient, object: WrittenObject, flags: WriteFlags) => Promise<Manifest>;

export function fillCreateCommand(command: Command): void {
  fillWriteCommand(command, 'create', (client, { ref, manifest }, flags) =>
    client.create(ref, manifest, changeFlags(flags)),
  );
}

export function fillReplaceCommand(command: Command): void {
  fillWriteCommand(command, 'replace', (client, { ref, manifest }, flags) =>
    client.replace(ref, manifest, changeFlags(flags)),
  );
}

function fillWriteCommand(command: Command, verb: 'create' | 'replace', write: Write): void {
  addFileOptions(command).addOption(namespaceOption()).addOption(selectorOption()).addOption(validateOption());
  addChangeOptions(command)
    .addOption(objectOutputOption('how to show the objects as they are then'))
    .action((flags: WriteFlags) => writeObjects(verb, write, flags));
}

async function writeObjects(verb: 'create' | 'replace', write: Write, flags: WriteFlags): Promise<void> {
  const objects = readWrittenObjects(flags);
  requireOneChange(verb, objects.length, flags);
  const client = new ResourceClient(flags.socket);
  const dryRun = dryRunOf(flags);
  for (const object of objects) {
    try {
      const result = dryRun === 'client' ? object.manifest : await write(client, object, flags);
      await printWritten(result, `${verb}d`, dryRun, flags.output);
    } catch (error) {
      if (!(error instanceof DataplaneError) || error.code === 'AGENT_UNREACHABLE') throw error;
      printError(error);
      process.exitCode = EXIT.FAILED;
    }
  }
}
