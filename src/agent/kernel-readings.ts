// What the kernel counts and holds, and how it judges, under the names that people and metrics know. Only reads.
import { Reason, reasonName } from '../abi/event.gen.ts';
import { flowStateName } from '../abi/flow.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import { type Flow, protocolName } from '../model/flow.ts';
import { combineSides, type FlowVerdict } from '../model/verdict.ts';
import { TableEvaluator } from '../tables/evaluator.ts';
import { tableStats } from '../tables/stats.ts';
import { pinnedMapMemory } from './map-memory.ts';
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
