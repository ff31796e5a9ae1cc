// tortie tables: what the policy compiles to, and how much room it takes.
import { type Command, Option } from 'commander';
import { desiredStateOf, loadManifests } from '../../agent/offline.ts';
import type { KernelMemory, TableReport } from '../../agent/table-report.ts';
import { TableCompiler } from '../../tables/compiler.ts';
import { dumpTables, type TableDump } from '../../tables/dump.ts';
import { tableStats } from '../../tables/stats.ts';
import { askAgent } from '../agent-client.ts';
import { manifestsOption, nodeOption, outputOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData, printError } from '../output.ts';

interface TableFlags {
  readonly manifests: string;
  readonly node: string;
  readonly output: OutputFormat;
}

export function fillTablesCommand(command: Command): void {
  command
    .command('stats')
    .description(
      'what policy compiles to, and the memory that it takes: of a directory, or (with --live) of the running agent, ' +
        'with the kernel memory of every map',
    )
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addOption(new Option('--live', 'ask the running agent'))
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ live, socket, ...flags }: TableFlags & { live?: boolean; socket: string }) => {
      const report =
        live === true ? await askAgent<TableReport | null>(socket, 'GET', '/v1/tables') : compileStats(flags);
      await printData(report, flags.output, () => (report === null ? 'nothing is compiled yet' : formatReport(report)));
    });
  command
    .command('dump')
    .description('every class and every cell of the compiled tables')
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .option('--endpoint <namespace/name>', 'cells of this endpoint only')
    .addOption(outputOption())
    .action(async ({ endpoint, ...flags }: TableFlags & { endpoint?: string }) => {
      const dump = compileDump(flags, endpoint);
      await printData(dump, flags.output, () => formatDump(dump));
    });
}

function compileStats({ manifests, node }: TableFlags): TableReport {
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

/** Tables for people. */
export function formatReport({ counts, arrays, bytesPer, traceIds, lastChange, kernel }: TableReport): string {
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
    formatTable(
      ['BYTES PER', 'IN USE'],
      [
        ['rule', formatBytes(bytesPer.rule)],
        ['endpoint', formatBytes(bytesPer.endpoint)],
        ['address class', formatBytes(bytesPer.addressClass)],
      ],
    ),
    '',
    `last change wrote ${lastChange.regions} regions, ${formatBytes(lastChange.bytes)}`,
    ...(kernel === undefined ? [] : ['', formatKernel(kernel)]),
  ].join('\n');
}

function formatKernel({ maps, totalBytes, flows, bytesPerFlow }: KernelMemory): string {
  const rows = maps.map(({ name, entries, bytes }) => [name, String(entries), formatBytes(bytes)]);
  return [
    formatTable(['MAP', 'ENTRIES', 'KERNEL MEMORY'], [...rows, ['total', '', formatBytes(totalBytes)]]),
    '',
    `room for ${flows} flows, ${formatBytes(bytesPerFlow)} each`,
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
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
