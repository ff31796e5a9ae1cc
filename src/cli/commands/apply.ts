// tortie apply: objects of files are created or merged in the agent's store, all of them as one change or none.
import { type Command, Option } from 'commander';
import { DataplaneError } from '../../base/errors.ts';
import { describeChange, describeOutcome } from '../change-text.ts';
import { applyToDirectory } from '../manifest-directory.ts';
import { readTexts } from '../object-files.ts';
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
import { formatCustomColumns, formatData, qualifiedName } from '../object-output.ts';
import { print } from '../output.ts';
import { type ChangeReport, ResourceClient } from '../resource-client.ts';
import { readWrittenObjects, type WrittenFlags } from '../written-objects.ts';

export interface ApplyFlags extends ChangeOptions, WrittenFlags {
  readonly manifests?: string;
  readonly prune?: boolean;
  readonly output?: ObjectFormat;
}

const HELP = `
Either every object is in force when it is done, or nothing has changed. Fields that an earlier apply had set and this
one leaves out are taken away. Objects that manifest files of the agent define are refused: edit the file.
--prune deletes, by the same change, objects of the store that have the labels of --selector and are not applied: those of
every kind and every namespace, whoever has written them. tortie import makes the store hold nothing but the files.

Examples:
  tortie apply -f policy.yaml
  tortie apply -f policy/ -R --dry-run            check and compile, change nothing
  tortie apply -f policy/ --prune -l app=shop     and what else has that label goes
  tortie apply -f policy.yaml --confirm 60s       undone after a minute unless confirmed
  kubectl get networkpolicies -A -o yaml | tortie apply -f -`;

export function fillApplyCommand(command: Command): void {
  addFileOptions(command)
    .addOption(namespaceOption())
    .addOption(selectorOption())
    .addOption(validateOption())
    .option('--prune', 'delete objects of the store with the labels of --selector that are not applied')
    .option('--field-manager <name>', 'who applies: only fields it had set are taken away', 'tortie');
  addChangeOptions(command)
    .addOption(objectOutputOption('how to show what has become of them'))
    .addOption(new Option('--manifests <dir>', 'write to this directory of manifests instead, without an agent'))
    .addHelpText('after', HELP)
    .action(applyFiles);
}

/** --no-validate. */
export function validateOption(): Option {
  return new Option('--no-validate', 'leave the check to the agent, and errors without lines of files');
}

async function applyFiles(flags: ApplyFlags): Promise<void> {
  const { manifests, socket, output, dryRun } = flags;
  if (manifests !== undefined) {
    requirePlain(flags);
    applyToDirectory(manifests, readTexts(flags));
    return;
  }
  const prune = pruneOf(flags);
  const objects = readWrittenObjects(flags);
  if (dryRun === 'client') {
    for (const { manifest } of objects) print(describeOutcome(manifest, 'read', dryRun));
    return;
  }
  const list = JSON.stringify(objects.map(({ manifest }) => manifest));
  await reportChange(await new ResourceClient(socket).applyAll(list, { ...changeFlags(flags), ...prune }), output);
}

/** Throws USAGE for what would delete more than it says. */
function pruneOf({ prune, selector, namespace, dryRun }: ApplyFlags): { readonly prune?: string } {
  if (prune !== true) return {};
  const refuse = (what: string, details: { found?: string; expected: string; hint?: string }): DataplaneError =>
    new DataplaneError('USAGE', what, { operation: 'apply', target: '--prune', ...details });
  if (selector === undefined || selector.trim() === '') {
    const hint = 'tortie import makes the store hold exactly the objects of files';
    throw refuse('does not say which objects', { expected: '--selector LABELS', hint });
  }
  if (namespace !== undefined) {
    const found = `--namespace ${namespace}`;
    throw refuse('deletes in every namespace', { found, expected: 'files that name the namespaces of their objects' });
  }
  if (dryRun === 'client') {
    throw refuse('only the agent knows what would go', { found: '--dry-run=client', expected: '--dry-run=server' });
  }
  return { prune: selector };
}

/** The lines of a change, or the objects as they are now. */
export async function reportChange(report: ChangeReport, format: ObjectFormat = { kind: 'table' }): Promise<void> {
  const objects = report.changes.flatMap(({ object }) => (object === null ? [] : [object]));
  if (format.kind === 'table' || format.kind === 'wide') print(describeChange(report));
  else if (format.kind === 'name') print(objects.map(qualifiedName).join('\n'));
  else if (format.kind === 'jsonpath') process.stdout.write(await formatData(report, format));
  else if (format.kind === 'custom-columns') print(formatCustomColumns(objects, format.columns, true));
  else print(await formatData(report, format));
}

/** Files have no history and no guard. */
function requirePlain({ manifests = '', dryRun, confirm, force, prune, selector, namespace }: ApplyFlags): void {
  const asked = Object.entries({ 'dry-run': dryRun, confirm, force, prune, selector, namespace }).find(
    ([, value]) => value !== undefined,
  );
  if (asked === undefined) return;
  throw new DataplaneError('USAGE', 'is for agents, not for a directory of manifests', {
    operation: 'apply to',
    target: manifests,
    found: `--${asked[0]}`,
  });
}
