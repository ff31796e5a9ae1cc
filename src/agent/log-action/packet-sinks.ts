// Where lines of Log rules go, and in which form: the journal, syslog, a file.
import { type PacketEntry, policyName } from '../../observe/export/log-action.ts';
import {
  formatLocalSyslog,
  formatSyslog,
  type SyslogFacility,
  type SyslogSeverity,
} from '../../observe/export/syslog.ts';
import type { Sink } from '../export/sink.ts';
import { FileSink } from '../export/sinks/file-sink.ts';
import { type JournalFields, JournalSink } from '../export/sinks/journal-sink.ts';
import { SyslogSink } from '../export/sinks/syslog-sink.ts';
import type { ExportTarget } from '../export/target.ts';

const SEVERITY: SyslogSeverity = 'notice';
const JOURNAL_PRIORITY = 5;

export function packetSinkOf(target: ExportTarget, host: string): Sink<PacketEntry> {
  if (target.kind === 'journald') return new JournalSink(target.path, toJournalFields);
  if (target.kind === 'file') return new FileSink(target, (entry) => JSON.stringify(toJson(entry)));
  const format = target.transport === 'unix' ? formatLocalSyslog : formatSyslog;
  return new SyslogSink(target, (entry) => format(toMessage(entry, target.facility, host)));
}

function toMessage({ time, text }: PacketEntry, facility: SyslogFacility, host: string) {
  return { facility, severity: SEVERITY, time, host, process: process.pid, id: 'packet', text };
}

function toJson({ time, text, rule, packet, suppressed }: PacketEntry): object {
  return { time: new Date(time).toISOString(), text, rule, packet, suppressed };
}

/** Fields that journalctl finds entries by. */
export function toJournalFields({ text, rule, packet = {}, suppressed }: PacketEntry): JournalFields {
  const packetFields = Object.entries(packet).map(([name, value]) => [`TORTIE_${name}`, value] as const);
  return {
    MESSAGE: text,
    PRIORITY: JOURNAL_PRIORITY,
    SYSLOG_IDENTIFIER: 'tortie-packet',
    SYSLOG_FACILITY: 0,
    TORTIE_TIER: rule.tier,
    TORTIE_POLICY_KIND: rule.kind,
    TORTIE_POLICY: policyName(rule),
    TORTIE_DIRECTION: rule.direction,
    ...(rule.index !== undefined && { TORTIE_RULE: rule.index }),
    ...(rule.location !== undefined && { TORTIE_LOCATION: rule.location }),
    ...Object.fromEntries(packetFields),
    TORTIE_SUPPRESSED: suppressed,
  };
}

export function sizeOfEntry({ text }: PacketEntry): number {
  return 600 + 2 * text.length;
}
