// tortie convert: manifests of one API version in another one that has the same fields.
import { type Command, Option } from 'commander';
import { isPlain, type Manifest } from '../../agent/store/manifest.ts';
import { DataplaneError } from '../../base/errors.ts';
import { findKind, type KindDefinition, knownKinds } from '../../resources/kinds.ts';
import { type FileObject, readObjectFiles } from '../object-files.ts';
import { addFileOptions } from '../object-options.ts';
import { formatData } from '../object-output.ts';
import { print } from '../output.ts';

interface ConvertFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly outputVersion?: string;
  readonly output: 'yaml' | 'json';
}

/** For each kind the version that is written unless another one is asked for. */
const PREFERRED = ['projectcalico.org/v3', 'policy.networking.k8s.io/v1beta1'];

const HELP = `
Without --output-version: crd.projectcalico.org/v1 becomes projectcalico.org/v3, and policy.networking.k8s.io/v1alpha2
becomes v1beta1; objects of other kinds stay as they are. What a database has added to objects (uid, resourceVersion,
creationTimestamp, generation, managedFields, last-applied annotations) is left out. Fields are not checked: see
tortie validate.

Examples:
  kubectl get globalnetworkpolicies.crd.projectcalico.org -o yaml | tortie convert -f - > policy.yaml
  tortie convert -f policy/ -R --output-version crd.projectcalico.org/v1`;

const ADDED_METADATA = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'selfLink',
]);
const ADDED_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'projectcalico.org/metadata',
  'tortie.io/file',
];

export function fillConvertCommand(command: Command): void {
  addFileOptions(command)
    .option('--output-version <group/version>', 'the version to write, such as projectcalico.org/v3')
    .addOption(new Option('-o, --output <format>', 'how to write them').choices(['yaml', 'json']).default('yaml'))
    .addHelpText('after', HELP)
    .action(convertFiles);
}

async function convertFiles(flags: ConvertFlags): Promise<void> {
  const objects = readObjectFiles(flags).map((object) => convertObject(object, flags.outputVersion));
  if (flags.output === 'json') {
    const all = objects.length === 1 ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects };
    print(await formatData(all, { kind: 'json' }));
    return;
  }
  for (const object of objects) print(`---\n${await formatData(object, { kind: 'yaml' })}`);
}

/** The object in another version of its kind. Throws UNKNOWN_KIND. */
export function convertObject({ manifest, file, line }: FileObject, wanted: string | undefined): Manifest {
  const { apiVersion, kind } = manifest;
  const known = typeof apiVersion === 'string' && typeof kind === 'string' ? findKind(apiVersion, kind) : undefined;
  if (known === undefined)
    throw unknownKind(`${String(apiVersion)} ${String(kind)}`, 'is of no known kind', { file, line });
  const versions = versionsOf(known);
  const target = wanted ?? versions.find((version) => PREFERRED.includes(version)) ?? known.apiVersion;
  if (!versions.includes(target)) {
    throw unknownKind(`${known.apiVersion} ${known.kind}`, 'has no such version', {
      file,
      line,
      found: target,
      expected: versions.join(' or '),
    });
  }
  return { ...withoutAdded(manifest), apiVersion: target };
}

/** Every version that says the same in the same fields. */
function versionsOf({ kind, type }: KindDefinition): readonly string[] {
  return [...knownKinds()]
    .map((key) => key.split(' ') as [string, string])
    .filter(([version, name]) => name === kind && findKind(version, name)?.type === type)
    .map(([version]) => version);
}

function withoutAdded(manifest: Manifest): Manifest {
  const { metadata, ...rest } = manifest;
  if (!isPlain(metadata)) return manifest;
  const kept = Object.fromEntries(Object.entries(metadata).filter(([name]) => !ADDED_METADATA.has(name)));
  if (isPlain(kept.annotations)) {
    const annotations = Object.entries(kept.annotations).filter(([name]) => !ADDED_ANNOTATIONS.includes(name));
    if (annotations.length === 0) delete kept.annotations;
    else kept.annotations = Object.fromEntries(annotations);
  }
  const { apiVersion, kind, ...others } = rest;
  return { apiVersion, kind, metadata: kept, ...others };
}

function unknownKind(
  target: string,
  what: string,
  details: { readonly file: string; readonly line: number; readonly found?: string; readonly expected?: string },
): DataplaneError {
  return new DataplaneError('UNKNOWN_KIND', what, { operation: 'convert', target, ...details });
}
