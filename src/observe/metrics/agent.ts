// The agent itself: how far policy is in force, what keeps it from being so, and what its process costs.
import { type Families, onceEachScrape } from './families.ts';
import type { MetricsSource } from './source.ts';

export function addAgentMetrics(families: Families, source: MetricsSource): void {
  families.gauges({
    tortie_agent_info: {
      help: 'The agent: always 1',
      labels: ['version', 'node'],
      read: () => [[source.version, source.node, 1]],
    },
    tortie_policy_generation: { help: 'Counts changes of the policy in force', read: () => source.generation() },
    tortie_in_sync: {
      help: '1 when the kernel enforces all accepted manifests',
      read: () => Number(source.isInSync()),
    },
    tortie_loading: {
      help: '1 while manifests are loaded that the kernel enforces already',
      read: () => Number(source.isLoading()),
    },
    tortie_endpoints: {
      help: 'Local workload endpoints by state',
      labels: ['state'],
      read: () => source.endpointStates(),
    },
    tortie_degraded: {
      help: '1 for each reason why the agent is degraded',
      labels: ['reason'],
      read: () => [...new Set(source.conditions())].map((reason) => [reason, 1] as const),
    },
    tortie_degraded_reasons: {
      help: 'Reasons why the agent is degraded: 0 = it is not',
      read: () => new Set(source.conditions()).size,
    },
  });
  families.counters({
    tortie_repairs_total: {
      help: 'What others changed in the kernel and the agent put right',
      labels: ['cause'],
      read: () => source.repairs(),
    },
  });
  addProcessMetrics(families, source);
}

/** Named as every client library names them. */
function addProcessMetrics(families: Families, source: MetricsSource): void {
  const process = onceEachScrape(() => source.process());
  families.counters({
    process_cpu_seconds_total: {
      help: 'Processor time of the agent',
      read: () => process().userSeconds + process().systemSeconds,
    },
  });
  families.gauges({
    process_start_time_seconds: {
      help: 'When the agent began, in seconds since 1970',
      read: () => process().startTime,
    },
    process_resident_memory_bytes: { help: 'Memory of the agent', read: () => process().residentBytes },
    nodejs_heap_size_used_bytes: {
      help: 'Memory of the agent in objects of JavaScript',
      read: () => process().heapUsedBytes,
    },
    process_open_fds: { help: 'Open file descriptors of the agent', read: () => process().openDescriptors },
    process_max_fds: {
      help: 'File descriptors that the agent may have open',
      read: () => process().maxDescriptors,
    },
  });
}
