// Where flow logs are exported to, as settings say it: one URL for each exporter, its options behind a #, which no collector ever
// sees: `ipfix+udp://192.0.2.9:4739#name=netops&actions=deny`. Secrets are in files of their own, never in a URL.
import { isIP } from 'node:net';
import { isAbsolute, normalize } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';
import { quoteValue } from '../../resources/report.ts';
import { showUrls } from './shown-urls.ts';
import { readOptions, type TargetKind, type Transport } from './target-options.ts';

interface Scheme {
  readonly kind: TargetKind;
  readonly transport: Transport;
  /** Taken where the URL has none. */
  readonly port?: number;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  file: { kind: 'file', transport: 'file' },
  journald: { kind: 'journald', transport: 'unix' },
  'syslog+udp': { kind: 'syslog', transport: 'udp', port: 514 },
  'syslog+tcp': { kind: 'syslog', transport: 'tcp', port: 601 },
  'syslog+tls': { kind: 'syslog', transport: 'tls', port: 6514 },
  'syslog+unix': { kind: 'syslog', transport: 'unix' },
  'ipfix+udp': { kind: 'ipfix', transport: 'udp', port: 4739 },
  'ipfix+tcp': { kind: 'ipfix', transport: 'tcp', port: 4739 },
  'otlp+http': { kind: 'otlp', transport: 'http', port: 4318 },
  'otlp+https': { kind: 'otlp', transport: 'https', port: 4318 },
  'webhook+https': { kind: 'webhook', transport: 'https', port: 443 },
  'webhook+http': { kind: 'webhook', transport: 'http', port: 80 },
};

const JOURNAL_SOCKET = '/run/systemd/journal/socket';
const MAX_TARGETS = 16;

export const FLOW_EXPORT_KINDS: readonly TargetKind[] = ['file', 'syslog', 'ipfix', 'otlp', 'webhook'];

export interface ExportTarget extends Readonly<ReturnType<typeof readOptions>> {
  readonly kind: TargetKind;
  readonly transport: Transport;
  /** As written. */
  readonly url: string;
  /** Without brackets; '' = a path says where. */
  readonly host: string;
  readonly port: number;
  /** Of a file or socket; for HTTP with the query. */
  readonly path: string;
}

/** URLs separated by blanks. Throws INVALID_FIELD for the first that is none, or that says what cannot be. */
export function parseTargets(written: string, kinds?: readonly TargetKind[]): ExportTarget[] {
  const targets = written.split(/\s+/).filter(Boolean).map(parseTarget);
  if (targets.length > MAX_TARGETS) {
    throw invalid(`${targets.length} exporters`, 'are too many', `at most ${MAX_TARGETS}`);
  }
  const names = new Set<string>();
  for (const { name, url, kind } of targets) {
    if (kinds !== undefined && !kinds.includes(kind)) throw invalid(url, 'is of another kind', kinds.join(', '));
    if (names.has(name)) throw invalid(url, `has the name of another one: ${name}`, 'another #name=');
    names.add(name);
  }
  return targets;
}

function parseTarget(url: string): ExportTarget {
  const [, schemeName = '', slashes, behind = '', fragment = ''] =
    /^([a-z+]+):(\/\/)?([^#]*)(?:#(.*))?$/.exec(url) ?? [];
  const scheme = Object.hasOwn(SCHEMES, schemeName) ? SCHEMES[schemeName] : undefined;
  if (scheme === undefined) throw invalid(url, 'begins with no known scheme', Object.keys(SCHEMES).join(', '));
  const options = readOptions(fragment, scheme, (field, found, expected): never => {
    throw invalid(url, `#${field} is invalid`, expected, found);
  });
  const common = { ...options, kind: scheme.kind, transport: scheme.transport, url };
  if (scheme.kind === 'journald') return { ...common, ...local(url, behind === '' ? JOURNAL_SOCKET : behind) };
  if (slashes === undefined) throw invalid(url, 'has no //', `${schemeName}://...`);
  if (scheme.transport === 'file' || scheme.transport === 'unix') return { ...common, ...local(url, behind) };
  const place = remote(url, scheme, behind);
  if (options.headersFile !== undefined && scheme.transport === 'http' && !isLoopback(place.host)) {
    const expected = `${scheme.kind}+https, or a loopback address`;
    throw invalid(url, '#headers would be sent over the network for all to read', expected, undefined, 'headers');
  }
  return { ...common, ...place };
}

function local(url: string, path: string): Pick<ExportTarget, 'host' | 'port' | 'path'> {
  if (!isAbsolute(path) || normalize(path) !== path || path.endsWith('/') || path.includes('\0')) {
    throw invalid(url, 'does not name a file', 'an absolute path without . and ..');
  }
  return { host: '', port: 0, path };
}

function remote(url: string, scheme: Scheme, behind: string): Pick<ExportTarget, 'host' | 'port' | 'path'> {
  const [authority = '', ...rest] = behind.split(/(?=[/?])/);
  const path = rest.join('');
  if (authority.includes('@')) throw invalid(url, 'has a user or password in it', 'a file, with #headers= or #secret=');
  const [, v6, name, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const host = v6 ?? name ?? '';
  const port = digits === undefined ? (scheme.port as number) : Number(digits);
  if (!(v6 === undefined ? isHostName(host) : isIP(v6) === 6))
    throw invalid(url, 'names no host', 'a name or an address');
  if (port < 1 || port > 65535) throw invalid(url, 'has no such port', '1 to 65535');
  const isHttp = scheme.transport === 'http' || scheme.transport === 'https';
  if (!isHttp && path !== '' && path !== '/') throw invalid(url, 'has a path', 'a host and a port alone');
  if (!/^[\x21-\x7e]*$/.test(path)) throw invalid(url, 'has a path that is not encoded', 'printable ASCII');
  if (scheme.kind === 'webhook' && scheme.transport === 'http' && !isLoopback(host)) {
    throw invalid(url, 'would send flow logs over the network for all to read', 'webhook+https, or a loopback address');
  }
  return { host, port, path };
}

function isHostName(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4;
  return (
    host.length <= 253 && host.split('.').every((label) => /^[a-zA-Z\d_]([a-zA-Z\d_-]{0,61}[a-zA-Z\d_])?$/.test(label))
  );
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function invalid(url: string, what: string, expected: string, found?: string, field?: string): DataplaneError {
  return new DataplaneError('INVALID_FIELD', what, {
    operation: 'read',
    target: `exporter ${quoteValue(showUrls(url))}`,
    field,
    found: found === undefined ? undefined : quoteValue(found),
    expected,
    hint: 'docs/observability.md',
  });
}
