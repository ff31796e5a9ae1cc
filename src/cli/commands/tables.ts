// tortie tables: what the policy compiles to, and how much room it takes.
import { type Command, Option } from 'commander';
import { desiredStateOf, loadManifests } from '../../agent/offline.ts';
import { TableCompiler } from '../../tables/compiler.ts';
import { dumpTables, type TableDump } from '../../tables/dump.ts';
import { type TableStats, tableStats } from '../../tables/stats.ts';
import { askAgent } from '../agent-client.ts';
import { manifestsOption, nodeOption, outputOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData, printError } from '../output.ts';

interface TableFlags {
  readonly manifests: string;
  readonly node: string;
  readonly output: OutputFormat;
}

export function addTablesCommand(program: Command): void {
  const tables = program.command('tables').description('the compiled tables');
  tables
    .command('stats')
    .description('sizes of the compiled tables, of a directory or (with --live) of the running agent')
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addOption(new Option('--live', 'ask the running agent'))
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ live, socket, ...flags }: TableFlags & { live?: boolean; socket: string }) => {
      const stats = live === true ? await askAgent<TableStats>(socket, 'GET', '/v1/tables') : compileStats(flags);
      printData(stats, flags.output, () => formatStats(stats));
    });
  tables
    .command('dump')
    .description('every class and every cell of the compiled tables')
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .option('--endpoint <namespace/name>', 'cells of this endpoint only')
    .addOption(outputOption())
    .action(({ endpoint, ...flags }: TableFlags & { endpoint?: string }) => {
      const dump = compileDump(flags, endpoint);
      printData(dump, flags.output, () => formatDump(dump));
    });
}

function compileStats({ manifests, node }: TableFlags): TableStats {
  const { world, errors } = loadManifests(manifests);
  errors.forEach(printError);
  const compiler = new TableCompiler();
  return tableStats(compiler.compile(desiredStateOf(world, node)), compiler);
}

function compileDump({ manifests, node }: TableFlags, only: string | undefined): TableDump {
  const { world, errors } = loadManifests(manifests);
  errors.forEach(printError);
  const desired = desiredStateOf(world, node);
  const compiler = new TableCompiler();
  const names = [...desired.endpoints].map(([key, { endpoint }]) => [key, endpoint.displayName] as const);
  return dumpTables(
    compiler.compile(desired),
    compiler,
    new Map(names.filter(([, name]) => only === undefined || name === only)),
  );
}

function formatStats({ counts, arrays, traceIds, lastChange }: TableStats): string {
  const countRows = Object.entries(counts).map(([name, count]) => [
    name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    String(count),
  ]);
  const arrayRows = arrays.map((array) => [
    array.name,
    formatBytes(array.usedBytes),
    formatBytes(array.capacityBytes),
    `${((100 * array.usedBytes) / array.capacityBytes).toFixed(1)} %`,
    String(array.regions),
  ]);
  return [
    formatTable(['WHAT', 'COUNT'], [...countRows, ['trace ids', String(traceIds)]]),
    '',
    formatTable(['ARRAY', 'USED', 'CAPACITY', 'FULL', 'REGIONS'], arrayRows),
    '',
    `last change wrote ${lastChange.regions} regions, ${formatBytes(lastChange.bytes)}`,
  ].join('\n');
}

function formatDump({ addressClasses, l4Classes, cells }: TableDump): string {
  return [
    formatTable(
      ['CLASS', 'FAMILY', 'ADDRESSES'],
      addressClasses.map(({ id, family, prefixes }) => [`a${id}`, `IPv${family}`, prefixes.join(' ')]),
    ),
    '',
    formatTable(
      ['CLASS', 'LAYER 4'],
      l4Classes.map(({ id, members }) => [`p${id}`, members.join(', ')]),
    ),
    '',
    formatTable(
      ['ENDPOINT', 'DIRECTION', 'LOCAL', 'PEER', 'VERDICT', 'LAYER 4', 'TRACE'],
      cells.map((cell) => [
        cell.endpoint,
        cell.direction,
        cell.localClass === undefined ? 'any' : `a${cell.localClass}`,
        `a${cell.peerClass}`,
        paint(cell.isLogged ? `${cell.verdict}+log` : cell.verdict, cell.verdict === 'allow' ? 'green' : 'red'),
        cell.l4Classes.map((id) => `p${id}`).join(','),
        cell.trace.join(' '),
      ]),
    ),
  ].join('\n');
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
