import { describe, expect, it } from 'vitest';
import { Instruments } from '../../../src/observe/metrics/instruments.ts';
import type { MetricsSource } from '../../../src/observe/metrics/source.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';

const SOURCE: MetricsSource = {
  counters: () => new Map(),
  guard: () => ({ counters: new Map(), prefixes: 0, interfaces: new Map() }),
  version: '1.2.3',
  node: 'node1',
  flowTable: () => ({ capacity: 1024, flows: [], olderThan: [] }),
  tables: () => [{ name: 'tt_heap', usedBytes: 100, capacityBytes: 400 }],
  maps: () => [
    { name: 'tt_flows', bytes: 4096, maxEntries: 2, entries: undefined },
    { name: 'tt_sources', bytes: 512, maxEntries: 8, entries: 3 },
  ],
  programs: () => [{ name: 'tt_from_work', runs: 12, runSeconds: 0.5 }],
  isCountingRuns: () => true,
  generation: () => 7,
  isInSync: () => true,
  isLoading: () => false,
  endpointStates: () => new Map(),
  conditions: () => ['MemoryLow'],
  repairs: () => [['program-gone', 2]],
  inventory: () => ({
    hosts: 1,
    hostEndpoints: 0,
    workloadEndpoints: 2,
    policies: 3,
    stagedPolicies: 1,
    profiles: 4,
    tiers: 5,
    localPolicies: 2,
  }),
  process: () => ({
    userSeconds: 1,
    systemSeconds: 0.25,
    residentBytes: 1e6,
    heapUsedBytes: 5e5,
    openDescriptors: 20,
    maxDescriptors: 1024,
    startTime: 1.7e9,
  }),
};

function create(source: Partial<MetricsSource> = {}): ReturnType<typeof createMetrics> {
  return createMetrics({ ...SOURCE, ...source }, new Instruments('off', () => 0));
}

describe('createMetrics', () => {
  it('counts up to what the kernel counted, however often it is scraped', async () => {
    let packets = 5;
    const metrics = create({
      counters: () => new Map([['allowed_new', { packets, bytes: 60 * packets }]]),
      flowTable: () => ({
        capacity: 1024,
        flows: [{ protocol: 'tcp', state: 'established', flows: 3 }],
        olderThan: [3, 2, 1, 0, 0, 0],
      }),
      endpointStates: () => new Map([['ready', 2]]),
    });
    expect(await metrics.metrics()).toContain('tortie_packets_total{verdict="allowed",reason="allowed_new"} 5');
    packets = 8;
    const text = await metrics.metrics();
    expect(text).toContain('tortie_packets_total{verdict="allowed",reason="allowed_new"} 8');
    expect(text).toContain('tortie_bytes_total{verdict="allowed",reason="allowed_new"} 480');
    expect(text).toContain('tortie_flows{protocol="tcp",state="established"} 3');
    expect(text).toContain('tortie_flow_table_flows 3');
    expect(text).toContain('felix_bpf_conntrack_used 3');
    expect(text).toContain('tortie_flows_older_than{seconds="10"} 2');
    expect(text).toContain('tortie_policy_generation 7');
    expect(text).toContain('tortie_in_sync 1');
    expect(text).toContain('tortie_endpoints{state="ready"} 2');
  });

  it('counts what is done before the stack, and goes on where it was once the guard was closed', async () => {
    let packets = 0;
    const metrics = create({
      guard: () => ({
        counters: new Map([['syn_cookie', { packets, bytes: 74 * packets }]]),
        prefixes: 12,
        interfaces: new Map([
          ['guarded', 2],
          ['error', 0],
        ]),
      }),
    });
    const answered = async (): Promise<string | undefined> =>
      /tortie_guard_packets_total\{reason="syn_cookie"\} (\d+)/.exec(await metrics.metrics())?.[1];
    const found: (string | undefined)[] = [];
    for (packets of [0, 9, 0, 9, 11]) found.push(await answered());
    expect(found).toEqual(['0', '9', '9', '9', '11']);
    const text = await metrics.metrics();
    expect(text).toContain(`tortie_guard_bytes_total{reason="syn_cookie"} ${74 * 11}`);
    expect(text).toContain('tortie_blocked_prefixes 12');
    expect(text).toContain('tortie_guarded_interfaces{state="guarded"} 2');
    expect(text).toContain('tortie_guarded_interfaces{state="error"} 0');
  });

  it('keeps what policy denied apart from what was dropped for another reason, and both from what are no packets', async () => {
    const one = { packets: 1, bytes: 100 };
    const text = await create({
      counters: () =>
        new Map([
          ['drop_ingress_policy', one],
          ['drop_not_ready', one],
          ['event_lost', { packets: 4, bytes: 0 }],
        ]),
    }).metrics();
    expect(text).toContain('tortie_packets_total{verdict="denied",reason="drop_ingress_policy"} 1');
    expect(text).toContain('tortie_packets_total{verdict="dropped",reason="drop_not_ready"} 1');
    expect(text).not.toContain('reason="event_lost"');
    expect(text).toContain('tortie_events_lost_total 4');
  });

  it('says under the names of Felix what Felix means by them', async () => {
    const instruments = new Instruments('off', () => 0);
    const inventory = {
      hosts: 1,
      hostEndpoints: 2,
      workloadEndpoints: 30,
      policies: 4,
      stagedPolicies: 50,
      profiles: 6,
      tiers: 7,
      localPolicies: 8,
    };
    const states = new Map([
      ['ready', 10],
      ['waiting', 3],
      ['error', 2],
    ] as const);
    const source = {
      ...SOURCE,
      node: 'n1',
      inventory: () => inventory,
      endpointStates: () => states,
      isLoading: () => true,
    };
    const metrics = createMetrics(source, instruments);
    instruments.felix.failures.inc(2);
    instruments.felix.initialResync.set(1.5);
    instruments.felix.apply.observe(0.25);
    const text = await metrics.metrics();
    const lines = text.split('\n').filter((line) => line.startsWith('felix_'));
    expect(lines.sort()).toEqual([
      'felix_active_local_endpoints 15',
      'felix_active_local_policies 8',
      'felix_bpf_conntrack_used 0',
      'felix_bpf_dataplane_endpoints 12',
      'felix_bpf_dirty_dataplane_endpoints 2',
      'felix_bpf_happy_dataplane_endpoints 10',
      'felix_cluster_num_host_endpoints 2',
      'felix_cluster_num_hosts 1',
      'felix_cluster_num_policies 4',
      'felix_cluster_num_profiles 6',
      'felix_cluster_num_tiers 7',
      'felix_cluster_num_workload_endpoints 30',
      'felix_host{host="n1"} 1',
      'felix_int_dataplane_apply_time_seconds_count 1',
      'felix_int_dataplane_apply_time_seconds_sum 0.25',
      'felix_int_dataplane_apply_time_seconds{quantile="0.5"} 0.25',
      'felix_int_dataplane_apply_time_seconds{quantile="0.9"} 0.25',
      'felix_int_dataplane_apply_time_seconds{quantile="0.99"} 0.25',
      'felix_int_dataplane_failures 2',
      'felix_int_dataplane_initial_resync_time_seconds 1.5',
      'felix_resync_state 1',
    ]);
  });

  it('leaves out what cannot be read, and counts that', async () => {
    const metrics = create({
      maps: () => {
        throw new Error('gone');
      },
    });
    await metrics.metrics();
    const text = await metrics.metrics();
    expect(text).not.toMatch(/^tortie_map_memory_bytes/m);
    expect(text).toContain('tortie_in_sync 1');
    expect(text).toMatch(/^tortie_metric_read_failures_total [1-9]/m);
  });

  it('asks for what several metrics are made of once for each scrape', async () => {
    let asked = 0;
    const metrics = create({
      flowTable: () => {
        asked += 1;
        return { capacity: 1, flows: [], olderThan: [] };
      },
    });
    await metrics.metrics();
    await metrics.metrics();
    expect(asked).toBe(2);
  });

  it('says how full maps are, and nothing of what a map of that kind has not', async () => {
    const text = await create().metrics();
    expect(text).toContain('tortie_map_entries{map="tt_sources"} 3');
    expect(text).not.toContain('tortie_map_entries{map="tt_flows"}');
    expect(text).toContain('tortie_table_used_bytes{table="tt_heap"} 100');
    expect(text).toContain('tortie_bpf_run_seconds_total{program="tt_from_work"} 0.5');
    expect(text).toContain('process_cpu_seconds_total 1.25');
    expect(text).toContain('tortie_degraded{reason="MemoryLow"} 1');
    expect(text).toContain('tortie_repairs_total{cause="program-gone"} 2');
  });
});
