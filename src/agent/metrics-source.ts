// What the metrics read of an agent.
import { GuardReason, guardReasonName } from '../abi/guard.gen.ts';
import { REPAIR_CAUSES, type RepairCause } from '../kernel/repair.ts';
import type { MetricsSource } from '../observe/metrics/source.ts';
import type { ApiAgent } from './api/route.ts';
import { countObjects } from './metrics/inventory.ts';
import { isCountingRuns, readProcess } from './metrics/process-reading.ts';
import { VERSION } from './version.ts';

/** Whatever has a state, by state; those that nobody is in are 0. */
function countStates<S extends string>(all: Iterable<{ readonly state: S }>, states: readonly S[]): Map<S, number> {
  const counts = new Map(states.map((state) => [state, 0]));
  for (const { state } of all) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

export function metricsSource(agent: ApiAgent): MetricsSource {
  return {
    version: VERSION,
    node: agent.meter.node,
    counters: () => agent.readings.counters(),
    guard: () => {
      const { prefixes, interfaces, drops, syn } = agent.blocks.status();
      const counters = [
        [GuardReason.DROP_SOURCE, drops.source],
        [GuardReason.DROP_HOLE, drops.hole],
        [GuardReason.DROP_SYN_SOURCE, syn.limited],
        [GuardReason.SYN_COOKIE, syn.answered],
      ] as const;
      return {
        counters: new Map(counters.map(([reason, count]) => [guardReasonName(reason).toLowerCase(), count])),
        prefixes,
        interfaces: countStates(interfaces, ['guarded', 'error']),
      };
    },
    flowTable: () => agent.readings.flowTable(),
    tables: () => agent.readings.usage(),
    maps: () => agent.readings.maps(),
    programs: () =>
      agent.readings.programs().map(({ name, runs, runTimeNs }) => ({
        name,
        runs: Number(runs),
        runSeconds: Number(runTimeNs) / 1e9,
      })),
    isCountingRuns,
    generation: () => agent.generation,
    isInSync: () => agent.isInSync,
    isLoading: () => agent.isLoading,
    endpointStates: () => countStates(agent.endpoints, ['ready', 'waiting', 'error']),
    conditions: () => agent.health.conditions.map(({ reason }) => reason),
    repairs: () => {
      const { repairsByCause } = agent.health;
      return (Object.keys(REPAIR_CAUSES) as RepairCause[]).map((cause) => [cause, repairsByCause[cause] ?? 0] as const);
    },
    inventory: () => countObjects(agent.world, agent.readings.localPolicies()),
    process: readProcess,
  };
}
