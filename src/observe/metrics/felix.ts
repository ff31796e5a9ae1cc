// Metrics under the names that Felix has for them, where what is meant is the same: dashboards and alerts that exist go on
// working. Only those; Tortie has no iptables, no IP sets and no routing tables to count.
import { Counter, Gauge, type Registry, Summary } from 'prom-client';
import { type Families, onceEachScrape } from './families.ts';
import type { EndpointState, MetricsSource } from './source.ts';

/** Felix's numbers of what it knows of the datastore. */
const RESYNC_IN_PROGRESS = 1;
const IN_SYNC = 2;

export function addFelixMetrics(families: Families, source: MetricsSource): void {
  addInventory(families, source);
  addDataplane(families, source);
  families.gauge('felix_resync_state', 'State of the datastore: 1 = being read, 2 = in sync', () =>
    source.isLoading() ? RESYNC_IN_PROGRESS : IN_SYNC,
  );
}

function addInventory(families: Families, source: MetricsSource): void {
  const inventory = onceEachScrape(() => source.inventory());
  const gauge = (name: string, help: string, read: () => number): void => families.gauge(name, help, read);
  gauge('felix_cluster_num_hosts', 'Nodes that have an endpoint', () => inventory().hosts);
  gauge('felix_cluster_num_host_endpoints', 'Host endpoints', () => inventory().hostEndpoints);
  gauge('felix_cluster_num_workload_endpoints', 'Workload endpoints of all nodes', () => inventory().workloadEndpoints);
  gauge('felix_cluster_num_policies', 'Policies that are enforced', () => inventory().policies);
  gauge('felix_cluster_num_profiles', 'Profiles', () => inventory().profiles);
  gauge('felix_cluster_num_tiers', 'Tiers', () => inventory().tiers);
  gauge(
    'felix_active_local_policies',
    'Policies that govern an endpoint of this node',
    () => inventory().localPolicies,
  );
  families.gauges('felix_host', 'The node of this agent: always 1', ['host'], () => [[{ host: source.node }, 1]]);
}

function addDataplane(families: Families, source: MetricsSource): void {
  const count = (...states: readonly EndpointState[]): number => {
    const found = source.endpointStates();
    return states.reduce((sum, state) => sum + (found.get(state) ?? 0), 0);
  };
  const gauge = (name: string, help: string, read: () => number): void => families.gauge(name, help, read);
  gauge('felix_active_local_endpoints', 'Workload endpoints of this node', () => count('ready', 'waiting', 'error'));
  gauge('felix_bpf_dataplane_endpoints', 'Workload endpoints that are programmed, or ought to be', () =>
    count('ready', 'error'),
  );
  gauge('felix_bpf_happy_dataplane_endpoints', 'Workload endpoints that are programmed', () => count('ready'));
  gauge('felix_bpf_dirty_dataplane_endpoints', 'Workload endpoints that could not be programmed', () => count('error'));
  gauge('felix_bpf_conntrack_used', 'Live flows', () =>
    source.flowTable().flows.reduce((sum, { flows }) => sum + flows, 0),
  );
}

/** What is told when it happens, under Felix's names. */
export class FelixInstruments {
  readonly apply: Summary;
  readonly failures: Counter;
  readonly initialResync: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.apply = new Summary({
      name: 'felix_int_dataplane_apply_time_seconds',
      help: 'Time that it took to bring a state of policy into the kernel',
      maxAgeSeconds: 600,
      ageBuckets: 5,
      percentiles: [0.5, 0.9, 0.99],
      registers,
    });
    this.failures = new Counter({
      name: 'felix_int_dataplane_failures',
      help: 'Times that a state of policy could not be brought into the kernel and is tried again',
      registers,
    });
    this.initialResync = new Gauge({
      name: 'felix_int_dataplane_initial_resync_time_seconds',
      help: 'Time from the start of the agent until all was in force for the first time',
      registers,
    });
  }
}
