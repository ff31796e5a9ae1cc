// tortie drops: packets that are denied or dropped, as it happens, each with why: reason, tier, policy, rule.
import { type Command, Option } from 'commander';
import { CAPTURE_DEFAULTS, CAPTURE_LIMITS } from '../../agent/capture/capture-request.ts';
import { STANDARD_OUTPUT } from '../../agent/capture/packet-files.ts';
import { predicateOf } from '../../observe/flow-query/predicate.ts';
import type { FlowRecord } from '../../observe/flow-record.ts';
import { followAgent } from '../agent-client.ts';
import { runCapture } from '../capture-run.ts';
import { addFilterOptions, FILTER_HELP, type FilterFlags, givenFilters } from '../flows-options.ts';
import { endText, ruleText } from '../flows-text.ts';
import { visibleJson, visibleText } from '../hostile-text.ts';
import { socketOption, wholeNumber } from '../options.ts';
import { paint, print } from '../output.ts';
import { packetFilter, packetLog } from '../packet-log.ts';

interface DropFlags extends FilterFlags {
  readonly socket: string;
  readonly output: 'text' | 'json';
  readonly pcap?: string;
  readonly snaplen: number;
}

/** Of one file; who wants more uses tortie capture. */
const MAX_FILE_BYTES = 1024 ** 3;
const DROPPED: ReadonlySet<string> = new Set(['denied', 'dropped', 'flow-revoked']);
export function fillDropsCommand(command: Command): void {
  command
    .addOption(socketOption())
    .addOption(new Option('-o, --output <format>', 'how to show them').choices(['text', 'json']).default('text'))
    .option('--pcap <file>', 'write the packets too, each with verdict, reason and rule as a comment; - = nothing else')
    .option(
      '--snaplen <bytes>',
      'of each packet at most, with --pcap',
      wholeNumber(16, CAPTURE_LIMITS.snapBytes),
      CAPTURE_DEFAULTS.snapBytes,
    );
  addFilterOptions(command)
    .addHelpText(
      'after',
      `${FILTER_HELP}\n\nReports are limited by --event-budget of the agent; tortie status counts what was dropped in all.`,
    )
    .action(showDrops);
}

async function showDrops(flags: DropFlags): Promise<void> {
  const holds = predicateOf(packetFilter(givenFilters(flags), 'drops'));
  const isWanted = (record: FlowRecord): boolean => DROPPED.has(record.kind) && holds(packetLog(record, 'deny'));
  if (flags.pcap !== undefined) return writeDrops(flags, flags.pcap, isWanted);
  for await (const line of followAgent(flags.socket, '/v1/events')) {
    if (line === '') continue;
    const record = JSON.parse(line) as FlowRecord;
    if (isWanted(record)) show(record, flags);
  }
}

/** Until it is stopped, or the file is full: every packet, not only what the event budget lets through. */
async function writeDrops(flags: DropFlags, path: string, isWanted: (record: FlowRecord) => boolean): Promise<void> {
  const { socket, snaplen: snapBytes } = flags;
  await runCapture({
    socket,
    body: { drops: true, snapBytes, seconds: CAPTURE_LIMITS.seconds },
    file: { path, snapBytes, maxBytes: MAX_FILE_BYTES, maxFiles: 1 },
    holds: ({ record }) => isWanted(record),
    onPacket: ({ record }) => path !== STANDARD_OUTPUT && show(record, flags),
  });
}

function show(record: FlowRecord, { output }: DropFlags): void {
  print(output === 'json' ? visibleJson(record) : formatDrop(record));
}

/** Time, what happened to which packet where, and the rule, or the reason where no policy decided. */
export function formatDrop(record: FlowRecord): string {
  const log = packetLog(record, 'deny');
  const icmp = record.icmpType === undefined ? '' : ` ${record.icmpType}/${record.icmpCode}`;
  const place = `${record.interface} ${record.hook}`;
  const rule = ruleText(log.enforced.at(-1));
  const why = rule === '' ? record.reason : `${record.reason}: ${rule}`;
  const ends = `${endText(log.source) || '?'} -> ${endText(log.destination) || '?'}`;
  const what = `${record.protocol}${icmp} ${ends} ${record.length} B on ${place}`;
  const kind = paint(record.kind.padEnd(12), 'red');
  return `${record.time.slice(11, 23)} ${kind} ${visibleText(what)}  ${paint(visibleText(why), 'dim')}`;
}
