// The agent itself: how far policy is in force, what keeps it from being so, and what its process costs.
import { type Families, onceEachScrape } from './families.ts';
import type { MetricsSource } from './source.ts';

export function addAgentMetrics(families: Families, source: MetricsSource): void {
  families.gauges('tortie_agent_info', 'The agent: always 1', ['version', 'node'], () => [
    [{ version: source.version, node: source.node }, 1],
  ]);
  families.gauge('tortie_policy_generation', 'Counts changes of the policy in force', () => source.generation());
  families.gauge('tortie_in_sync', '1 when the kernel enforces all accepted manifests', () =>
    Number(source.isInSync()),
  );
  families.gauge('tortie_loading', '1 while manifests are loaded that the kernel enforces already', () =>
    Number(source.isLoading()),
  );
  families.gauges('tortie_endpoints', 'Local workload endpoints by state', ['state'], () =>
    [...source.endpointStates()].map(([state, count]) => [{ state }, count] as const),
  );
  families.gauges('tortie_degraded', '1 for each reason why the agent is degraded', ['reason'], () =>
    [...new Set(source.conditions())].map((reason) => [{ reason }, 1] as const),
  );
  families.gauge(
    'tortie_degraded_reasons',
    'Reasons why the agent is degraded: 0 = it is not',
    () => new Set(source.conditions()).size,
  );
  families.counters(
    'tortie_repairs_total',
    'What others changed in the kernel and the agent put right',
    ['cause'],
    () => [...source.repairs()].map(([cause, count]) => [{ cause }, count] as const),
  );
  addProcessMetrics(families, source);
}

/** Named as every client library names them. */
function addProcessMetrics(families: Families, source: MetricsSource): void {
  const process = onceEachScrape(() => source.process());
  families.counter('process_cpu_seconds_total', 'Processor time of the agent', () => {
    const { userSeconds, systemSeconds } = process();
    return userSeconds + systemSeconds;
  });
  families.gauge(
    'process_start_time_seconds',
    'When the agent began, in seconds since 1970',
    () => process().startTime,
  );
  families.gauge('process_resident_memory_bytes', 'Memory of the agent', () => process().residentBytes);
  families.gauge(
    'nodejs_heap_size_used_bytes',
    'Memory of the agent in objects of JavaScript',
    () => process().heapUsedBytes,
  );
  families.gauge('process_open_fds', 'Open file descriptors of the agent', () => process().openDescriptors);
  families.gauge('process_max_fds', 'File descriptors that the agent may have open', () => process().maxDescriptors);
}
