// tortie drops: packets that are denied or dropped, as it happens, each with why: reason, tier, policy, rule.
import { type Command, Option } from 'commander';
import { DataplaneError } from '../../base/errors.ts';
import { FILTER_OPTIONS, filterOfOptions } from '../../observe/flow-query/filter-options.ts';
import { predicateOf } from '../../observe/flow-query/predicate.ts';
import type { FlowRecord } from '../../observe/flow-record.ts';
import type { FlowEnd, FlowLog } from '../../observe/flows/flow-log.ts';
import { followAgent } from '../agent-client.ts';
import { addFilterOptions, FILTER_HELP, type FilterFlags, givenFilters } from '../flows-options.ts';
import { endText, ruleText } from '../flows-text.ts';
import { visibleJson, visibleText } from '../hostile-text.ts';
import { socketOption } from '../options.ts';
import { paint, print } from '../output.ts';

interface DropFlags extends FilterFlags {
  readonly socket: string;
  readonly output: 'text' | 'json';
}

const DROPPED: ReadonlySet<string> = new Set(['denied', 'dropped', 'flow-revoked']);
/** What the report of a packet does not say. */
const UNKNOWN = ['label', 'from-label', 'to-label', 'node', 'service'];

export function fillDropsCommand(command: Command): void {
  command
    .addOption(socketOption())
    .addOption(new Option('-o, --output <format>', 'how to show them').choices(['text', 'json']).default('text'));
  addFilterOptions(command)
    .addHelpText(
      'after',
      `${FILTER_HELP}\n\nReports are limited by --event-budget of the agent; tortie status counts what was dropped in all.`,
    )
    .action(showDrops);
}

async function showDrops(flags: DropFlags): Promise<void> {
  const given = givenFilters(flags);
  refuseUnknown(given);
  const holds = predicateOf(filterOfOptions(given));
  for await (const line of followAgent(flags.socket, '/v1/events')) {
    if (line === '') continue;
    const record = JSON.parse(line) as FlowRecord;
    if (!DROPPED.has(record.kind) || !holds(logOf(record))) continue;
    print(flags.output === 'json' ? visibleJson(record) : formatDrop(record));
  }
}

function refuseUnknown(given: (name: string) => readonly string[]): void {
  const asked = FILTER_OPTIONS.find(({ name }) => UNKNOWN.includes(name) && given(name).length > 0);
  const inText = given('filter').some((text) => /\b(?:label|node|service)\b/.test(text));
  if (asked === undefined && !inText) return;
  throw new DataplaneError('USAGE', 'is not known of single packets', {
    operation: 'show',
    target: 'drops',
    field: asked === undefined ? '--filter' : `--${asked.name}`,
    hint: 'tortie flows --follow --verdict deny knows labels, nodes and services',
  });
}

/** As far as the report of one packet is a flow log. */
function logOf(record: FlowRecord): FlowLog {
  const side =
    [record.ingress, record.egress].find((one) => one?.verdict === 'deny') ?? record.ingress ?? record.egress;
  return {
    startTime: 0,
    endTime: 0,
    node: '',
    reporter: side !== undefined && side === record.egress ? 'src' : 'dst',
    action: 'deny',
    source: endOf(record.sourceEndpoint, record.source, record.sourcePort),
    destination: endOf(record.destinationEndpoint, record.destination, record.destinationPort),
    protocol: record.protocol,
    enforced: side?.trace ?? [],
    pending: side?.pending?.trace ?? [],
    reason: record.reason,
    packetsIn: 1,
    packetsOut: 0,
    bytesIn: record.length,
    bytesOut: 0,
    flowsStarted: 0,
    flowsCompleted: 0,
    flowsLive: 0,
  };
}

function endOf(endpoint: string | undefined, address: string, port = 0): FlowEnd {
  const slash = endpoint?.indexOf('/') ?? -1;
  const name = endpoint?.slice(slash + 1) ?? '';
  const namespace = endpoint?.slice(0, Math.max(slash, 0)) ?? '';
  return {
    type: endpoint === undefined ? 'net' : 'wep',
    namespace,
    name,
    aggregatedName: name,
    address,
    port,
    labels: {},
  };
}

/** Time, what happened to which packet where, and the rule, or the reason where no policy decided. */
export function formatDrop(record: FlowRecord): string {
  const log = logOf(record);
  const icmp = record.icmpType === undefined ? '' : ` ${record.icmpType}/${record.icmpCode}`;
  const place = `${record.interface} ${record.hook}`;
  const rule = ruleText(log.enforced.at(-1));
  const why = rule === '' ? record.reason : `${record.reason}: ${rule}`;
  const ends = `${endText(log.source) || '?'} -> ${endText(log.destination) || '?'}`;
  const what = `${record.protocol}${icmp} ${ends} ${record.length} B on ${place}`;
  const kind = paint(record.kind.padEnd(12), 'red');
  return `${record.time.slice(11, 23)} ${kind} ${visibleText(what)}  ${paint(visibleText(why), 'dim')}`;
}
