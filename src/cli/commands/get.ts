// tortie get: objects in force, of an agent or of a directory of manifests. How they look is decided in object-output.ts.
import { type Command, Option } from 'commander';
import type { Manifest } from '../../agent/store/manifest.ts';
import { DataplaneError } from '../../base/errors.ts';
import { sortObjects } from '../custom-columns.ts';
import { EXIT } from '../exit-codes.ts';
import {
  addFileOptions,
  allNamespacesOption,
  namespaceOption,
  type ObjectFormat,
  objectOutputOption,
  selectorOption,
} from '../object-options.ts';
import { formatObjects, type ObjectGroup, type TableStyle } from '../object-output.ts';
import type { ObjectReader } from '../object-reader.ts';
import { namespaceOf, type ObjectTarget, parseTargets, placeOf } from '../object-targets.ts';
import { socketOption } from '../options.ts';
import { print, printError, printWarning } from '../output.ts';
import { ResourceClient } from '../resource-client.ts';

export interface GetFlags {
  readonly socket: string;
  readonly manifests?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly watch?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly headers: boolean;
  readonly showLabels?: boolean;
  readonly sortBy?: string;
  readonly output?: ObjectFormat;
}

const TABLE: ObjectFormat = { kind: 'table' };

const HELP = `
Kinds go by their names, plurals and short names, in any case; several with commas: gnp,np.
  np gnp snp sgnp knp sknp kcnp tier pro netset gns hep wep po no ns sa svc eps
SOURCE says where an object is defined: "store" = it came over the API; FILE:LINE = a manifest file, which only an
editor changes.

Examples:
  tortie get gnp                             global network policies
  tortie get np,knp -A                       two kinds, of every namespace
  tortie get np web db -n shop -o yaml       two objects
  tortie get gnp/baseline tier/security      objects of several kinds
  tortie get wep -A -l app=web -o name       what labels choose
  tortie get np -A -o jsonpath='{range .items[*]}{.metadata.name}{"\\n"}{end}'
  tortie get gnp -o custom-columns=NAME:.metadata.name,ORDER:.spec.order --sort-by=.spec.order
  tortie get gnp -w                          and every change as it comes`;

export function fillGetCommand(command: Command): void {
  command
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .option('--field-selector <fields>', 'metadata.name and metadata.namespace, with = or !=');
  addFileOptions(command, 'the objects that these files name')
    .option('-w, --watch', 'and their changes as they come')
    .option('--ignore-not-found', 'no failure where a name is not there')
    .option('--no-headers', 'no header above the table')
    .option('--show-labels', 'a column of labels')
    .option('--sort-by <field>', 'objects in the order of a field: .metadata.name, {.spec.order}')
    .addOption(objectOutputOption())
    .addOption(socketOption())
    .addOption(new Option('--manifests <dir>', 'of this directory of manifests, without an agent'))
    .addHelpText('after', HELP)
    .action((kind: string | undefined, names: string[], flags: GetFlags) =>
      getObjects(kind === undefined ? [] : [kind, ...names], flags),
    );
}

async function getObjects(words: readonly string[], flags: GetFlags): Promise<void> {
  if (flags.watch === true) {
    if (flags.sortBy !== undefined) printWarning('what comes is shown as it comes: --sort-by is for lists');
    return (await import('../object-watch.ts')).followObjects(words, flags);
  }
  const reader = await readerOf(flags);
  const found = flags.filename === undefined ? await readTargets(reader, words, flags) : await readNamed(reader, flags);
  const { missing, isList } = found;
  const format = flags.output ?? TABLE;
  const groups = sortGroups(found.groups, format, flags.sortBy);
  const count = groups.reduce((sum, { items }) => sum + items.length, 0);
  const isTable = hasTablePerKind(format) || format.kind === 'custom-columns';
  if (count > 0 || (!isTable && format.kind !== 'name' && isList)) {
    const text = await formatObjects(groups, format, styleOf(flags, groups), isList);
    if (format.kind === 'jsonpath') process.stdout.write(text);
    else print(text);
  } else if (missing.length === 0 && isTable) process.stderr.write(`${describeNothing(flags)}\n`);
  missing.forEach(printError);
  if (missing.length > 0) process.exitCode = EXIT.FAILED;
}

function hasTablePerKind({ kind }: ObjectFormat): boolean {
  return kind === 'table' || kind === 'wide';
}

/** Objects of all kinds in one order, but for tables, of which each kind has its own. */
function sortGroups(groups: readonly ObjectGroup[], format: ObjectFormat, path?: string): readonly ObjectGroup[] {
  const [first] = groups;
  if (path === undefined || first === undefined) return groups;
  const sorted = sortObjects(
    groups.flatMap((group) => group.items),
    path,
  );
  if (!hasTablePerKind(format)) return [{ type: first.type, items: sorted }];
  return groups.map(({ type, items }) => {
    const own = new Set(items);
    return { type, items: sorted.filter((object) => own.has(object)) };
  });
}

/** How a table of the groups is laid out. */
export function styleOf(flags: GetFlags, groups: readonly ObjectGroup[]): TableStyle {
  return {
    isWide: flags.output?.kind === 'wide',
    hasNamespaces: flags.allNamespaces === true,
    hasLabels: flags.showLabels === true,
    hasHeaders: flags.headers,
    hasKinds: groups.length > 1,
  };
}

async function readerOf({ manifests, socket }: GetFlags): Promise<ObjectReader> {
  if (manifests === undefined) return new ResourceClient(socket);
  const { DirectoryReader } = await import('../object-reader.ts');
  const reader = new DirectoryReader(manifests);
  reader.errors.forEach(printError);
  if (reader.errors.length > 0) process.exitCode = EXIT.INVALID;
  return reader;
}

interface Found {
  readonly groups: readonly ObjectGroup[];
  readonly missing: readonly DataplaneError[];
  readonly isList: boolean;
}

async function readTargets(reader: ObjectReader, words: readonly string[], flags: GetFlags): Promise<Found> {
  const targets = parseTargets(words);
  const isNamed = targets.some(({ names }) => names !== undefined);
  const namespace = namespaceOf(flags, isNamed);
  const missing: DataplaneError[] = [];
  const groups: ObjectGroup[] = [];
  for (const target of targets) groups.push(await readTarget(reader, target, namespace, flags, missing));
  const [first] = targets;
  return { groups, missing, isList: targets.length !== 1 || first?.names?.length !== 1 };
}

async function readTarget(
  reader: ObjectReader,
  { type, names }: ObjectTarget,
  namespace: string | undefined,
  flags: GetFlags,
  missing: DataplaneError[],
): Promise<ObjectGroup> {
  const ref = { type, ...placeOf(type, namespace) };
  if (names === undefined) {
    const { items } = await reader.list(ref, { labelSelector: flags.selector, fieldSelector: flags.fieldSelector });
    return { type, items };
  }
  const items: Manifest[] = [];
  for (const name of names) {
    try {
      items.push(await reader.get({ ...ref, name }));
    } catch (error) {
      if (!(error instanceof DataplaneError) || error.code !== 'NOT_FOUND') throw error;
      if (flags.ignoreNotFound !== true) missing.push(error);
    }
  }
  return { type, items };
}

async function readNamed(reader: ObjectReader, flags: GetFlags): Promise<Found> {
  const { readWrittenObjects } = await import('../written-objects.ts');
  const objects = readWrittenObjects({ ...flags, validate: false });
  const missing: DataplaneError[] = [];
  const groups: ObjectGroup[] = [];
  for (const { type, namespace, name } of objects.map(({ ref }) => ref)) {
    groups.push(await readTarget(reader, { type, names: [name] }, namespace, flags, missing));
  }
  return { groups: joinGroups(groups), missing, isList: objects.length !== 1 };
}

function joinGroups(groups: readonly ObjectGroup[]): readonly ObjectGroup[] {
  const types = [...new Set(groups.map(({ type }) => type))];
  return types.map((type) => ({
    type,
    items: groups.filter((one) => one.type === type).flatMap(({ items }) => items),
  }));
}

function describeNothing({ allNamespaces, namespace }: GetFlags): string {
  return allNamespaces === true ? 'No resources found' : `No resources found in ${namespace ?? 'default'} namespace.`;
}
