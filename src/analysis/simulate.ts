// Recorded flows against policies: what each was, what it would be, and how many. Flows come one by one and are not
// kept; what is kept is bounded.
//
//   recorded flow --EndResolver--> ends --FlowJudge--> before, after --> SimulationRows
import { hasPorts, isIcmp, protocolName } from '../model/flow.ts';
import type { World } from '../model/world.ts';
import { EndpointNames } from './endpoint-names.ts';
import type { RecordedFlow, SkipReason } from './flow-logs/recorded-flow.ts';
import type { Judge, View } from './outcome.ts';
import { type Decider, FlowJudge, type Scope, type SimulatedVerdict } from './simulate-judge.ts';
import { EndResolver, type ResolvedEnd } from './simulate-resolve.ts';
import { type SimulationRow, SimulationRows } from './simulate-rows.ts';

/** Policies to judge by, and the world that names are looked up in. */
export interface PolicySide {
  readonly world: World;
  readonly judge: Judge;
  readonly view: View;
}

export interface SimulationOptions {
  readonly after: PolicySide;
  /** Compare with these policies instead of with what was recorded. */
  readonly before?: PolicySide;
  /** What flows without a recorded verdict are compared with. */
  readonly fallback?: PolicySide;
  /** Most rows, and most pairs that wait for the other end's report. */
  readonly maxRows: number;
}

/** `flows` is the sum of all others but `unlisted`. */
export interface SimulationTotals {
  flows: number;
  changed: number;
  unchanged: number;
  /** Nothing to compare with. */
  uncompared: number;
  /** An end is no workload of the manifests, though it was one when it was recorded, or is not known at all. */
  unresolved: number;
  /** Neither end is a workload whose policy is judged. */
  outside: number;
  /** Reports of the source's end on flows that the destination's end reports too. */
  reportedTwice: number;
  /** Judged and counted above, but without a row: the limit was reached. */
  unlisted: number;
}

export interface SimulationReport {
  readonly totals: Readonly<SimulationTotals>;
  /** Changed rows first, then those with most flows. */
  readonly rows: readonly SimulationRow[];
  /** Most flows first; at most 1000 ends. */
  readonly unresolved: readonly { readonly end: string; readonly flows: number }[];
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
}

interface Ends {
  readonly source: ResolvedEnd;
  readonly destination: ResolvedEnd;
}

interface WaitingFlows {
  readonly recorded: RecordedFlow;
  readonly ends: Ends;
  flows: number;
  isReportedByDestination: boolean;
}

interface Before {
  readonly verdict: SimulatedVerdict | null;
  readonly answers?: string;
  readonly decidedBy?: readonly Decider[];
}

const UNKNOWN: Before = { verdict: null };
const MAX_UNRESOLVED = 1000;

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #resolver: EndResolver;
  readonly #after: FlowJudge;
  readonly #before: { readonly resolver: EndResolver; readonly judge: FlowJudge } | undefined;
  readonly #fallback: FlowJudge | undefined;
  readonly #rows: SimulationRows;
  readonly #waiting = new Map<string, WaitingFlows>();
  readonly #unresolved = new Map<string, number>();
  readonly #skipped = new Map<SkipReason, number>();
  readonly #totals: SimulationTotals = {
    flows: 0,
    changed: 0,
    unchanged: 0,
    uncompared: 0,
    unresolved: 0,
    outside: 0,
    reportedTwice: 0,
    unlisted: 0,
  };

  constructor(options: SimulationOptions) {
    const { after, before, fallback, maxRows } = options;
    this.#options = options;
    this.#rows = new SimulationRows(maxRows);
    this.#resolver = resolverOf(after);
    this.#after = judgeOf(after);
    this.#before = before && { resolver: resolverOf(before), judge: judgeOf(before) };
    this.#fallback = fallback && judgeOf(fallback);
  }

  skip(reason: SkipReason, count = 1): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + count);
  }

  add(recorded: RecordedFlow): void {
    const { count } = recorded;
    this.#totals.flows += count;
    const source = this.#resolver.resolve(recorded.source);
    const destination = this.#resolver.resolve(recorded.destination);
    if ('unresolved' in source || 'unresolved' in destination) {
      this.#totals.unresolved += count;
      for (const end of [source, destination]) if ('unresolved' in end) this.#noteUnresolved(end.unresolved, count);
      return;
    }
    const ends = { source, destination };
    if (!source.isWorkload && !destination.isWorkload) this.#totals.outside += count;
    else if (isReportedByEachEnd(recorded, ends)) this.#wait(recorded, ends);
    else this.#compare(recorded, ends, 'flow', count);
  }

  /** What was found; call once, after the last flow. */
  report(): SimulationReport {
    for (const { recorded, ends, flows, isReportedByDestination } of this.#waiting.values()) {
      if (isReportedByDestination) this.#totals.reportedTwice += flows;
      else if (flows > 0) this.#compare(recorded, ends, 'egress', flows);
    }
    this.#waiting.clear();
    return {
      totals: { ...this.#totals, unlisted: this.#rows.unlisted },
      rows: this.#rows.list(),
      unresolved: [...this.#unresolved].map(([end, flows]) => ({ end, flows })).sort((a, b) => b.flows - a.flows),
      skipped: Object.fromEntries(this.#skipped),
    };
  }

  /** The source's allow is worth something only if the destination never reports; whether it does is known at the end. */
  #wait(recorded: RecordedFlow, ends: Ends): void {
    const { protocol, destinationPort, icmpType, reporter, count } = recorded;
    const key = [ends.source.id, ends.destination.id, protocol, destinationPort, icmpType].join('|');
    let waiting = this.#waiting.get(key);
    if (waiting === undefined && this.#waiting.size < this.#options.maxRows) {
      waiting = { recorded, ends, flows: 0, isReportedByDestination: false };
      this.#waiting.set(key, waiting);
    }
    if (reporter === 'destination') {
      if (waiting !== undefined) waiting.isReportedByDestination = true;
      this.#compare(recorded, ends, 'flow', count);
    } else if (waiting !== undefined) waiting.flows += count;
    else this.#compare(recorded, ends, 'egress', count);
  }

  #compare(recorded: RecordedFlow, ends: Ends, reported: Scope, flows: number): void {
    // Policies compared with policies answer for both ends, whoever reported.
    const scope: Scope = this.#before === undefined ? reported : 'flow';
    const { source, destination } = ends;
    const after = this.#after.outcome(source, destination, recorded, scope);
    if (after === undefined) {
      this.#totals.unresolved += flows;
      this.#noteUnresolved(`${source.label} -> ${destination.label}: no address family in common`, flows);
      return;
    }
    if (!after.isJudged) {
      this.#totals.outside += flows;
      return;
    }
    const before = this.#beforeOf(recorded, ends, scope);
    const isChanged = before.verdict !== null && before.answers !== after.answers;
    if (before.verdict === null) this.#totals.uncompared += flows;
    else if (isChanged) this.#totals.changed += flows;
    else this.#totals.unchanged += flows;
    const { decidedBy, example } = after;
    const row = {
      source: source.label,
      destination: destination.label,
      service: describeService(recorded),
      scope,
      before: before.verdict,
      after: after.verdict,
      isChanged,
      decidedBy,
      example,
    };
    this.#rows.add(before.decidedBy === undefined ? row : { ...row, wasDecidedBy: before.decidedBy }, flows);
  }

  #beforeOf(recorded: RecordedFlow, { source, destination }: Ends, scope: Scope): Before {
    if (this.#before === undefined) {
      const { verdict } = recorded;
      if (verdict !== undefined) return { verdict, answers: verdict };
      return this.#fallback?.outcome(source, destination, recorded, scope) ?? UNKNOWN;
    }
    const { resolver, judge } = this.#before;
    const from = resolver.resolve(recorded.source);
    const to = resolver.resolve(recorded.destination);
    if ('unresolved' in from || 'unresolved' in to) return UNKNOWN;
    return judge.outcome(from, to, recorded, scope) ?? UNKNOWN;
  }

  #noteUnresolved(end: string, flows: number): void {
    if (!this.#unresolved.has(end) && this.#unresolved.size >= MAX_UNRESOLVED) return;
    this.#unresolved.set(end, (this.#unresolved.get(end) ?? 0) + flows);
  }
}

/** A denial is one wherever it was seen, and an end that is no workload reports nothing. */
function isReportedByEachEnd({ reporter, verdict }: RecordedFlow, { source, destination }: Ends): boolean {
  if (reporter === 'both' || !source.isWorkload || !destination.isWorkload) return false;
  return reporter === 'destination' || verdict !== 'deny';
}

function resolverOf({ world }: PolicySide): EndResolver {
  return new EndResolver(world, new EndpointNames(world));
}

function judgeOf({ judge, view, world }: PolicySide): FlowJudge {
  return new FlowJudge(judge, view, world);
}

/** Protocol with port, or type and code. */
function describeService({ protocol, destinationPort, icmpType, icmpCode }: RecordedFlow): string {
  const name = protocolName(protocol);
  if (hasPorts(protocol)) return `${name} ${destinationPort}`;
  if (isIcmp(protocol)) return `${name} ${icmpType}/${icmpCode}`;
  return `protocol ${name}`;
}
