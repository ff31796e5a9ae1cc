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
  families.gauges('tortie_flows', 'Live flows by protocol and state', ['protocol', 'state'], () =>
    source.flowTable().flows.map(({ protocol, state, flows }) => [{ protocol, state }, flows] as const),
  );
  families.gauge('tortie_flow_table_flows', 'Live flows', () =>
    source.flowTable().flows.reduce((sum, { flows }) => sum + flows, 0),
  );
  families.gauge('tortie_flow_table_capacity', 'Flows that there is room for', () => source.flowTable().capacity);
  families.gauges('tortie_flows_older_than', 'Live flows that began longer ago than so many seconds', ['seconds'], () =>
    FLOW_AGES.map((seconds, at) => [{ seconds: String(seconds) }, source.flowTable().olderThan[at] ?? 0] as const),
  );
}

function addMapMetrics(families: Families, source: KernelSource): void {
  const maps = onceEachScrape(() => [...source.maps()]);
  families.gauges('tortie_map_memory_bytes', 'Kernel memory of a map', ['map'], () =>
    maps().map(({ name, bytes }) => [{ map: name }, bytes] as const),
  );
  families.gauges('tortie_map_max_entries', 'Entries that a map has room for', ['map'], () =>
    maps().map(({ name, maxEntries }) => [{ map: name }, maxEntries] as const),
  );
  families.gauges('tortie_map_entries', 'Entries of a map that is no array', ['map'], () =>
    maps().flatMap(({ name, entries }) => (entries === undefined ? [] : [[{ map: name }, entries] as const])),
  );
  const tables = onceEachScrape(() => [...source.tables()]);
  families.gauges('tortie_table_used_bytes', 'Bytes of compiled policy in a map', ['table'], () =>
    tables().map(({ name, usedBytes }) => [{ table: name }, usedBytes] as const),
  );
  families.gauges('tortie_table_capacity_bytes', 'Bytes of compiled policy that a map has room for', ['table'], () =>
    tables().map(({ name, capacityBytes }) => [{ table: name }, capacityBytes] as const),
  );
}

function addProgramMetrics(families: Families, source: KernelSource): void {
  const programs = onceEachScrape(() => [...source.programs()]);
  families.gauge(
    'tortie_bpf_stats_enabled',
    '1 while the kernel counts runs of programs: kernel.bpf_stats_enabled',
    () => Number(source.isCountingRuns()),
  );
  families.counters('tortie_bpf_runs_total', 'Runs of a program', ['program'], () =>
    programs().map(({ name, runs }) => [{ program: name }, runs] as const),
  );
  families.counters('tortie_bpf_run_seconds_total', 'Time that runs of a program took', ['program'], () =>
    programs().map(({ name, runSeconds }) => [{ program: name }, runSeconds] as const),
  );
}
