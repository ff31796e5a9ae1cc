// What the kernel counts and holds, and how it judges, under the names that people and metrics know. Only reads.
import { Reason, reasonName } from '../abi/event.gen.ts';
import { flowStateName } from '../abi/flow.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { ProgramRuns } from '../kernel/program-runs.ts';
import { type Flow, protocolName } from '../model/flow.ts';
import { combineSides, type FlowVerdict } from '../model/verdict.ts';
import { FLOW_AGES, type FlowTableReading, type MapReading, type TableReading } from '../observe/metrics/source.ts';
import { TableEvaluator } from '../tables/evaluator.ts';
import { tableStats } from '../tables/stats.ts';
import { pinnedMapMemory } from './map-memory.ts';
import { countLocalPolicies } from './metrics/inventory.ts';
import { readMaps } from './metrics/map-readings.ts';
import type { AgentOptions } from './options.ts';
import { kernelMemory, type TableReport } from './table-report.ts';

export interface FlowCount {
  readonly protocol: string;
  readonly state: string;
  readonly flows: number;
}

export class KernelReadings {
  readonly #dataplane: Dataplane;
  readonly #options: Pick<AgentOptions, 'pinRoot' | 'sizes'>;
  readonly #desired: () => DesiredState;

  constructor(dataplane: Dataplane, options: Pick<AgentOptions, 'pinRoot' | 'sizes'>, desired: () => DesiredState) {
    this.#dataplane = dataplane;
    this.#options = options;
    this.#desired = desired;
  }

  /** Live flows by protocol and state, e.g. `tcp`, `established`. One sweep of the flow table. */
  flows(): FlowCount[] {
    return this.#dataplane.flowCensus().map(({ protocol, state, flows }) => ({
      protocol: protocolName(protocol).toLowerCase(),
      state: flowStateName(state).toLowerCase(),
      flows,
    }));
  }

  /** All that metrics say of the flow table: two sweeps. */
  flowTable(): FlowTableReading {
    return {
      capacity: this.#dataplane.flowCapacity,
      flows: this.flows(),
      olderThan: this.#dataplane.flowsOlderThan(FLOW_AGES),
    };
  }

  /** See Dataplane. */
  programs(): readonly ProgramRuns[] {
    return this.#dataplane.programs();
  }

  /** How full pinned maps are. Throws PERMISSION, KERNEL. */
  maps(): readonly MapReading[] {
    return readMaps(this.#options.pinRoot);
  }

  /** What compiled policy takes of its maps; nothing before the first compile. */
  usage(): readonly TableReading[] {
    const { image, compiler } = this.#dataplane;
    return image === undefined ? [] : tableStats(image, compiler).arrays;
  }

  localPolicies(): number {
    return countLocalPolicies(this.#desired());
  }

  /** By reason name. */
  counters(): Map<string, { packets: number; bytes: number }> {
    const counts = this.#dataplane.counters().slice(0, Reason.COUNT);
    return new Map(
      counts.map(({ packets, bytes }, reason) => [
        reasonName(reason).toLowerCase(),
        { packets: Number(packets), bytes: Number(bytes) },
      ]),
    );
  }

  /** Sizes and fill of the compiled tables, and of all maps; null before the first compile. */
  tables(): TableReport | null {
    const { image, compiler } = this.#dataplane;
    if (image === undefined) return null;
    const { pinRoot, sizes } = this.#options;
    return { ...tableStats(image, compiler), kernel: kernelMemory(pinnedMapMemory(pinRoot), sizes.flows) };
  }

  /** How the tables in force judge a flow; whatever is no local endpoint's is not judged. */
  judge(flow: Flow): FlowVerdict {
    const { image, compiler } = this.#dataplane;
    if (image === undefined) return combineSides(null, null);
    return new TableEvaluator(this.#desired(), compiler, image).evaluate(flow);
  }
}
