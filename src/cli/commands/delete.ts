// tortie delete: objects by name, by label, or those that files name. What a manifest file defines is refused.
import { type Command, Option } from 'commander';
import { DataplaneError } from '../../base/errors.ts';
import { describeOutcome } from '../change-text.ts';
import { EXIT } from '../exit-codes.ts';
import { collectionOf } from '../kind-names.ts';
import {
  addChangeOptions,
  addFileOptions,
  allNamespacesOption,
  type ChangeOptions,
  changeFlags,
  namespaceOption,
  selectorOption,
} from '../object-options.ts';
import { qualifiedName } from '../object-output.ts';
import { namespaceOf, parseTargets, placeOf } from '../object-targets.ts';
import { requireOneChange } from '../one-change.ts';
import { print, printError } from '../output.ts';
import { type ObjectRef, ResourceClient } from '../resource-client.ts';
import { dryRunOf } from '../written-text.ts';

interface DeleteFlags extends ChangeOptions {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly manifests?: string;
  readonly output?: 'name';
}

const HELP = `
Examples:
  tortie delete np web db -n shop
  tortie delete gnp/baseline tier/security
  tortie delete np -n shop -l app=web
  tortie delete np --all -A
  tortie delete -f policy.yaml`;

export function fillDeleteCommand(command: Command): void {
  addFileOptions(command, 'the objects that these files name')
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .option('--all', 'all objects of the kind, in the namespace')
    .option('--ignore-not-found', 'no failure where a name is not there');
  addChangeOptions(command)
    .addOption(new Option('-o, --output <format>', 'name = only names').choices(['name']))
    .addOption(new Option('--manifests <dir>', 'from this directory of manifests, without an agent'))
    .addHelpText('after', HELP)
    .action((kind: string | undefined, names: string[], flags: DeleteFlags) =>
      deleteObjects(kind === undefined ? [] : [kind, ...names], flags),
    );
}

async function deleteObjects(words: readonly string[], flags: DeleteFlags): Promise<void> {
  const client = new ResourceClient(flags.socket);
  const refs = await findRefs(client, words, flags);
  if (flags.manifests !== undefined) {
    const { deleteFromDirectory } = await import('../manifest-directory.ts');
    deleteFromDirectory(flags.manifests, refs);
    return;
  }
  requireOneChange('delete', refs.length, flags);
  if (refs.length === 0) process.stderr.write('No resources found\n');
  for (const ref of refs) {
    try {
      await deleteOne(client, ref, flags);
    } catch (error) {
      if (!(error instanceof DataplaneError) || error.code === 'AGENT_UNREACHABLE') throw error;
      if (error.code === 'NOT_FOUND' && flags.ignoreNotFound === true) continue;
      printError(error);
      process.exitCode = EXIT.FAILED;
    }
  }
}

async function deleteOne(client: ResourceClient, ref: ObjectRef, flags: DeleteFlags): Promise<void> {
  const { apiVersion, kind } = collectionOf(ref.type);
  const { namespace, name } = ref;
  const object = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
  const dryRun = dryRunOf(flags);
  if (dryRun === 'client') await client.get(ref);
  else await client.delete(ref, changeFlags(flags));
  print(flags.output === 'name' ? qualifiedName(object) : describeOutcome(object, 'deleted', dryRun));
}

/** Throws USAGE for a command line that would delete more than it says. */
async function findRefs(
  client: ResourceClient,
  words: readonly string[],
  flags: DeleteFlags,
): Promise<readonly ObjectRef[]> {
  const { filename, all, selector, manifests } = flags;
  if (filename !== undefined) {
    if (words.length > 0 || all === true) throw unclear(words, 'either files or objects');
    const { readWrittenObjects } = await import('../written-objects.ts');
    return readWrittenObjects({ ...flags, validate: false }).map(({ ref }) => ref);
  }
  if (words.length === 0 || words[0] === 'all') throw unclear(words, 'a kind');
  const targets = parseTargets(words);
  const isNamed = targets.some(({ names }) => names !== undefined);
  const isChosen = all === true || selector !== undefined;
  if (isNamed === isChosen) throw unclear(words, 'names, or --selector, or --all');
  const namespace = namespaceOf(flags, isNamed);
  const refs: ObjectRef[] = [];
  for (const { type, names } of targets) {
    const place = placeOf(type, namespace);
    if (names !== undefined) refs.push(...names.map((name) => ({ type, ...place, name })));
    else if (manifests !== undefined) throw unclear(words, 'names, in a directory of manifests');
    else refs.push(...(await listRefs(client, { type, ...place }, selector)));
  }
  return refs;
}

async function listRefs(
  client: ResourceClient,
  ref: Omit<ObjectRef, 'name'>,
  labelSelector: string | undefined,
): Promise<readonly ObjectRef[]> {
  const { items } = await client.list(ref, { labelSelector });
  return items.map(({ metadata }) => {
    const { name, namespace } = metadata as { readonly name: string; readonly namespace?: string };
    return { type: ref.type, ...placeOf(ref.type, namespace), name };
  });
}

function unclear(words: readonly string[], expected: string): DataplaneError {
  return new DataplaneError('USAGE', 'does not say which objects', {
    operation: 'delete',
    target: words.join(' ') || 'objects',
    expected,
  });
}
