// What the kernel holds for Tortie: flows, compiled policy, maps, and what its programs cost.
import { type Families, onceEachScrape } from './families.ts';
import { FLOW_AGES, type MetricsSource } from './source.ts';

type KernelSource = Pick<MetricsSource, 'flowTable' | 'tables' | 'maps' | 'programs' | 'isCountingRuns'>;

export function addKernelMetrics(families: Families, source: KernelSource): void {
  addFlowMetrics(families, source);
  addMapMetrics(families, source);
  addProgramMetrics(families, source);
}

function addFlowMetrics(families: Families, source: KernelSource): void {
  families.gauges({
    tortie_flows: {
      help: 'Live flows by protocol and state',
      labels: ['protocol', 'state'],
      read: () => source.flowTable().flows.map(({ protocol, state, flows }) => [protocol, state, flows] as const),
    },
    tortie_flow_table_flows: { help: 'Live flows', read: () => liveFlows(source) },
    tortie_flow_table_capacity: { help: 'Flows that there is room for', read: () => source.flowTable().capacity },
    tortie_flows_older_than: {
      help: 'Live flows that began longer ago than so many seconds',
      labels: ['seconds'],
      read: () => FLOW_AGES.map((seconds, at) => [String(seconds), source.flowTable().olderThan[at] ?? 0] as const),
    },
  });
}

/** Of every protocol and state. */
export function liveFlows({ flowTable }: Pick<MetricsSource, 'flowTable'>): number {
  return flowTable().flows.reduce((sum, { flows }) => sum + flows, 0);
}

function addMapMetrics(families: Families, source: KernelSource): void {
  const maps = onceEachScrape(() => [...source.maps()]);
  const tables = onceEachScrape(() => [...source.tables()]);
  families.gauges({
    tortie_map_memory_bytes: {
      help: 'Kernel memory of a map',
      labels: ['map'],
      read: () => maps().map(({ name, bytes }) => [name, bytes] as const),
    },
    tortie_map_max_entries: {
      help: 'Entries that a map has room for',
      labels: ['map'],
      read: () => maps().map(({ name, maxEntries }) => [name, maxEntries] as const),
    },
    tortie_map_entries: {
      help: 'Entries of a map that is no array',
      labels: ['map'],
      read: () => maps().flatMap(({ name, entries }) => (entries === undefined ? [] : [[name, entries] as const])),
    },
    tortie_table_used_bytes: {
      help: 'Bytes of compiled policy in a map',
      labels: ['table'],
      read: () => tables().map(({ name, usedBytes }) => [name, usedBytes] as const),
    },
    tortie_table_capacity_bytes: {
      help: 'Bytes of compiled policy that a map has room for',
      labels: ['table'],
      read: () => tables().map(({ name, capacityBytes }) => [name, capacityBytes] as const),
    },
  });
}

function addProgramMetrics(families: Families, source: KernelSource): void {
  const programs = onceEachScrape(() => [...source.programs()]);
  families.gauges({
    tortie_bpf_stats_enabled: {
      help: '1 while the kernel counts runs of programs: kernel.bpf_stats_enabled',
      read: () => Number(source.isCountingRuns()),
    },
  });
  families.counters({
    tortie_bpf_runs_total: {
      help: 'Runs of a program',
      labels: ['program'],
      read: () => programs().map(({ name, runs }) => [name, runs] as const),
    },
    tortie_bpf_run_seconds_total: {
      help: 'Time that runs of a program took',
      labels: ['program'],
      read: () => programs().map(({ name, runSeconds }) => [name, runSeconds] as const),
    },
  });
}
