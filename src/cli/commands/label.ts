// tortie label: labels of objects, set and taken away. A label that is there with another value stays unless told otherwise.
import type { Command } from 'commander';
import { isPlain, type Manifest } from '../../agent/store/manifest.ts';
import { DataplaneError } from '../../base/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { at } from '../object-columns.ts';
import {
  addChangeOptions,
  allNamespacesOption,
  type ChangeOptions,
  changeFlags,
  namespaceOption,
  type ObjectFormat,
  objectOutputOption,
  selectorOption,
} from '../object-options.ts';
import { nameOf, qualifiedName } from '../object-output.ts';
import { namespaceOf, type ObjectTarget, parseTargets, placeOf } from '../object-targets.ts';
import { requireOneChange } from '../one-change.ts';
import { print, printError } from '../output.ts';
import { type CollectionRef, type ObjectRef, ResourceClient } from '../resource-client.ts';
import { dryRunOf, printWritten } from '../written-text.ts';

interface LabelFlags extends ChangeOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
  readonly overwrite?: boolean;
  readonly list?: boolean;
  readonly output?: ObjectFormat;
}

/** By key; null = it goes. */
type LabelEdits = ReadonlyMap<string, string | null>;

const HELP = `
Examples:
  tortie label wep web-eth0 -n shop tier=front       set a label
  tortie label gnp/baseline owner=ops --overwrite    though it is there with another value
  tortie label tier security owner-                  take a label away
  tortie label np --all -A reviewed=yes`;

export function fillLabelCommand(command: Command): void {
  command
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .option('--all', 'all objects of the kind, in the namespace')
    .option('--overwrite', 'also labels that are there with another value')
    .option('--list', 'show the labels');
  addChangeOptions(command)
    .addOption(objectOutputOption('how to show the objects as they are then'))
    .addHelpText('after', HELP)
    .action((kind: string, rest: string[], flags: LabelFlags) => labelObjects([kind, ...rest], flags));
}

async function labelObjects(words: readonly string[], flags: LabelFlags): Promise<void> {
  const edits = parseEdits(words);
  const targets = parseTargets(words.filter((word) => !isEdit(word)));
  if ((edits.size === 0) !== (flags.list === true)) throw unclear(words, 'KEY=VALUE, KEY-, or --list');
  const client = new ResourceClient(flags.socket);
  const found = await findObjects(client, targets, flags);
  if (flags.list !== true) requireOneChange('label', found.length, flags);
  for (const { ref, object } of found) {
    try {
      await labelOne(client, ref, object, edits, flags);
    } catch (error) {
      if (!(error instanceof DataplaneError) || error.code === 'AGENT_UNREACHABLE') throw error;
      printError(error);
      process.exitCode = EXIT.FAILED;
    }
  }
}

async function labelOne(
  client: ResourceClient,
  ref: ObjectRef,
  object: Manifest,
  edits: LabelEdits,
  flags: LabelFlags,
): Promise<void> {
  const found = at(object, 'metadata', 'labels');
  const labels = isPlain(found) ? found : {};
  if (flags.list === true) {
    print(
      [`${qualifiedName(object)}:`, ...Object.entries(labels).map(([key, value]) => `  ${key}=${String(value)}`)].join(
        '\n',
      ),
    );
    return;
  }
  const changed = [...edits].filter(([key, value]) => (labels[key] ?? null) !== value);
  const taken = changed.find(([key, value]) => value !== null && Object.hasOwn(labels, key));
  if (taken !== undefined && flags.overwrite !== true) throw alreadyThere(object, taken[0], String(labels[taken[0]]));
  const dryRun = dryRunOf(flags);
  if (changed.length === 0 || dryRun === 'client') {
    await printWritten(object, changed.length === 0 ? 'not labeled' : 'labeled', dryRun, flags.output);
    return;
  }
  // The version that the labels were read from: nobody else's change is lost.
  const resourceVersion = at(object, 'metadata', 'resourceVersion');
  const patch = { metadata: { resourceVersion, labels: Object.fromEntries(changed) } };
  await printWritten(await client.patch(ref, 'merge', patch, changeFlags(flags)), 'labeled', dryRun, flags.output);
}

async function findObjects(
  client: ResourceClient,
  targets: readonly ObjectTarget[],
  flags: LabelFlags,
): Promise<readonly { readonly ref: ObjectRef; readonly object: Manifest }[]> {
  const isNamed = targets.some(({ names }) => names !== undefined);
  const isChosen = flags.all === true || flags.selector !== undefined;
  if (isNamed === isChosen) throw unclear([], 'names, or --selector, or --all');
  const namespace = namespaceOf(flags, isNamed);
  const found: { ref: ObjectRef; object: Manifest }[] = [];
  for (const { type, names } of targets) {
    const place = { type, ...placeOf(type, namespace) };
    const objects =
      names === undefined
        ? await listAll(client, place, flags)
        : await Promise.all(names.map((name) => client.get({ ...place, name })));
    for (const object of objects) {
      const own = at(object, 'metadata', 'namespace');
      found.push({
        object,
        ref: { type, ...placeOf(type, own === undefined ? undefined : String(own)), name: nameOf(object) },
      });
    }
  }
  return found;
}

async function listAll(
  client: ResourceClient,
  ref: CollectionRef,
  { selector }: LabelFlags,
): Promise<readonly Manifest[]> {
  return (await client.list(ref, { labelSelector: selector })).items;
}

/** What has an equals sign, or ends with a minus sign. */
function isEdit(word: string): boolean {
  return word.includes('=') || word.endsWith('-');
}

function parseEdits(words: readonly string[]): LabelEdits {
  return new Map(
    words.filter(isEdit).map((word): [string, string | null] => {
      const equals = word.indexOf('=');
      return equals === -1 ? [word.slice(0, -1), null] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

function alreadyThere(object: Manifest, key: string, found: string): DataplaneError {
  return new DataplaneError('ALREADY_EXISTS', 'the label is there with another value', {
    operation: 'label',
    target: qualifiedName(object),
    field: key,
    found,
    hint: 'to change it: --overwrite',
  });
}

function unclear(words: readonly string[], expected: string): DataplaneError {
  return new DataplaneError('USAGE', 'does not say what to label, and how', {
    operation: 'label',
    target: words.join(' ') || 'objects',
    expected,
  });
}
