// tortie flows: flow logs that the agent has stored, those that come, sums of them, and who speaks to whom.
import { type Command, Option } from 'commander';
import { TOP_KEYS, TOP_MEASURES, type TopKey, type TopMeasure } from '../../observe/flow-store/question.ts';
import { DEFAULT_AGGREGATION } from '../../observe/flows/aggregator.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import { type AgentRequest, sendToAgent } from '../agent-client.ts';
import { FlowStream } from '../flow-stream.ts';
import { warnOfAggregates } from '../flows-aggregates.ts';
import { CSV_HEADER, csvRow } from '../flows-csv.ts';
import { type FlowGraph, formatDot } from '../flows-graph.ts';
import { hubbleFlow } from '../flows-hubble.ts';
import { addFilterOptions, addWindowOptions, FILTER_HELP, type FilterFlags, filterQuery } from '../flows-options.ts';
import { drawGraph } from '../flows-svg.ts';
import { FlowTable, formatBytes } from '../flows-text.ts';
import { visibleJson, visibleText } from '../hostile-text.ts';
import { socketOption, wholeNumber } from '../options.ts';
import { formatTable, print, printWarning } from '../output.ts';
import { readStoreStatus, untilStored } from '../store-waits.ts';

const OUTPUTS = ['table', 'wide', 'json', 'jsonpb', 'csv'] as const;
type Output = (typeof OUTPUTS)[number];

interface FlowFlags extends FilterFlags {
  readonly socket: string;
  readonly output: Output;
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly last?: number;
  readonly sort: 'time' | 'bytes' | 'packets';
}

interface WindowFlags extends FilterFlags {
  readonly socket: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
}

interface FlowPage {
  readonly items: readonly FlowLog[];
  readonly metadata: { readonly continue?: string };
}

type Sums = Readonly<Record<'bytes' | 'packets' | 'flows' | 'denied', number>>;

const PAGE = 1000;
const MAX_LAST = 10_000;
const DEFAULT_LAST = 20;
const SINCE = '1h';
/** For flow logs on their way to the store, before those that come are shown behind them. */
const STORED_MS = 10_000;
/** From the aggregates to the disk. */
const HAND_OVER_SECONDS = 5;

export function fillFlowsCommand(command: Command): void {
  // Options behind top and graph are theirs, although flows has some of the same name.
  command.parent?.enablePositionalOptions();
  command
    .enablePositionalOptions()
    .addOption(socketOption())
    .option('-f, --follow', 'go on with flows as they come, every record of them')
    .option(
      '--last <n>',
      `the newest so many (default: ${DEFAULT_LAST}, unless --since or --until says more)`,
      wholeNumber(1, MAX_LAST),
    )
    .addOption(
      new Option('--sort <by>', 'time, or the greatest first').choices(['time', 'bytes', 'packets']).default('time'),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to show them; wide: with ids; json and jsonpb: an object a line')
        .choices(OUTPUTS)
        .default('table'),
    );
  addWindowOptions(command);
  addFilterOptions(command)
    .addHelpText(
      'after',
      `${FILTER_HELP}

jsonpb has the field names of hubble's flows. Lines of json are what simulate, recommend and why read. A record that is stored has
an id, which why takes as well.

Examples:
  tortie flows --since 1h --verdict deny
  tortie flows --follow --namespace shop --port 443
  tortie flows --last 100 --from shop/web-* --to-label app=db -o json
  tortie flows top --by policy --since 24h
  tortie flows graph --since 24h -o svg > flows.svg`,
    )
    .action(showFlows);
  addTop(command);
  addGraph(command);
}

async function showFlows(flags: FlowFlags): Promise<void> {
  const write = writerOf(flags.output);
  const query = filterQuery(flags);
  const { socket, since, until, last, follow, sort } = flags;
  const isWhole = last === undefined && sort === 'time' && (since !== undefined || until !== undefined);
  const newest = sort === 'time' ? { last: last ?? DEFAULT_LAST } : { limit: last ?? DEFAULT_LAST, sort: `-${sort}` };
  const asked = { ...query, since, until, ...(isWhole ? { sort: 'time', limit: PAGE } : newest) };
  const asksStore = follow !== true || since !== undefined || last !== undefined;
  if (asksStore) await warnOfAggregates(socket, flags);
  if (follow !== true) return showPages(socket, asked, isWhole, write);
  // Before the store is asked: what comes meanwhile would be in neither.
  const stream = await FlowStream.open(socket, query);
  try {
    if (asksStore) {
      const show = (logs: readonly FlowLog[]): void => {
        stream.know(logs);
        write(logs);
      };
      await showPages(socket, { until: await meetStream(socket, stream), ...definedOf(asked) }, isWhole, show);
    }
    for await (const log of stream.flows()) write([log]);
  } finally {
    stream.close();
  }
}

/**
 * Lets the store take what was told before the stream was open; returns until when its flows are asked for, so that none is shown
 * twice. What is being put together is in no answer yet, and has been told.
 */
async function meetStream(socket: string, { openedAt }: FlowStream): Promise<string | undefined> {
  if ((await readStoreStatus(socket)).mode !== 'aggregated') {
    const left = await untilStored(socket, STORED_MS);
    if (left > 0) printWarning(`${left} flow logs wait for the store and are left out`);
    return undefined;
  }
  const { bucketSeconds } = DEFAULT_AGGREGATION;
  printWarning(
    `the store puts flows of ${bucketSeconds} seconds together (flowStore): some of the last ${bucketSeconds + HAND_OVER_SECONDS} seconds are left out`,
  );
  return new Date(openedAt - bucketSeconds * 1000 + 1).toISOString();
}

function definedOf<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

async function showPages(
  socket: string,
  query: AgentRequest['query'],
  isWhole: boolean,
  write: (logs: readonly FlowLog[]) => void,
): Promise<void> {
  for (let place: string | undefined; ; ) {
    const asked = { method: 'GET', path: '/flows', query: { ...query, continue: place } } as const;
    const { items, metadata } = (await sendToAgent<FlowPage>(socket, asked)).body;
    write(items);
    place = metadata.continue;
    if (!isWhole || place === undefined) return;
  }
}

function writerOf(output: Output): (logs: readonly FlowLog[]) => void {
  const each = (format: (log: FlowLog) => string) => (logs: readonly FlowLog[]) => printLines(logs.map(format));
  switch (output) {
    case 'json':
      return each(visibleJson);
    case 'jsonpb':
      return each((log) => visibleJson(hubbleFlow(log)));
    case 'csv':
      print(CSV_HEADER);
      return each(csvRow);
    case 'table':
    case 'wide': {
      const table = new FlowTable(output === 'wide');
      return (logs) => printLines(table.add(logs));
    }
  }
}

function printLines(lines: readonly string[]): void {
  if (lines.length > 0) print(lines.join('\n'));
}

function addTop(flows: Command): void {
  const top = flows
    .command('top')
    .description('stored flows summed up, the greatest first; what both ends report is counted once')
    .addOption(socketOption())
    .addOption(new Option('--by <key>', 'what is summed up').choices(TOP_KEYS).default('pair'))
    .addOption(
      new Option(
        '--measure <measure>',
        'what the greatest is the greatest of (default: bytes; of reasons, denied)',
      ).choices(TOP_MEASURES),
    )
    .option('--limit <n>', 'rows at most', wholeNumber(1, MAX_LAST), 20)
    .addOption(
      new Option('-o, --output <format>', 'how to show them').choices(['table', 'json', 'csv']).default('table'),
    );
  addWindowOptions(top);
  addFilterOptions(top).addHelpText('after', FILTER_HELP).action(showTop);
}

async function showTop(flags: WindowFlags & { by: TopKey; measure?: TopMeasure; output: string }): Promise<void> {
  const { socket, since = SINCE, until, limit, by, measure, output } = flags;
  const query = { ...filterQuery(flags), since, until, limit, by, measure };
  await warnOfAggregates(socket, flags);
  const { items } = (
    await sendToAgent<{ items: readonly (Sums & Readonly<Record<string, unknown>>)[] }>(socket, {
      method: 'GET',
      path: '/flows/top',
      query,
    })
  ).body;
  if (output === 'json') return print(visibleJson(items));
  const rows = items.map(({ bytes, packets, flows: begun, denied, ...keys }) => ({
    keys: Object.values(keys).map(String),
    sums: [bytes, packets, begun, denied],
  }));
  const names = KEY_NAMES[by];
  if (output === 'csv') {
    const { csvCell } = await import('../hostile-text.ts');
    print([...names, 'bytes', 'packets', 'flows', 'denied'].join(',').toLowerCase());
    return printLines(rows.map(({ keys, sums }) => [...keys, ...sums].map(csvCell).join(',')));
  }
  const cells = rows.map(({ keys, sums: [bytes = 0, ...others] }) => [
    formatBytes(bytes),
    ...others.map(String),
    ...keys.map(visibleText),
  ]);
  print(formatTable(['BYTES', 'PACKETS', 'FLOWS', 'DENIED', ...names], cells));
}

const KEY_NAMES: Readonly<Record<TopKey, readonly string[]>> = {
  pair: ['SOURCE', 'DESTINATION'],
  namespace: ['SOURCE', 'DESTINATION'],
  port: ['PROTOCOL', 'PORT'],
  policy: ['RULE'],
  reason: ['REASON'],
};

function addGraph(flows: Command): void {
  const graph = flows
    .command('graph')
    .description('who speaks to whom, as a drawing or for a program that draws')
    .addOption(socketOption())
    .addOption(new Option('--nodes <kind>', 'what a node stands for').choices(['name', 'namespace']).default('name'))
    .option('--limit <n>', 'edges at most, the busiest of them', wholeNumber(1, MAX_LAST), 200)
    .addOption(new Option('-o, --output <format>', 'how to write it').choices(['dot', 'svg', 'json']).default('dot'));
  addWindowOptions(graph);
  addFilterOptions(graph).addHelpText('after', FILTER_HELP).action(showGraph);
}

async function showGraph(flags: WindowFlags & { nodes: string; output: string }): Promise<void> {
  const { socket, since = SINCE, until, limit, nodes, output } = flags;
  const query = { ...filterQuery(flags), since, until, limit, nodes };
  await warnOfAggregates(socket, flags);
  const graph = (await sendToAgent<FlowGraph>(socket, { method: 'GET', path: '/flows/graph', query })).body;
  if (output === 'json') print(visibleJson(graph));
  else print(output === 'svg' ? drawGraph(graph) : formatDot(graph));
}
