// Every setting of the agent, once: its names in the configuration file, the environment and the flags, its type, default and
// meaning, whether it can change while the agent runs, and the FelixConfiguration field that stands for it. Flags, the file's
// reader, `tortie config` and docs/configuration.md follow from this table.
import { join } from 'node:path';
import { DEFAULT_MAP_SIZES } from '../../kernel/object.ts';
import { DEFAULT_BPFFS } from '../../kernel/pins.ts';
import { HIT_DETAILS } from '../../observe/metrics/policy-hits.ts';
import { MAX_HEAP_WORDS, MAX_V6_NODES, MIN_HEAP_WORDS } from '../../tables/compiler.ts';
import { AUTO } from '../block/guard-choice.ts';
import { DEFAULT_LISTENER_RATE, DEFAULT_SOURCE_RATE, SYN_OFF } from '../block/syn-settings.ts';
import { DEFAULT_LIMITS, limitsByName } from '../limits.ts';
import { DEFAULT_MANIFESTS, DEFAULT_SOCKET, DEFAULT_STATE_DIRECTORY } from '../places.ts';
import { EXPORT_SETTINGS } from './export-settings.ts';
import { metricsAddressOf, secondsOf } from './felix-values.ts';
import { type Setting, setting } from './setting.ts';
import {
  choice,
  interfacePatterns,
  interfacePrefixes,
  listenAddress,
  optionalPath,
  path,
  protectedPorts,
  text,
  wholeNumber,
} from './value-type.ts';

const SEVERITIES: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error'>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
};

/** By name in the configuration file. */
export const SETTINGS = {
  manifests: setting({
    flag: '--manifests',
    variable: 'TORTIE_MANIFESTS',
    type: path(),
    default: DEFAULT_MANIFESTS,
    meaning: 'directory of manifests, the datastore',
    change: 'restart',
  }),
  node: setting({
    flag: '--node',
    variable: 'TORTIE_NODE',
    type: text('name', 'the name of a node, or *'),
    default: '*',
    meaning: 'treat only workload endpoints of this node as local; * = all',
    change: 'restart',
  }),
  bpffs: setting({
    flag: '--bpffs',
    variable: 'TORTIE_BPFFS',
    type: path(),
    default: DEFAULT_BPFFS,
    meaning: 'mount point of the BPF file system',
    change: 'restart',
  }),
  pinRoot: setting({
    flag: '--pin-root',
    variable: 'TORTIE_PIN_ROOT',
    type: path(),
    default: (above) => join(String(above.get('bpffs')), 'tortie'),
    meaning: 'directory in bpffs for everything that is pinned; <bpffs>/tortie unless given',
    change: 'restart',
  }),
  stateDirectory: setting({
    flag: '--state-dir',
    variable: 'TORTIE_STATE_DIR',
    type: path(),
    default: DEFAULT_STATE_DIRECTORY,
    meaning: 'where the agent keeps what must survive it',
    change: 'restart',
  }),
  socket: setting({
    flag: '--socket',
    variable: 'TORTIE_SOCKET',
    type: path('path'),
    default: DEFAULT_SOCKET,
    meaning: "the agent's socket",
    change: 'restart',
  }),
  apiAddress: setting({
    flag: '--api-address',
    variable: 'TORTIE_API_ADDRESS',
    type: listenAddress(),
    default: '',
    meaning:
      'answer other machines here too, by TLS and only those with a certificate of --api-client-authority; empty = none',
    change: 'restart',
  }),
  apiCertificate: setting({
    flag: '--api-certificate',
    variable: 'TORTIE_API_CERTIFICATE',
    type: optionalPath(),
    default: '',
    meaning: 'PEM file with the certificate that other machines are shown, and those it follows from',
    change: 'restart',
  }),
  apiKey: setting({
    flag: '--api-key',
    variable: 'TORTIE_API_KEY',
    type: optionalPath(),
    default: '',
    meaning: 'PEM file with the key of that certificate',
    change: 'restart',
  }),
  apiClientAuthority: setting({
    flag: '--api-client-authority',
    variable: 'TORTIE_API_CLIENT_AUTHORITY',
    type: optionalPath(),
    default: '',
    meaning: 'PEM file with the authority whose certificates clients on other machines must have',
    change: 'restart',
  }),
  metricsAddress: setting({
    flag: '--metrics-address',
    variable: 'TORTIE_METRICS_ADDRESS',
    type: listenAddress(),
    default: '',
    meaning:
      'answer GET /metrics here, without TLS and whoever asks, and nothing else; empty = only where the API is answered',
    change: 'restart',
    felix: {
      field: 'prometheusMetricsEnabled',
      others: ['prometheusMetricsHost', 'prometheusMetricsPort'],
      read: metricsAddressOf,
      unless: 'metrics are answered at an IP address and a port, and with TLS by the listener of apiAddress alone',
      meaning:
        'true = at that host, an IP address, and port; no host = everywhere, no port = 9091; nowhere where TLS is asked for',
    },
  }),
  metricsHits: setting({
    flag: '--metrics-hits',
    variable: 'TORTIE_METRICS_HITS',
    type: choice(HIT_DETAILS),
    default: 'off',
    meaning:
      'count how often each policy, or each rule, decides about new flows and denied packets: off, policy or rule; 5000 series at most',
    change: 'restart',
  }),
  attach: setting({
    flag: '--attach',
    variable: 'TORTIE_ATTACH',
    type: choice(['auto', 'tcx', 'clsact']),
    default: 'auto',
    meaning: 'how programs are attached; auto = tcx where the kernel has it',
    change: 'restart',
    felix: {
      field: 'bpfAttachType',
      read: (value) => (value === 'TCX' ? 'tcx' : value === 'TC' ? 'clsact' : 'auto'),
      meaning: 'TCX = tcx, TC = clsact, Netkit = auto',
    },
  }),
  established: setting({
    flag: '--established',
    variable: 'TORTIE_ESTABLISHED',
    type: choice(['revalidate', 'keep']),
    default: 'revalidate',
    meaning: 'flows that a policy change no longer allows: revalidate stops them, keep lets them end',
    change: 'live',
  }),
  onDeny: setting({
    flag: '--on-deny',
    variable: 'TORTIE_ON_DENY',
    type: choice(['drop', 'reset']),
    default: 'drop',
    meaning:
      'TCP connections of workloads that a policy change stops: drop leaves both ends to their timeouts, reset sends each a RST',
    change: 'live',
  }),
  interfacePrefix: setting({
    flag: '--interface-prefix',
    variable: 'TORTIE_INTERFACE_PREFIX',
    type: interfacePrefixes(),
    default: 'cali',
    meaning:
      'interfaces whose name begins with one of these, separated by commas, drop everything until an endpoint claims them; empty = none',
    change: 'live',
    felix: { field: 'interfacePrefix', read: String },
  }),
  guardInterfaces: setting({
    flag: '--guard-interfaces',
    variable: 'TORTIE_GUARD_INTERFACES',
    type: interfacePatterns(),
    default: AUTO,
    meaning:
      'interfaces on which blocked sources are dropped: names separated by commas, * for any characters; auto = those with a default route, while something is blocked; empty = none',
    change: 'live',
  }),
  synProtection: setting({
    flag: '--syn-protection',
    variable: 'TORTIE_SYN_PROTECTION',
    type: protectedPorts(),
    default: SYN_OFF,
    meaning:
      'listening sockets of this host that floods of new TCP connections are kept from, on guarded interfaces: auto = all but BGP, or ports and ranges of ports separated by commas; off = none',
    change: 'live',
  }),
  synSourceRate: setting({
    flag: '--syn-source-rate',
    variable: 'TORTIE_SYN_SOURCE_RATE',
    type: wholeNumber(0, 2 ** 32 - 1),
    default: DEFAULT_SOURCE_RATE,
    unit: 'SYNs per second',
    meaning: 'new TCP connections from one IPv4 address or IPv6 /64, above which they are dropped; 0 = any number',
    change: 'live',
  }),
  synListenerRate: setting({
    flag: '--syn-listener-rate',
    variable: 'TORTIE_SYN_LISTENER_RATE',
    type: wholeNumber(0, 2 ** 32 - 1),
    default: DEFAULT_LISTENER_RATE,
    unit: 'SYNs per second',
    meaning:
      'new TCP connections to one listening socket, above which they are answered with SYN cookies before the stack',
    change: 'live',
  }),
  eventBudget: setting({
    flag: '--event-budget',
    variable: 'TORTIE_EVENT_BUDGET',
    type: wholeNumber(0, 2 ** 32 - 1),
    default: 1000,
    unit: 'events per CPU and second',
    meaning: 'deny, drop and log events per CPU and second; 0 = unlimited',
    change: 'live',
  }),
  auditSeconds: setting({
    flag: '--audit-seconds',
    variable: 'TORTIE_AUDIT_SECONDS',
    type: wholeNumber(1, 3600),
    default: 5,
    unit: 'seconds',
    meaning:
      'how often programs, pins and tables are looked at, for what the kernel does not tell of: somebody may take them away',
    change: 'live',
  }),
  flowLogs: setting({
    flag: '--flow-logs',
    variable: 'TORTIE_FLOW_LOGS',
    type: choice(['on', 'off']),
    default: 'on',
    meaning: 'whether flows are counted for the flow store, exporters and `tortie flows`; off, nothing is read of them',
    change: 'live',
  }),
  flowLogsInterval: setting({
    flag: '--flow-logs-interval',
    variable: 'TORTIE_FLOW_LOGS_INTERVAL',
    type: wholeNumber(1, 3600),
    default: 5,
    unit: 'seconds',
    meaning: 'how often what is new of each flow is read: so old a record may be',
    change: 'live',
    felix: {
      field: 'flowLogsFlushInterval',
      read: (value) => Math.min(Math.max(Math.round(secondsOf(String(value))), 1), 3600),
      meaning: 'in whole seconds, brought into the range',
    },
  }),
  flowStore: setting({
    flag: '--flow-store',
    variable: 'TORTIE_FLOW_STORE',
    type: choice(['off', 'aggregated', 'all']),
    default: 'aggregated',
    meaning:
      'flows that are kept in the state directory, to be asked for later: aggregated = one record for flows of one key and 15 seconds, all = every record, off = none',
    change: 'live',
  }),
  flowStoreDays: setting({
    flag: '--flow-store-days',
    variable: 'TORTIE_FLOW_STORE_DAYS',
    type: wholeNumber(1, 3650),
    default: 7,
    unit: 'days',
    meaning: 'how long flows are kept',
    change: 'live',
  }),
  flowStoreBytes: setting({
    flag: '--flow-store-bytes',
    variable: 'TORTIE_FLOW_STORE_BYTES',
    type: wholeNumber(16 * 1024 * 1024, 2 ** 42),
    default: 1024 * 1024 * 1024,
    unit: 'bytes',
    meaning: 'how much of the disk kept flows may take; the oldest go first',
    change: 'live',
  }),
  ...EXPORT_SETTINGS,
  maxFlows: setting({
    flag: '--max-flows',
    variable: 'TORTIE_MAX_FLOWS',
    type: wholeNumber(1024, 2 ** 24),
    default: DEFAULT_MAP_SIZES.flows,
    unit: 'flows',
    meaning: 'entries of the flow table',
    change: 'cleanup',
    felix: {
      field: 'bpfMapSizeConntrack',
      read: (value) => Math.min(Math.max(Number(value), 1024), 2 ** 24),
      meaning: 'brought into the range',
    },
  }),
  heapWords: setting({
    flag: '--heap-words',
    variable: 'TORTIE_HEAP_WORDS',
    type: wholeNumber(MIN_HEAP_WORDS, MAX_HEAP_WORDS),
    default: DEFAULT_MAP_SIZES.heapWords,
    unit: '32-bit words',
    meaning: '32-bit words of compiled policy',
    change: 'cleanup',
  }),
  v6Nodes: setting({
    flag: '--v6-nodes',
    variable: 'TORTIE_V6_NODES',
    type: wholeNumber(64, MAX_V6_NODES),
    default: DEFAULT_MAP_SIZES.v6Nodes,
    unit: 'nodes',
    meaning: 'nodes of the IPv6 address table',
    change: 'cleanup',
  }),
  logLevel: setting({
    flag: '--log-level',
    variable: 'TORTIE_LOG_LEVEL',
    type: choice(['debug', 'info', 'warn', 'error']),
    default: 'info',
    meaning: 'least severe lines to log',
    change: 'live',
    felix: {
      field: 'logSeverityScreen',
      read: (value) => SEVERITIES[String(value).toLowerCase()] ?? 'info',
      meaning: 'Trace = debug, Warning = warn, Fatal = error',
    },
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
/** The value of each setting but the limits. */
export type SettingValues = {
  readonly [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never;
};

/** Names of limits in the configuration file are those of docs/limits.md, below this key. */
export const LIMITS_KEY = 'limits';
export const LIMIT_FLAG = '--limit';

function limitSetting(name: string, value: number): Setting {
  return {
    flag: `${LIMIT_FLAG} ${name}`,
    variable: `TORTIE_LIMIT_${name.toUpperCase().replaceAll('-', '_')}`,
    type: wholeNumber(1),
    default: value,
    meaning: 'how much of it policy may cost before it is refused: docs/limits.md',
    change: 'restart',
  };
}

/** All of them by name, limits as `limits.<name>`; each after those that its default follows from. */
export const ALL_SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ...(Object.entries(SETTINGS) as [string, Setting][]),
  ...[...limitsByName(DEFAULT_LIMITS)].map(
    ([name, value]) => [`${LIMITS_KEY}.${name}`, limitSetting(name, value)] as const,
  ),
]);
