// What the agent tells its metrics at each scrape. Metrics only read: everything comes in through here.

/** Packets and bytes by reason, as the kernel counted them since the counters were made. */
export type KernelCounts = ReadonlyMap<string, { readonly packets: number; readonly bytes: number }>;

export interface GuardCounts {
  /** What did not reach the stack. */
  readonly counters: KernelCounts;
  /** Of all entries and feeds. */
  readonly prefixes: number;
  readonly interfaces: ReadonlyMap<string, number>;
}

/** Functions of their own, which need no object around them. */
export interface MetricsSource {
  readonly version: string;
  /** `*` = of all nodes. */
  readonly node: string;
  readonly counters: () => KernelCounts;
  /** What is done before the stack: blocked sources, SYN protection. */
  readonly guard: () => GuardCounts;
  readonly flowTable: () => FlowTableReading;
  /** Compiled policy, by the map that it is in. */
  readonly tables: () => Iterable<TableReading>;
  readonly maps: () => Iterable<MapReading>;
  readonly programs: () => Iterable<ProgramReading>;
  /** kernel.bpf_stats_enabled: without it the kernel counts no runs. */
  readonly isCountingRuns: () => boolean;
  readonly generation: () => number;
  readonly isInSync: () => boolean;
  /** What is in force was taken over from an earlier agent, and manifests are still being loaded. */
  readonly isLoading: () => boolean;
  readonly endpointStates: () => ReadonlyMap<EndpointState, number>;
  /** Reasons for which the agent is degraded. */
  readonly conditions: () => Iterable<string>;
  /** Damage that was undone, by cause. */
  readonly repairs: () => Iterable<readonly [string, number]>;
  readonly inventory: () => Inventory;
  readonly process: () => ProcessReading;
}

export type EndpointState = 'ready' | 'waiting' | 'error';

/** Ages, in seconds, that flows are counted by. */
export const FLOW_AGES = [1, 10, 60, 600, 3600, 86_400] as const;

export interface FlowTableReading {
  readonly capacity: number;
  /** Live flows by protocol and state, named as the field names them. */
  readonly flows: readonly { readonly protocol: string; readonly state: string; readonly flows: number }[];
  /** For each of FLOW_AGES the live flows that are older. */
  readonly olderThan: readonly number[];
}

export interface TableReading {
  readonly name: string;
  readonly usedBytes: number;
  readonly capacityBytes: number;
}

export interface MapReading {
  readonly name: string;
  /** Kernel memory. */
  readonly bytes: number;
  readonly maxEntries: number;
  /** undefined = an array: all of its entries are there. */
  readonly entries: number | undefined;
}

export interface ProgramReading {
  readonly name: string;
  readonly runs: number;
  readonly runSeconds: number;
}

/** Objects in force; policies without staged ones. */
export interface Inventory {
  readonly hosts: number;
  readonly hostEndpoints: number;
  readonly workloadEndpoints: number;
  readonly policies: number;
  readonly stagedPolicies: number;
  readonly profiles: number;
  readonly tiers: number;
  /** Policies, staged ones included, that govern an endpoint of this node. */
  readonly localPolicies: number;
}

/** Of the agent's own process. */
export interface ProcessReading {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly openDescriptors: number;
  readonly maxDescriptors: number;
  /** Seconds since 1970. */
  readonly startTime: number;
}
