// tortie validate: are these manifests valid? Nothing is applied; with --server an agent says whether it would take them.

import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { DataplaneError } from '../../base/errors.ts';
import { parseResource } from '../../model/parse/parse-resource.ts';
import { readDirectory } from '../../resources/sources/directory.ts';
import { EXIT } from '../exit-codes.ts';
import { readTexts } from '../object-files.ts';
import { addFileOptions, namespaceOption } from '../object-options.ts';
import { socketOption } from '../options.ts';
import { print, printError } from '../output.ts';
import { ResourceClient } from '../resource-client.ts';
import { checkText, readWrittenObjects } from '../written-objects.ts';

interface ValidateFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly server?: boolean;
  readonly namespace?: string;
  readonly socket: string;
}

interface Tally {
  readonly count: number;
  readonly errors: readonly DataplaneError[];
}

export function fillValidateCommand(command: Command): void {
  addFileOptions(command)
    .option('--server', 'ask the agent whether it would apply them: also limits, tables, addresses, its own files')
    .addOption(namespaceOption())
    .addOption(socketOption())
    .action(validate);
}

async function validate(paths: string[], flags: ValidateFlags): Promise<void> {
  const { filename = [], recursive } = flags;
  if (paths.length + filename.length === 0) {
    throw new DataplaneError('USAGE', 'nothing to check', {
      operation: 'validate',
      target: 'manifests',
      hint: 'name files or directories',
    });
  }
  if (flags.server === true) {
    await askServer({ ...flags, filename: [...paths, ...filename], recursive: recursive === true || paths.length > 0 });
    return;
  }
  const tallies = [...paths.map(checkPath), ...(filename.length === 0 ? [] : readTexts(flags).map(checkText))];
  const errors = tallies.flatMap((one) => one.errors);
  errors.forEach(printError);
  print(`${tallies.reduce((sum, { count }) => sum + count, 0)} objects checked, ${errors.length} problems`);
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** A directory as the agent reads it: with everything below, every name once. */
function checkPath(path: string): Tally {
  if (path === '-' || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const [text] = readTexts({ filename: [path] });
    return text === undefined ? { count: 0, errors: [] } : checkText(text);
  }
  const { objects, errors } = readDirectory(path);
  const found = [...objects.values()];
  return { count: found.length, errors: [...errors, ...found.flatMap((resource) => parseResource(resource).errors)] };
}

async function askServer(flags: ValidateFlags): Promise<void> {
  const objects = readWrittenObjects(flags);
  const list = JSON.stringify(objects.map(({ manifest }) => manifest));
  try {
    await new ResourceClient(flags.socket).applyAll(list, { isDryRun: true });
    print(`${objects.length} objects checked by the agent, 0 problems`);
  } catch (error) {
    if (!(error instanceof DataplaneError) || error.code === 'AGENT_UNREACHABLE') throw error;
    printError(error);
    process.exitCode = EXIT.INVALID;
  }
}
