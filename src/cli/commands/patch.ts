// tortie patch: fields of one object, changed by a patch of any kind that the API takes.
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { isPlain, type Manifest } from '../../agent/store/manifest.ts';
import { DataplaneError } from '../../base/errors.ts';
import { parseFullYaml } from '../../resources/yaml/full-yaml.ts';
import {
  addChangeOptions,
  type ChangeOptions,
  changeFlags,
  namespaceOption,
  type ObjectFormat,
  objectOutputOption,
} from '../object-options.ts';
import { namespaceOf, parseTargets, placeOf } from '../object-targets.ts';
import { type ObjectRef, ResourceClient } from '../resource-client.ts';
import { dryRunOf, printWritten } from '../written-text.ts';

type PatchType = 'merge' | 'json' | 'apply';

interface PatchFlags extends ChangeOptions {
  readonly namespace?: string;
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: PatchType;
  readonly output?: ObjectFormat;
}

const HELP = `
Types:
  merge   fields on top of those that are there; null takes one away; lists are replaced whole (RFC 7386)
  json    a list of operations: [{"op": "replace", "path": "/spec/order", "value": 5}] (RFC 6902)
  apply   as tortie apply: creates the object, and takes away what the same field manager had set and leaves out now

Examples:
  tortie patch tier security -p '{"spec": {"order": 5}}'
  tortie patch np/web -n shop --type json -p '[{"op": "remove", "path": "/spec/ingress/0"}]'`;

const STANDARD_INPUT = 0;

export function fillPatchCommand(command: Command): void {
  command
    .option('-p, --patch <text>', 'JSON or YAML')
    .option('--patch-file <path>', 'JSON or YAML; - = standard input')
    .addOption(new Option('--type <type>', 'what kind of patch').choices(['merge', 'json', 'apply']).default('merge'))
    .option('--field-manager <name>', 'of an apply patch')
    .addOption(namespaceOption());
  addChangeOptions(command)
    .addOption(objectOutputOption('how to show the object as it is then'))
    .addHelpText('after', HELP)
    .action((kind: string, name: string | undefined, flags: PatchFlags) =>
      patchObject(name === undefined ? [kind] : [kind, name], flags),
    );
}

async function patchObject(words: readonly string[], flags: PatchFlags): Promise<void> {
  const ref = parseOneRef(words, flags);
  const value = readPatch(flags);
  const client = new ResourceClient(flags.socket);
  const dryRun = dryRunOf(flags);
  if (dryRun === 'client') {
    await printWritten(await client.get(ref), 'read', dryRun, flags.output);
    return;
  }
  const result = await client.patch(ref, flags.type, value, changeFlags(flags));
  await printWritten(result, 'patched', dryRun, flags.output);
}

/** The one object that the words name. Throws USAGE. */
export function parseOneRef(words: readonly string[], flags: { readonly namespace?: string }): ObjectRef {
  const targets = parseTargets(words);
  const [target] = targets;
  const [name] = target?.names ?? [];
  if (target !== undefined && name !== undefined && targets.length === 1 && target.names?.length === 1) {
    return { type: target.type, ...placeOf(target.type, namespaceOf(flags, true)), name };
  }
  throw new DataplaneError('USAGE', 'does not name one object', {
    operation: 'read',
    target: words.join(' '),
    expected: 'KIND NAME or KIND/NAME',
  });
}

function readPatch({ patch, patchFile, type }: PatchFlags): unknown {
  if ((patch === undefined) === (patchFile === undefined)) {
    throw new DataplaneError('USAGE', 'needs one patch', {
      operation: 'read',
      target: 'patch',
      expected: '--patch or --patch-file',
    });
  }
  const text = patch ?? readFileSync(patchFile === '-' ? STANDARD_INPUT : String(patchFile), 'utf8');
  const [document, another] = parseFullYaml(text);
  const isFit = type === 'json' ? Array.isArray(document?.value) : isPlain(document?.value);
  if (document !== undefined && another === undefined && isFit) return document.value as Manifest;
  throw new DataplaneError('USAGE', `is no ${type} patch`, {
    operation: 'read',
    target: patchFile ?? 'patch',
    found: document?.problem?.message.split('\n')[0] ?? JSON.stringify(document?.value),
    expected: type === 'json' ? 'a list of operations' : 'an object',
  });
}
