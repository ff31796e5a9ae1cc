// The table that a simulation fills: one row for each pair of workloads, service and outcome, with a bound on rows.
import type { Flow } from '../model/flow.ts';
import { type FlowText, formatQuestion } from '../model/flow-question.ts';
import type { Decider, Scope, SimulatedVerdict } from './simulate-judge.ts';

export interface SimulationRow {
  readonly source: string;
  readonly destination: string;
  /** `TCP 5432`, `ICMP 8/0`, `protocol 47`. */
  readonly service: string;
  /** `egress`: only the source's end reported, so only its policy is compared. */
  readonly scope: Scope;
  /** null = not known. */
  readonly before: SimulatedVerdict | null;
  readonly after: SimulatedVerdict;
  readonly isChanged: boolean;
  /** What decided after. */
  readonly decidedBy: readonly Decider[];
  /** What decided before; only when policies were compared. */
  readonly wasDecidedBy?: readonly Decider[];
  /** A flow that shows the verdict after, as a question of `tortie verdict`; of mixed ones a flow that is denied. */
  readonly example: FlowText;
  readonly flows: number;
}

/** A row before anybody needs its example as a question. */
export type NewRow = Omit<SimulationRow, 'example' | 'flows'> & { readonly example: Flow };

export class SimulationRows {
  readonly #limit: number;
  readonly #rows = new Map<string, SimulationRow & { flows: number }>();
  #unlisted = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Flows that found no room for their row. */
  get unlisted(): number {
    return this.#unlisted;
  }

  /** Adds flows to the row that differs in nothing but the example and what decided before. */
  add(row: NewRow, flows: number): void {
    const { source, destination, service, scope, before, after, isChanged, decidedBy } = row;
    let key = `${source}\n${destination}\n${service}\n${scope} ${before} ${after} ${isChanged}`;
    for (const { direction, rule } of decidedBy) key += `\n${direction} ${rule}`;
    const known = this.#rows.get(key);
    if (known !== undefined) known.flows += flows;
    else if (this.#rows.size >= this.#limit) this.#unlisted += flows;
    else this.#rows.set(key, { ...row, example: formatQuestion(row.example), flows });
  }

  /** Changed rows first, then those with most flows. */
  list(): readonly SimulationRow[] {
    return [...this.#rows.values()].sort(byFlows);
  }
}

function byFlows(a: SimulationRow, b: SimulationRow): number {
  const textOf = ({ source, destination, service }: SimulationRow): string => `${source}\n${destination}\n${service}`;
  return Number(b.isChanged) - Number(a.isChanged) || b.flows - a.flows || (textOf(a) < textOf(b) ? -1 : 1);
}
