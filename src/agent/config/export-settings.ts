// Settings of what is told to others: exports of flow logs, and lines about packets that met a Log rule.
import { DataplaneError } from '../../base/errors.ts';
import { parseRate } from '../../observe/export/rule-rates.ts';
import { showUrls } from '../export/shown-urls.ts';
import { FLOW_EXPORT_KINDS, parseTargets } from '../export/target.ts';
import { AUTO_LOG, PACKET_LOG_KINDS, resolveAuto } from '../log-action/auto-log.ts';
import { setting } from './setting.ts';
import { type ValueType, wholeNumber } from './value-type.ts';

const MAX_PREFIX_LENGTH = 256;

/** What is wrong with one of them findExportErrors says. */
function urls(otherwise: string): ValueType<string> {
  return {
    placeholder: 'urls',
    expected: `URLs separated by blanks, see docs/observability.md; or ${otherwise}`,
    parse: (written) => (typeof written === 'string' && !written.includes('\0') ? written : undefined),
  };
}

function rate(): ValueType<string> {
  return {
    placeholder: 'rate',
    expected: 'a number of lines for each second, minute, hour or day, as 10/second; or nothing',
    parse: (written) => (typeof written === 'string' && parseRate(written, 1) !== undefined ? written : undefined),
  };
}

function prefix(): ValueType<string> {
  return {
    placeholder: 'text',
    expected: `one line of printable text, ${MAX_PREFIX_LENGTH} characters at most`,
    parse: (written) =>
      typeof written === 'string' && written.length <= MAX_PREFIX_LENGTH && /^\P{Cc}*$/u.test(written)
        ? written
        : undefined,
  };
}

export const EXPORT_SETTINGS = {
  exports: setting({
    flag: '--exports',
    variable: 'TORTIE_EXPORTS',
    type: urls('nothing'),
    default: '',
    meaning:
      'where flow logs are sent, URLs separated by blanks: file, syslog, ipfix, otlp, webhook; docs/observability.md; empty = nowhere',
    change: 'live',
    show: showUrls,
  }),
  packetLog: setting({
    flag: '--packet-log',
    variable: 'TORTIE_PACKET_LOG',
    type: urls('auto, or nothing'),
    default: AUTO_LOG,
    meaning:
      'where rules with the action Log write, URLs separated by blanks: journald, syslog, file; auto = the journal, else the syslog of this machine; empty = nowhere',
    change: 'live',
    show: showUrls,
  }),
  logPrefix: setting({
    flag: '--log-prefix',
    variable: 'TORTIE_LOG_PREFIX',
    type: prefix(),
    default: 'calico-packet',
    meaning: 'what their lines begin with: %t = tier, %k = kind, %n = name, %p = namespace/name of the policy',
    change: 'live',
    felix: { field: 'logPrefix', read: String },
  }),
  logActionRate: setting({
    flag: '--log-action-rate',
    variable: 'TORTIE_LOG_ACTION_RATE',
    type: rate(),
    default: '10/second',
    meaning: 'lines of each such rule, as 10/second or 5/minute; those left out are counted; empty = any number',
    change: 'live',
    felix: { field: 'logActionRateLimit', read: String },
  }),
  logActionBurst: setting({
    flag: '--log-action-burst',
    variable: 'TORTIE_LOG_ACTION_BURST',
    type: wholeNumber(1, 100_000),
    default: 5,
    unit: 'lines',
    meaning: 'lines of each such rule that may come at once',
    change: 'live',
    felix: { field: 'logActionRateLimitBurst', read: Number },
  }),
} as const;

/** INVALID_FIELD for each of them that names no place to send to. */
export function findExportErrors(settings: ReadonlyMap<string, { readonly value: unknown; readonly origin: string }>) {
  const checks = { exports: FLOW_EXPORT_KINDS, packetLog: PACKET_LOG_KINDS };
  return Object.entries(checks).flatMap(([name, kinds]) => {
    const given = settings.get(name);
    try {
      parseTargets(resolveAuto(String(given?.value ?? '')), kinds);
      return [];
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      const { message, field, expected, hint } = error;
      const about = { operation: 'read', target: 'configuration', field: name, found: field, expected, hint };
      return [new DataplaneError('INVALID_FIELD', message, { ...about, cause: error })];
    }
  });
}
