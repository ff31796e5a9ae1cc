// tortie monitor: new flows, denials and drops as they happen, each with the rule that decided.
import { type Command, Option } from 'commander';
import type { EventKind } from '../../events/event.ts';
import type { FlowRecord } from '../../observe/flow-record.ts';
import { followAgent } from '../agent-client.ts';
import { visibleJson, visibleText } from '../hostile-text.ts';
import { socketOption } from '../options.ts';
import { paint, print } from '../output.ts';

/** Of what is not bad news; a rule that logs says nothing about what becomes of the packet. */
const COLOURS: { readonly [K in EventKind]?: 'green' | 'yellow' } = { 'new-flow': 'green', log: 'yellow' };

export function fillMonitorCommand(command: Command): void {
  command
    .addOption(socketOption())
    .addOption(new Option('-o, --output <format>', 'how to show them').choices(['text', 'json']).default('text'))
    .action(async ({ socket, output }: { socket: string; output: 'text' | 'json' }) => {
      for await (const line of followAgent(socket, '/v1/events')) {
        if (line === '') continue;
        const record = JSON.parse(line) as FlowRecord;
        print(output === 'json' ? visibleJson(record) : formatRecord(record));
      }
    });
}

/** One line: time, what happened, who to whom, which rule. */
export function formatRecord(record: FlowRecord): string {
  const from = place(record.sourceEndpoint, record.source, record.sourcePort);
  const to = place(record.destinationEndpoint, record.destination, record.destinationPort);
  const icmp = record.icmpType === undefined ? '' : ` ${record.icmpType}/${record.icmpCode}`;
  const kind = paint(record.kind.padEnd(12), COLOURS[record.kind] ?? 'red');
  const what = visibleText(`${record.protocol}${icmp} ${from} -> ${to}`);
  return `${record.time.slice(11, 23)} ${kind} ${what}  ${paint(visibleText(decision(record)), 'dim')}`;
}

function place(endpoint: string | undefined, address: string, port: number | undefined): string {
  const host = endpoint ?? (address === '' ? '?' : address);
  return port === undefined || port === 0 ? host : `${host}:${port}`;
}

/** The deciding side's last trace entry, or the reason when policy did not decide. */
function decision({ egress, ingress, reason }: FlowRecord): string {
  const sides = [egress, ingress].filter((side) => side !== undefined);
  const deciding = sides.find((side) => side.verdict === 'deny') ?? sides.at(-1);
  return deciding?.trace.at(-1) ?? reason;
}
