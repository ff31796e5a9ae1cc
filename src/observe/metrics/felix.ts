// Metrics under the names that Felix has for them, where what is meant is the same: dashboards and alerts that exist go on
// working. Only those; Tortie has no iptables, no IP sets and no routing tables to count.
import { Counter, Gauge, type Registry, Summary } from 'prom-client';
import { type Families, onceEachScrape } from './families.ts';
import { liveFlows } from './kernel.ts';
import type { EndpointState, MetricsSource } from './source.ts';

/** Felix's numbers of what it knows of the datastore. */
const RESYNC_IN_PROGRESS = 1;
const IN_SYNC = 2;

export function addFelixMetrics(families: Families, source: MetricsSource): void {
  const inventory = onceEachScrape(() => source.inventory());
  families.gauges({
    felix_cluster_num_hosts: { help: 'Nodes that have an endpoint', read: () => inventory().hosts },
    felix_cluster_num_host_endpoints: { help: 'Host endpoints', read: () => inventory().hostEndpoints },
    felix_cluster_num_workload_endpoints: {
      help: 'Workload endpoints of all nodes',
      read: () => inventory().workloadEndpoints,
    },
    felix_cluster_num_policies: { help: 'Policies that are enforced', read: () => inventory().policies },
    felix_cluster_num_profiles: { help: 'Profiles', read: () => inventory().profiles },
    felix_cluster_num_tiers: { help: 'Tiers', read: () => inventory().tiers },
    felix_active_local_policies: {
      help: 'Policies that govern an endpoint of this node',
      read: () => inventory().localPolicies,
    },
    felix_host: { help: 'The node of this agent: always 1', labels: ['host'], read: () => [[source.node, 1]] },
    felix_resync_state: {
      help: 'State of the datastore: 1 = being read, 2 = in sync',
      read: () => (source.isLoading() ? RESYNC_IN_PROGRESS : IN_SYNC),
    },
  });
  addDataplane(families, source);
}

function addDataplane(families: Families, source: MetricsSource): void {
  const count =
    (...states: readonly EndpointState[]) =>
    (): number => {
      const found = source.endpointStates();
      return states.reduce((sum, state) => sum + (found.get(state) ?? 0), 0);
    };
  families.gauges({
    felix_active_local_endpoints: { help: 'Workload endpoints of this node', read: count('ready', 'waiting', 'error') },
    felix_bpf_dataplane_endpoints: {
      help: 'Workload endpoints that are programmed, or ought to be',
      read: count('ready', 'error'),
    },
    felix_bpf_happy_dataplane_endpoints: { help: 'Workload endpoints that are programmed', read: count('ready') },
    felix_bpf_dirty_dataplane_endpoints: {
      help: 'Workload endpoints that could not be programmed',
      read: count('error'),
    },
    felix_bpf_conntrack_used: { help: 'Live flows', read: () => liveFlows(source) },
  });
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
