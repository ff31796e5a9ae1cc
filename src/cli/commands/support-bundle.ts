// tortie support-bundle: one archive with all that is asked for first when something is wrong. What is in it is
// agent/doctor's business.
import { closeSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { gzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { bundleOf } from '../../agent/doctor/bundle.ts';
import { bundleItems } from '../../agent/doctor/bundle-items.ts';
import { readIfThere } from '../../agent/doctor/machine.ts';
import { tarOf } from '../../agent/doctor/tar.ts';
import { DataplaneError } from '../../base/errors.ts';
import { print } from '../output.ts';
import { addPlaceOptions, askIfThere, type DoctorOptions, findingsOf, placesOf } from './doctor.ts';

interface Given extends DoctorOptions {
  readonly output?: string;
  readonly withManifests: boolean;
  readonly log?: string;
}

export function fillSupportBundleCommand(command: Command): void {
  addPlaceOptions(
    command.option('-o, --output <file>', 'where to write it (default: tortie-support-<host>-<time>.tar.gz here)'),
  )
    .option('--with-manifests', 'with the resources in force, which name workloads and addresses', false)
    .option('--log <file>', 'log of the agent, where it does not write to the journal')
    .addHelpText(
      'after',
      "\nindex.json in it says what each file is, and what is missing and why. Private keys, tokens, passwords and the data of\nSecrets are replaced by REDACTED; look through it before you hand it on all the same. The file is its owner's only, and\nan existing one is never overwritten.",
    )
    .action(writeBundle);
}

async function writeBundle(given: Given): Promise<void> {
  const now = new Date();
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const name = `tortie-support-${hostname()
    .replace(/[^\w.-]/g, '_')
    .slice(0, 40)}-${stamp}`;
  const path = given.output ?? `${name}.tar.gz`;
  const file = create(path);
  try {
    const items = bundleItems({
      places: placesOf(given),
      ask: (where) => askIfThere(given.socket, where),
      findings: () => findingsOf(given),
      withManifests: given.withManifests,
      logFile: given.log,
      readLog: readIfThere,
    });
    const files = await bundleOf(name, items);
    writeWhole(file, gzipSync(tarOf(files, Math.floor(now.getTime() / 1000))));
    print(`${path}: ${files.length} files`);
  } finally {
    closeSync(file);
  }
}

/** For its owner only from the first moment on. Throws USAGE when there is such a file, PERMISSION and KERNEL. */
function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new DataplaneError('USAGE', 'exists already', {
      operation: 'write',
      target: path,
      hint: 'name another with --output, or remove it',
      cause,
    });
  }
}

function writeWhole(file: number, content: Buffer): void {
  for (let at = 0; at < content.length; ) at += writeSync(file, content, at);
}
