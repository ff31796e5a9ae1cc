// Options that the verbs share, spelled as kubectl has them.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CustomColumn, parseColumns } from './custom-columns.ts';
import type { Part } from './jsonpath/template.ts';
import { parseTemplate } from './jsonpath/template.ts';
import { socketOption } from './options.ts';
import type { ChangeFlags } from './resource-client.ts';

/** How objects are shown. */
export type ObjectFormat =
  | { readonly kind: 'table' | 'wide' | 'yaml' | 'json' | 'name' }
  | { readonly kind: 'jsonpath'; readonly template: readonly Part[] }
  | { readonly kind: 'custom-columns'; readonly columns: readonly CustomColumn[] };

export type DryRun = 'none' | 'client' | 'server';

export interface ChangeOptions {
  readonly socket: string;
  readonly dryRun?: DryRun | true;
  readonly force?: boolean;
  readonly confirm?: string;
  readonly fieldManager?: string;
}

const PLAIN_FORMATS = ['table', 'wide', 'yaml', 'json', 'name'] as const;
const OBJECT_FORMATS = [...PLAIN_FORMATS, 'jsonpath=', 'custom-columns='];
const DRY_RUNS: readonly DryRun[] = ['none', 'client', 'server'];

export const objectOutputOption = (description = 'how to show objects'): Option =>
  new Option('-o, --output <format>', description).choices(OBJECT_FORMATS).argParser(parseFormat);

export const namespaceOption = (): Option =>
  new Option('-n, --namespace <name>', 'of objects that have one; "default" unless given').env('TORTIE_NAMESPACE');

export const allNamespacesOption = (): Option => new Option('-A, --all-namespaces', 'of every namespace');

export const selectorOption = (): Option =>
  new Option('-l, --selector <labels>', 'only objects with these labels: a=b,c!=d,e in (f,g),!h');

/** -f and -R. */
export function addFileOptions(
  command: Command,
  description = 'YAML or JSON files, or directories of them; - = standard input',
): Command {
  return command
    .option('-f, --filename <path...>', description)
    .option('-R, --recursive', 'directories with all below them');
}

/** What every change can be asked with. */
export function addChangeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--dry-run [where]', 'change nothing; server = the agent checks and compiles it')
        .choices([...DRY_RUNS])
        .preset('server'),
    )
    .option(
      '--force',
      'even if it cuts the connection or the SSH session that it comes from, or locks this machine out otherwise',
    )
    .option('--confirm <time>', 'undone after so long (60s, 5m, 1h) unless `tortie confirm` comes first')
    .addOption(socketOption());
}

export function changeFlags({ dryRun, force, confirm, fieldManager }: ChangeOptions): ChangeFlags {
  return {
    ...(dryRun === 'server' ? { isDryRun: true } : {}),
    ...(force === undefined ? {} : { isForced: force }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(fieldManager === undefined ? {} : { fieldManager }),
  };
}

/** Also with an equals sign before it, as in -o=yaml. */
function parseFormat(text: string): ObjectFormat {
  const format = text.startsWith('=') ? text.slice(1) : text;
  if (format.startsWith('jsonpath='))
    return { kind: 'jsonpath', template: parseTemplate(format.slice('jsonpath='.length)) };
  if (format.startsWith('custom-columns='))
    return { kind: 'custom-columns', columns: parseColumns(format.slice('custom-columns='.length)) };
  const kind = PLAIN_FORMATS.find((known) => known === format);
  if (kind !== undefined) return { kind };
  throw new InvalidArgumentError(
    `Allowed choices are ${PLAIN_FORMATS.join(', ')}, jsonpath=TEMPLATE, custom-columns=TITLE:PATH,....`,
  );
}
