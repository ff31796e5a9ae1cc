// What traffic a change of policies affected: flows that they decided before it and after it, by the traces that were recorded.
import { flowCount, type LoggedFlow } from '../flow-logs/flow-log.ts';
import { parseEntry } from '../why/entries.ts';
import { endName, enforcedAction, serviceOf } from './report.ts';

export interface TrafficCount {
  /** Reports of one end each: a flow between two workloads that both report counts for each end's policy. */
  readonly flows: number;
  readonly packets: number;
  readonly bytes: number;
}

export interface DecidedTraffic {
  readonly allowed: TrafficCount;
  readonly denied: TrafficCount;
}

export interface PolicyTraffic {
  /** `np:shop/web`. */
  readonly policy: string;
  readonly before: DecidedTraffic;
  readonly after: DecidedTraffic;
}

export interface TurnedPair {
  readonly source: string;
  readonly destination: string;
  readonly service: string;
  readonly from: 'allow' | 'deny';
  readonly to: 'allow' | 'deny';
  /** After the change. */
  readonly flows: number;
}

export interface AffectedTraffic {
  readonly policies: readonly PolicyTraffic[];
  /** Pairs that were judged otherwise after it, the busiest first. */
  readonly turned: readonly TurnedPair[];
  /** All flows of the windows, whoever decided them. */
  readonly total: { readonly before: DecidedTraffic; readonly after: DecidedTraffic };
}

const MAX_PAIRS = 100_000;
const MAX_TURNED = 1000;
const PHASES = ['before', 'after'] as const;
type Phase = (typeof PHASES)[number];
type Count = { -readonly [K in keyof TrafficCount]: number };
type Decided = { readonly allowed: Count; readonly denied: Count };
interface Pair {
  readonly head: Pick<TurnedPair, 'source' | 'destination' | 'service'>;
  before?: 'allow' | 'deny';
  after?: 'allow' | 'deny';
  flows: number;
}

export class AffectedCounter {
  readonly #policies: ReadonlyMap<string, Record<Phase, Decided>>;
  readonly #total = phases();
  readonly #pairs = new Map<string, Pair>();

  /** As traces name them; staged ones count by the pending traces. */
  constructor(policies: Iterable<string>) {
    this.#policies = new Map([...policies].map((policy) => [policy, phases()]));
  }

  add(log: LoggedFlow, phase: Phase): void {
    const action = enforcedAction(log);
    const entries = [...log.enforced, ...log.pending].flatMap((text) => parseEntry(text) ?? []);
    const named = new Set(entries.map(({ policy }) => policy).filter((policy) => this.#policies.has(policy)));
    count(this.#total[phase], action, log);
    for (const policy of named) {
      const { action: decided } = entries.find((entry) => entry.policy === policy) ?? { action };
      // One that passed the flow on had its say too: what came of it counts.
      count((this.#policies.get(policy) as Record<Phase, Decided>)[phase], decided === 'pass' ? action : decided, log);
    }
    this.#pair(log, phase, action);
  }

  result(): AffectedTraffic {
    const turned = [...this.#pairs.values()].flatMap(({ head, before, after, flows }) =>
      before === undefined || after === undefined || before === after
        ? []
        : [{ ...head, from: before, to: after, flows }],
    );
    return {
      policies: [...this.#policies].map(([policy, counts]) => ({ policy, ...counts })),
      turned: turned.sort((a, b) => b.flows - a.flows).slice(0, MAX_TURNED),
      total: this.#total,
    };
  }

  /** The latest before, and the latest after, count. */
  #pair(log: LoggedFlow, phase: Phase, action: 'allow' | 'deny'): void {
    const head = { source: endName(log.source), destination: endName(log.destination), service: serviceOf(log) };
    const key = [log.reporter, ...Object.values(head)].join('\n');
    const known = this.#pairs.get(key) ?? { head, flows: 0 };
    if (!this.#pairs.has(key) && this.#pairs.size >= MAX_PAIRS) return;
    this.#pairs.set(key, known);
    known[phase] = action;
    if (phase === 'after') known.flows += flowCount(log);
  }
}

function count(decided: Decided, action: string, log: LoggedFlow): void {
  const counted = action === 'allow' ? decided.allowed : decided.denied;
  counted.flows += flowCount(log);
  counted.packets += log.packetsIn + log.packetsOut;
  counted.bytes += log.bytesIn + log.bytesOut;
}

function phases(): Record<Phase, Decided> {
  return { before: nothing(), after: nothing() };
}

function nothing(): Decided {
  return { allowed: { flows: 0, packets: 0, bytes: 0 }, denied: { flows: 0, packets: 0, bytes: 0 } };
}
