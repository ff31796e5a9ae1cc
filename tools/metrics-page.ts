// docs/metrics.md: every metric of the agent, as its own registry has them.
import { NO_LOSS } from '../src/observe/flows/flow-hub.ts';
import { addCaptureMetrics } from '../src/observe/metrics/captures.ts';
import { addExportMetrics } from '../src/observe/metrics/exports.ts';
import { addFlowLogMetrics } from '../src/observe/metrics/flow-logs.ts';
import { Instruments } from '../src/observe/metrics/instruments.ts';
import type { MetricsSource } from '../src/observe/metrics/source.ts';
import { createMetrics } from '../src/observe/metrics.ts';

export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** What the registry keeps of a metric besides what its type says. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

const NOTHING = { hosts: 0, hostEndpoints: 0, workloadEndpoints: 0, policies: 0, stagedPolicies: 0, profiles: 0 };
const NO_AGENT: MetricsSource = {
  version: '',
  node: '',
  counters: () => new Map(),
  guard: () => ({ counters: new Map(), prefixes: 0, interfaces: new Map() }),
  flowTable: () => ({ capacity: 0, flows: [], olderThan: [] }),
  tables: () => [],
  maps: () => [],
  programs: () => [],
  isCountingRuns: () => false,
  generation: () => 0,
  isInSync: () => true,
  isLoading: () => false,
  endpointStates: () => new Map(),
  conditions: () => [],
  repairs: () => [],
  inventory: () => ({ ...NOTHING, tiers: 0, localPolicies: 0 }),
  process: () => ({
    userSeconds: 0,
    systemSeconds: 0,
    residentBytes: 0,
    heapUsedBytes: 0,
    openDescriptors: 0,
    maxDescriptors: 0,
    startTime: 0,
  }),
};

/** By name. */
export function describeMetrics(): MetricDescription[] {
  const instruments = new Instruments('off', () => 0);
  addExportMetrics(instruments.registry, () => ({
    exporters: [],
    packetLog: { lines: 0, suppressed: 0, exporters: [] },
  }));
  addFlowLogMetrics(
    instruments.registry,
    { lost: NO_LOSS, leftOut: { 'slow-reader': 0, 'too-many-keys': 0 }, published: 0 },
    () => ({
      handedOver: 0,
      lost: 0,
      notWritten: 0,
      overflowed: 0,
      waiting: 0,
    }),
  );
  addCaptureMetrics(instruments.registry, () => ({ captured: 0, suppressed: 0, lost: 0 }));
  const registry = createMetrics(NO_AGENT, instruments);
  return (registry.getMetricsAsArray() as unknown as Registered[])
    .map(({ name, type, help, labelNames }) => ({
      name,
      type,
      help,
      // A summary's quantile is among its own.
      labels: labelNames.filter((label) => label !== 'quantile'),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function metricsPage(banner: string): string {
  const metrics = describeMetrics();
  const isFelix = ({ name }: MetricDescription): boolean => name.startsWith('felix_');
  return [
    '# Metrics',
    banner,
    'Every metric of the agent. How they are read, and what to make of them, is in [observability](observability.md).',
    '',
    ...table(metrics.filter((metric) => !isFelix(metric))),
    '',
    '## Under the names that Felix has for them',
    '',
    'With the same meaning, for dashboards and alerts that exist. What Tortie has nothing like is left out.',
    '',
    ...table(metrics.filter(isFelix)),
    '',
  ].join('\n');
}

function table(metrics: readonly MetricDescription[]): string[] {
  const rows = metrics.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.replaceAll('|', '\\|')} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows];
}
