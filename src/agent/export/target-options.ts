// Options of an exporter, `name=value` separated by &: each with its default, its bounds and the kinds that have it.
import { isAbsolute } from 'node:path';
import { SYSLOG_FACILITIES, type SyslogFacility } from '../../observe/export/syslog.ts';

/** What is told, as what. */
export type TargetKind = 'file' | 'syslog' | 'ipfix' | 'otlp' | 'webhook' | 'journald';
export type Transport = 'file' | 'udp' | 'tcp' | 'tls' | 'unix' | 'http' | 'https';

/** Called with what is wrong; must throw. */
type Refuse = (field: string, found: string, expected: string) => never;

const MI = 1024 * 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 1024, Mi: MI, Gi: 1024 * MI };
const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

interface Scheme {
  readonly kind: TargetKind;
  readonly transport: Transport;
}

/** Names of options that kinds or transports have besides the common ones. */
const COMMON = ['name', 'actions', 'reporter', 'aggregate', 'batch', 'flush', 'queue', 'spool'];
const BY_KIND: Readonly<Record<TargetKind, readonly string[]>> = {
  file: ['size', 'age', 'keep'],
  syslog: ['facility'],
  journald: [],
  ipfix: ['domain', 'templates'],
  otlp: ['signals', 'period', 'headers', 'timeout'],
  webhook: ['secret', 'headers', 'timeout'],
};
const OF_TLS = ['ca', 'cert', 'key'];

class OptionReader {
  readonly #given: ReadonlyMap<string, string>;
  readonly #refuse: Refuse;

  constructor(given: ReadonlyMap<string, string>, refuse: Refuse) {
    this.#given = given;
    this.#refuse = refuse;
  }

  text(field: string, otherwise: string, pattern: RegExp, expected: string): string {
    const found = this.#given.get(field);
    if (found === undefined) return otherwise;
    return pattern.test(found) ? found : this.#refuse(field, found, expected);
  }

  choice<const T extends string>(field: string, choices: readonly T[], otherwise: T): T {
    const found = this.#given.get(field);
    if (found === undefined) return otherwise;
    return choices.find((one) => one === found) ?? this.#refuse(field, found, choices.join(' or '));
  }

  path(field: string): string | undefined {
    const found = this.#given.get(field);
    if (found === undefined) return undefined;
    return isAbsolute(found) && !found.includes('\0') ? found : this.#refuse(field, found, 'an absolute path');
  }

  number(field: string, otherwise: number, least: number, most: number): number {
    return this.#scaled(field, otherwise, least, most, { '': 1 }, 'a whole number');
  }

  /** Bytes. */
  size(field: string, otherwise: number, least: number, most: number): number {
    return this.#scaled(field, otherwise, least, most, SIZE_UNITS, 'bytes, as 65536, 64Ki, 16Mi or 1Gi');
  }

  /** Milliseconds. */
  time(field: string, otherwise: number, least: number, most: number): number {
    return this.#scaled(field, otherwise, least, most, TIME_UNITS, 'a time, as 500ms, 15s, 5m, 12h or 7d');
  }

  #scaled(
    field: string,
    otherwise: number,
    least: number,
    most: number,
    units: Readonly<Record<string, number>>,
    expected: string,
  ): number {
    const found = this.#given.get(field);
    if (found === undefined) return otherwise;
    const [, digits, unit = ''] = /^(\d{1,15})([A-Za-z]*)$/.exec(found) ?? [];
    const value = Number(digits) * (Object.hasOwn(units, unit) ? (units[unit] as number) : Number.NaN);
    return value >= least && value <= most ? value : this.#refuse(field, found, `${expected}, ${least} to ${most}`);
  }
}

/** All options, also those that the kind has no use for, with their defaults. */
export function readOptions(fragment: string, scheme: Scheme, refuse: Refuse) {
  const given = readPairs(fragment, scheme, refuse);
  const read = new OptionReader(given, refuse);
  return {
    name: read.text(
      'name',
      scheme.kind,
      /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/,
      'lower case letters, digits and -, 32 at most',
    ),
    /** Flow logs with the other action are not exported. */
    actions: read.choice('actions', ['all', 'allow', 'deny'], 'all'),
    /** Of what both ends report: both records, or the destination's alone. Collectors of IPFIX add up what they get. */
    reporter: read.choice('reporter', ['all', 'once'], scheme.kind === 'ipfix' ? 'once' : 'all'),
    /** Put together as Goldmane does, for so long; 0 = one by one. */
    aggregateMs: read.time('aggregate', 0, 1000, 3_600_000),
    batchRecords: read.number('batch', 500, 1, 10_000),
    flushMs: read.time('flush', 1000, 10, 60_000),
    queueBytes: read.size('queue', 16 * MI, 64 * 1024, 1024 * MI),
    /** On disk, while the collector does not take them; 0 = none. */
    spoolBytes: read.size('spool', scheme.kind === 'file' ? 0 : 64 * MI, 0, 64 * 1024 * MI),
    fileBytes: read.size('size', 64 * MI, 4096, 16 * 1024 * MI),
    fileAgeMs: read.time('age', 86_400_000, 1000, 366 * 86_400_000),
    keptFiles: read.number('keep', 7, 0, 1000),
    facility: read.choice<SyslogFacility>('facility', SYSLOG_FACILITIES, 'local0'),
    domain: read.number('domain', 0, 0, 2 ** 32 - 1),
    templateMs: read.time('templates', 60_000, 1000, 3_600_000),
    signals: read.choice('signals', ['both', 'logs', 'metrics'], 'both'),
    periodMs: read.time('period', 15_000, 1000, 3_600_000),
    timeoutMs: read.time('timeout', 10_000, 100, 120_000),
    headersFile: read.path('headers'),
    secretFile: read.path('secret'),
    caFile: read.path('ca'),
    certFile: read.path('cert'),
    keyFile: read.path('key'),
  };
}

function readPairs(fragment: string, { kind, transport }: Scheme, refuse: Refuse): Map<string, string> {
  const hasTls = transport === 'tls' || transport === 'https';
  const known = [...COMMON, ...BY_KIND[kind], ...(hasTls ? OF_TLS : [])];
  const given = new Map<string, string>();
  for (const pair of fragment.split('&').filter(Boolean)) {
    const [name = '', ...value] = pair.split('=');
    if (!known.includes(name)) refuse(name, pair, `one of ${known.join(', ')}`);
    if (given.has(name)) refuse(name, pair, 'each option once');
    given.set(name, value.join('='));
  }
  return given;
}
