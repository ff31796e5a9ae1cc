// Flow logs as syslog messages (RFC 5424): the message is the flow log as JSON, in ASCII, so that receivers of every kind keep it whole.
import type { FlowLog } from '../flows/flow-log.ts';

export const SYSLOG_FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;
export type SyslogFacility = (typeof SYSLOG_FACILITIES)[number];

const SEVERITY = { warning: 4, notice: 5, informational: 6 } as const;
export type SyslogSeverity = keyof typeof SEVERITY;

/** What common receivers take without a setting; each must take 480 bytes and should take 2048 (RFC 5424, 6.1). */
export const MAX_MESSAGE_BYTES = 8000;

export interface SyslogMessage {
  readonly facility: SyslogFacility;
  readonly severity: SyslogSeverity;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly host: string;
  readonly process: number;
  /** What kind of message it is. */
  readonly id: string;
  readonly text: string;
}

const APPLICATION = 'tortie';

/** In ASCII, on one line, without the frame that a transport may need. */
export function formatSyslog({ facility, severity, time, host, process, id, text }: SyslogMessage): string {
  const priority = SYSLOG_FACILITIES.indexOf(facility) * 8 + SEVERITY[severity];
  const head = `<${priority}>1 ${new Date(time).toISOString()} ${field(host, 255)} ${APPLICATION} ${process} ${field(id, 32)} - `;
  return (head + toAscii(text)).slice(0, MAX_MESSAGE_BYTES);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** As programs of the same machine say it to /dev/log: the older format (RFC 3164), with the machine's own time. */
export function formatLocalSyslog({ facility, severity, time, process, id, text }: SyslogMessage): string {
  const priority = SYSLOG_FACILITIES.indexOf(facility) * 8 + SEVERITY[severity];
  const date = new Date(time);
  const two = (value: number, fill = '0') => String(value).padStart(2, fill);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => two(part)).join(':');
  const stamp = `${MONTHS[date.getMonth()]} ${two(date.getDate(), ' ')} ${clock}`;
  return `<${priority}>${stamp} ${APPLICATION}-${field(id, 16)}[${process}]: ${toAscii(text)}`.slice(
    0,
    MAX_MESSAGE_BYTES,
  );
}

export type SyslogFormat = (message: SyslogMessage) => string;

/** Labels are left out of a message that would be too long, then whatever is behind its end. */
export function flowToSyslog(
  log: FlowLog,
  place: Pick<SyslogMessage, 'facility' | 'host' | 'process'>,
  format: SyslogFormat = formatSyslog,
): string {
  const severity = log.action === 'allow' ? 'informational' : 'warning';
  const message = { ...place, severity, time: log.endTime, id: 'flow' } as const;
  const text = JSON.stringify(log);
  const whole = format({ ...message, text });
  if (whole.length < MAX_MESSAGE_BYTES) return whole;
  const { source, destination } = log;
  const bare = { ...log, source: { ...source, labels: {} }, destination: { ...destination, labels: {} } };
  return format({ ...message, text: JSON.stringify(bare) });
}

/** Printable ASCII without blanks; `-` = not known (RFC 5424, 6). */
function field(text: string, length: number): string {
  const fitting = text.replace(/[^\x21-\x7e]/g, '_').slice(0, length);
  return fitting === '' ? '-' : fitting;
}

/** JSON says the same with escapes; control characters would end the message or move somebody's cursor. */
function toAscii(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
