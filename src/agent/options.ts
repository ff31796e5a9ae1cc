// What the agent can be told, with the defaults.
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import type { LogLevel } from '../base/log.ts';
import type { AttachMode } from '../kernel/attachment.ts';
import { DEFAULT_MAP_SIZES, type MapSizes } from '../kernel/object.ts';
import { DEFAULT_BPFFS } from '../kernel/pins.ts';
import type { HitDetail } from '../observe/metrics/policy-hits.ts';
import { AUTO } from './block/guard-choice.ts';
import { DEFAULT_LISTENER_RATE, DEFAULT_SOURCE_RATE, SYN_OFF } from './block/syn-settings.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { DEFAULT_MANIFESTS, DEFAULT_SOCKET, DEFAULT_STATE_DIRECTORY } from './places.ts';

export interface AgentOptions {
  readonly manifests: string;
  /** Workload endpoints of this node are enforced; `*` = of every node. */
  readonly node: string;
  readonly bpffs: string;
  readonly pinRoot: string;
  readonly stateDirectory: string;
  readonly socket: string;
  readonly attachMode: AttachMode | 'auto';
  /** What a policy change does to flows it would not have allowed. */
  readonly established: 'revalidate' | 'keep';
  /** What both ends of a TCP connection are told that policy has come to deny. */
  readonly onDeny: 'drop' | 'reset';
  /** Interfaces with one of these prefixes, separated by commas, drop everything until an endpoint claims them; '' = none. */
  readonly interfacePrefix: string;
  /** Interfaces on which blocked sources are dropped: patterns separated by commas, auto, or '' = none. */
  readonly guardInterfaces: string;
  /** For which ports new TCP connections are counted: off, auto, or ports. */
  readonly synProtection: string;
  /** SYNs a second from one source, above which they are dropped; 0 = any number. */
  readonly synSourceRate: number;
  /** SYNs a second for one listening socket, above which they are answered with cookies. */
  readonly synListenerRate: number;
  /** Flows that are kept: none, those of one key and 15 seconds as one, or every record. */
  readonly flowStore: 'off' | 'aggregated' | 'all';
  readonly flowStoreDays: number;
  readonly flowStoreBytes: number;
  /** Whether counts of flows are told, and how many seconds apart. */
  readonly flowLogs: 'on' | 'off';
  readonly flowLogsInterval: number;
  /** Deny, drop and log events per CPU and second. */
  readonly eventBudget: number;
  /** Between two looks at what somebody may have taken off without a word. */
  readonly auditSeconds: number;
  /** Whether hits of policies are counted, and how finely. */
  readonly metricsHits: HitDetail;
  readonly logLevel: LogLevel;
  readonly sizes: MapSizes;
  /** What policy may cost before it is refused. */
  readonly limits: Limits;
}

/** What can change while the agent runs. */
export type LiveOptions = Pick<
  AgentOptions,
  | 'established'
  | 'onDeny'
  | 'interfacePrefix'
  | 'guardInterfaces'
  | 'synProtection'
  | 'synSourceRate'
  | 'synListenerRate'
  | 'flowStore'
  | 'flowStoreDays'
  | 'flowStoreBytes'
  | 'flowLogs'
  | 'flowLogsInterval'
  | 'eventBudget'
  | 'auditSeconds'
>;

/** Fills in defaults. */
export function completeOptions(given: Partial<AgentOptions>): AgentOptions {
  const bpffs = given.bpffs ?? DEFAULT_BPFFS;
  return {
    manifests: given.manifests ?? DEFAULT_MANIFESTS,
    node: given.node ?? '*',
    bpffs,
    pinRoot: given.pinRoot ?? join(bpffs, 'tortie'),
    stateDirectory: given.stateDirectory ?? DEFAULT_STATE_DIRECTORY,
    socket: given.socket ?? DEFAULT_SOCKET,
    attachMode: given.attachMode ?? 'auto',
    established: given.established ?? 'revalidate',
    onDeny: given.onDeny ?? 'drop',
    interfacePrefix: given.interfacePrefix ?? 'cali',
    guardInterfaces: given.guardInterfaces ?? AUTO,
    synProtection: given.synProtection ?? SYN_OFF,
    synSourceRate: given.synSourceRate ?? DEFAULT_SOURCE_RATE,
    synListenerRate: given.synListenerRate ?? DEFAULT_LISTENER_RATE,
    flowStore: given.flowStore ?? 'aggregated',
    flowStoreDays: given.flowStoreDays ?? 7,
    flowStoreBytes: given.flowStoreBytes ?? 1024 * 1024 * 1024,
    flowLogs: given.flowLogs ?? 'on',
    flowLogsInterval: given.flowLogsInterval ?? 5,
    eventBudget: given.eventBudget ?? 1000,
    auditSeconds: given.auditSeconds ?? 5,
    metricsHits: given.metricsHits ?? 'off',
    logLevel: given.logLevel ?? 'info',
    sizes: { ...DEFAULT_MAP_SIZES, ...given.sizes },
    limits: given.limits ?? DEFAULT_LIMITS,
  };
}

/** What the programs go by besides policy. */
export function toStateSettings({
  established,
  onDeny,
  eventBudget,
  flowLogs,
}: Pick<AgentOptions, 'established' | 'onDeny' | 'eventBudget' | 'flowLogs'>): {
  readonly keepEstablished: boolean;
  readonly resetRevoked: boolean;
  readonly eventBudget: number;
  readonly flowLogs: boolean;
} {
  return {
    keepEstablished: established === 'keep',
    resetRevoked: onDeny === 'reset',
    eventBudget,
    flowLogs: flowLogs === 'on',
  };
}

/** Whether an endpoint of that node is this agent's. */
export function isLocalNode(node: string): (endpoint: { readonly node: string }) => boolean {
  return (endpoint) => node === '*' || endpoint.node === node;
}

/** Without it a typing error in the path, or a mode, would put an empty policy in force. Throws FILE_UNREADABLE. */
export function requireDirectory(path: string): void {
  const refuse = (what: string, hint: string, cause?: unknown): DataplaneError =>
    new DataplaneError('FILE_UNREADABLE', what, { operation: 'start agent', target: path, hint, cause });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw refuse('is not a directory', 'create it, or name another with --manifests');
  }
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw refuse(`cannot be read: ${code}`, 'the user that the agent runs as must be able to list and open it', cause);
  }
}
