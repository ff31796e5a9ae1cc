// The items of a support bundle: what the agent says, what this machine lists, what the doctor finds.
import { arch, hostname, release, uptime, version } from 'node:os';
import { DEFAULT_CONFIG_FILE } from '../config/config-file.ts';
import { readConfiguration } from '../lifecycle.ts';
import { VERSION } from '../version.ts';
import type { BundleItem } from './bundle.ts';
import type { Finding, Places } from './finding.ts';
import { type AskAgent, outputOf } from './machine.ts';

const LOG_LINES = 5000;
const HISTORY_HEADS = 50;

export interface BundleSources {
  readonly places: Places;
  readonly ask: AskAgent;
  readonly findings: () => Promise<readonly Finding[]>;
  readonly withManifests: boolean;
  /** Log of an agent that does not write to the journal; undefined = it does. */
  readonly logFile: string | undefined;
  readonly readLog: (path: string) => string | undefined;
}

export function bundleItems(sources: BundleSources): BundleItem[] {
  const { ask, findings, withManifests } = sources;
  const data = (name: string, what: string, read: () => unknown): BundleItem => ({ name, what, keep: 'head', read });
  return [
    data('versions.json', 'of tortie, node and the kernel', versions),
    data('doctor.json', 'what tortie doctor finds', findings),
    data('status.json', 'what the agent says of itself', () => ask('/v1/status')),
    data('config.json', 'settings with their sources', async () => (await ask('/v1/config')) ?? offlineConfiguration()),
    data('tables.json', 'sizes and fill of all tables', () => ask('/v1/tables')),
    data('metrics.txt', 'counters, as Prometheus reads them', () => ask('/metrics')),
    data('history.json', 'the last changes, without what they changed', () => ask(`/history?limit=${HISTORY_HEADS}`)),
    { name: 'log.txt', what: 'the last lines of the log', keep: 'tail', read: () => logOf(sources) },
    ...listings(),
    ...(withManifests ? [data('manifests.json', 'resources in force', () => ask('/v1/manifests'))] : []),
  ];
}

function versions(): Record<string, unknown> {
  return {
    tortie: VERSION,
    node: process.version,
    kernel: release(),
    system: version(),
    machine: arch(),
    host: hostname(),
    uptimeSeconds: Math.round(uptime()),
    time: new Date().toISOString(),
  };
}

function offlineConfiguration(): unknown {
  const file = { path: DEFAULT_CONFIG_FILE, isRequired: false };
  return readConfiguration({ flags: new Map(), environment: process.env, file }).report();
}

async function logOf({ logFile, readLog }: BundleSources): Promise<string | undefined> {
  if (logFile !== undefined) return readLog(logFile)?.split('\n').slice(-LOG_LINES).join('\n');
  const text = await outputOf('journalctl', '--unit', 'tortie', '--lines', String(LOG_LINES), '--output', 'cat');
  return text === '' ? undefined : text;
}

/** By file name, what this machine lists of its network. */
const LISTINGS: Readonly<Record<string, readonly string[]>> = {
  'ip-link.txt': ['ip', '-details', 'link'],
  'ip-address.txt': ['ip', 'address'],
  'ip-route.txt': ['ip', 'route', 'show', 'table', 'all'],
  'ip-6-route.txt': ['ip', '-6', 'route', 'show', 'table', 'all'],
  'ip-rule.txt': ['ip', 'rule'],
  'ip-neighbour.txt': ['ip', 'neighbour'],
  'tc-qdisc.txt': ['tc', 'qdisc'],
  'nft-ruleset.txt': ['nft', 'list', 'ruleset'],
  'iptables.txt': ['iptables-save'],
  'ip6tables.txt': ['ip6tables-save'],
  'sysctl-net.txt': ['sysctl', '--all', '--pattern', '^net\\.(ipv4|ipv6)\\.(ip_forward|conf\\.(all|default))'],
  'bpftool-net.txt': ['bpftool', 'net'],
};

function listings(): BundleItem[] {
  return Object.entries(LISTINGS).map(([name, argv]) => {
    return { name, what: argv.join(' '), keep: 'head', read: () => outputOf(...argv) };
  });
}
