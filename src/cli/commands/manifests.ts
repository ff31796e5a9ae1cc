// tortie apply, get, delete, validate: the directory of manifests as a datastore. A running agent sees the change by
// itself.
import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { DataplaneError } from '../../base/errors.ts';
import { parseResource } from '../../model/parse/parse-resource.ts';
import { parseDocuments } from '../../resources/document.ts';
import type { Resource, ResourceType } from '../../resources/resource.ts';
import { readDirectory } from '../../resources/sources/directory.ts';
import { putDocument, removeDocument, splitStream } from '../../resources/sources/edit-directory.ts';
import type { ResourceSnapshot } from '../../resources/sources/snapshot.ts';
import { EXIT } from '../exit-codes.ts';
import { knownKindNames, resourceTypeNamed } from '../kind-names.ts';
import { manifestsOption } from '../options.ts';
import { formatTable, OUTPUT_FORMATS, type OutputFormat, print, printData, printError } from '../output.ts';

interface ManifestFlags {
  readonly manifests: string;
}

interface SelectFlags extends ManifestFlags {
  readonly namespace?: string;
}

export function addManifestCommands(program: Command): void {
  program
    .command('apply')
    .description(
      'create or change objects in the directory of manifests; objects with errors are refused, the others applied',
    )
    .requiredOption('-f, --filename <file...>', 'YAML or JSON; - = standard input')
    .addOption(manifestsOption())
    .action(applyFiles);
  program
    .command('get [kind] [name]')
    .description('show objects that are in force')
    .option('-n, --namespace <name>', 'only of this namespace')
    .addOption(manifestsOption())
    .addOption(
      new Option('-o, --output <format>', 'how to show them').choices([...OUTPUT_FORMATS, 'name']).default('table'),
    )
    .action(showObjects);
  program
    .command('delete <kind> <name>')
    .description('remove an object from the directory of manifests')
    .option('-n, --namespace <name>', 'namespace of the object', 'default')
    .addOption(manifestsOption())
    .action(deleteObject);
  program
    .command('validate [path...]')
    .description('check manifest files or directories without applying them; exit code 3 when something is wrong')
    .option('-f, --filename <file...>', 'YAML or JSON; - = standard input')
    .action(validatePaths);
}

function applyFiles({ filename, manifests }: ManifestFlags & { filename: string[] }): void {
  const snapshot = readDirectory(manifests);
  const known = new Map(snapshot.objects);
  for (const file of filename) {
    for (const text of splitStream(readInput(file))) {
      const { resources, errors } = parseDocuments(text, file);
      const refused = [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)];
      refused.forEach(printError);
      if (refused.length > 0) process.exitCode = EXIT.INVALID;
      const [resource] = resources;
      if (resource === undefined || refused.length > 0) continue;
      const result = putDocument(manifests, resource, text, known.get(resource.id));
      known.set(resource.id, resource);
      print(`${displayName(resource)} ${result}`);
    }
  }
}

function showObjects(
  kind: string | undefined,
  name: string | undefined,
  { manifests, namespace, output }: SelectFlags & { output: OutputFormat | 'name' },
): void {
  const snapshot = readDirectory(manifests);
  snapshot.errors.forEach(printError);
  if (snapshot.errors.length > 0) process.exitCode = EXIT.INVALID;
  const type = kind === undefined || kind === 'all' ? undefined : requireType(kind);
  const found = [...snapshot.objects.values()].filter(
    (resource) =>
      (type === undefined || resource.type === type) &&
      (name === undefined || resource.name === name) &&
      (namespace === undefined || resource.namespace === namespace),
  );
  if (name !== undefined && found.length === 0) throw notFound('get', `${kind} ${name}`, manifests);
  if (output === 'name') {
    for (const resource of found) print(displayName(resource));
    return;
  }
  printData(found.map(toObject), output, () =>
    formatTable(
      ['KIND', 'NAMESPACE', 'NAME', 'FILE'],
      found.map((resource) => [
        resource.type,
        resource.namespace ?? '',
        resource.name,
        `${resource.location.file}:${resource.location.line}`,
      ]),
    ),
  );
}

function deleteObject(kind: string, name: string, { manifests, namespace }: Required<SelectFlags>): void {
  const type = requireType(kind);
  const snapshot: ResourceSnapshot = readDirectory(manifests);
  const found = [...snapshot.objects.values()].find(
    (resource) =>
      resource.type === type &&
      resource.name === name &&
      (resource.namespace === undefined || resource.namespace === namespace),
  );
  if (found === undefined) throw notFound('delete', `${kind} ${name}`, manifests);
  removeDocument(manifests, found);
  print(`${displayName(found)} deleted`);
}

function validatePaths(paths: string[], { filename = [] }: { filename?: string[] }): void {
  if (paths.length + filename.length === 0) {
    throw new DataplaneError('USAGE', 'nothing to check', {
      operation: 'validate',
      target: '',
      hint: 'name files or directories',
    });
  }
  let objects = 0;
  let problems = 0;
  const report = ({
    resources,
    errors,
  }: {
    resources: readonly Resource[];
    errors: readonly DataplaneError[];
  }): void => {
    const all = [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)];
    all.forEach(printError);
    objects += resources.length;
    problems += all.length;
  };
  for (const path of [...paths, ...filename]) {
    if (isDirectory(path)) {
      const { objects: found, errors } = readDirectory(path);
      report({ resources: [...found.values()], errors });
    } else {
      report(parseDocuments(readInput(path), path));
    }
  }
  print(`${objects} objects checked, ${problems} problems`);
  if (problems > 0) process.exitCode = EXIT.INVALID;
}

function readInput(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    throw new DataplaneError('FILE_UNREADABLE', 'cannot be read', { operation: 'read', target: path, cause });
  }
}

function isDirectory(path: string): boolean {
  return path !== '-' && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

function requireType(kind: string): ResourceType {
  const type = resourceTypeNamed(kind);
  if (type !== undefined) return type;
  throw new DataplaneError('UNKNOWN_KIND', 'no such kind', {
    operation: 'find',
    target: kind,
    expected: `one of ${knownKindNames().join(', ')}`,
  });
}

function notFound(operation: string, target: string, directory: string): DataplaneError {
  return new DataplaneError('NOT_FOUND', 'no such object', { operation, target, hint: `looked in ${directory}` });
}

/** `kind/name` as kubectl prints it, with the namespace in between. */
function displayName({ type, namespace, name }: Resource): string {
  return [type.toLowerCase(), namespace, name].filter((part) => part !== undefined).join('/');
}

/** Kinds without a spec keep their own fields at the top. */
function toObject(resource: Resource): Record<string, unknown> {
  const { apiVersion, kind, metadata, spec, type } = resource;
  const isFlat = type === 'Pod' || type === 'Node' || type === 'EndpointSlice';
  return { apiVersion, kind, metadata, ...(isFlat ? spec : { spec }) };
}
