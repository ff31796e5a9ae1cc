// What policy says about a recorded flow: every pair of addresses that its ends may mean is judged, and the answers are
// one verdict when they agree.
import { type Flow, hasPorts, PROTOCOL } from '../model/flow.ts';
import type { TraceEntry } from '../model/trace.ts';
import type { FlowVerdict } from '../model/verdict.ts';
import type { World } from '../model/world.ts';
import type { RecordedFlow } from './flow-logs/recorded-flow.ts';
import { type Decision, decisionsOf, formatEntry, formatLocation, type Judge, type View, viewOf } from './outcome.ts';
import type { ResolvedEnd } from './simulate-resolve.ts';

export type SimulatedVerdict = 'allow' | 'deny' | 'mixed';

/** A rule or default that decided. */
export interface Decider {
  readonly direction: 'egress' | 'ingress';
  /** `<tier>|<kind>:[<namespace>/]<name>|<action>|<rule>`. */
  readonly rule: string;
  /** `file:line`; undefined = built in. */
  readonly where?: string;
}

export interface Outcome {
  readonly verdict: SimulatedVerdict;
  /** One for each pair of addresses, `a` or `d`: two mixed outcomes are the same if these are. */
  readonly answers: string;
  /** Whether policy of any workload was asked. */
  readonly isJudged: boolean;
  readonly decidedBy: readonly Decider[];
  /** A flow that shows the verdict; of mixed ones a flow that is denied. */
  readonly example: Flow;
}

/** `egress` = the source's policy alone. */
export type Scope = 'flow' | 'egress';

const MAX_PAIRS = 65_536;
const MAX_DECIDERS = 4;
const MAX_REMEMBERED = 20_000;
const EPHEMERAL_PORT = 32_768;

export class FlowJudge {
  readonly #judge: Judge;
  readonly #view: View;
  readonly #usesSourcePorts: boolean;
  readonly #remembered = new Map<string, Outcome | undefined>();

  constructor(judge: Judge, view: View, world: World) {
    this.#judge = judge;
    this.#view = view;
    this.#usesSourcePorts = usesSourcePorts(world);
  }

  /** undefined = the ends have no address family in common. */
  outcome(source: ResolvedEnd, destination: ResolvedEnd, flow: RecordedFlow, scope: Scope): Outcome | undefined {
    // Two addresses are judged faster than they are found again, and there may be very many of them.
    if (source.addresses.length * destination.addresses.length === 1)
      return this.#ask(source, destination, flow, scope);
    const { protocol, destinationPort, icmpType, icmpCode } = flow;
    const sourcePort = this.#usesSourcePorts ? (flow.sourcePort ?? EPHEMERAL_PORT) : 0;
    const key = [source.id, destination.id, protocol, sourcePort, destinationPort, icmpType, icmpCode, scope].join('|');
    if (this.#remembered.has(key)) return this.#remembered.get(key);
    const outcome = this.#ask(source, destination, flow, scope);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, outcome);
    return outcome;
  }

  #ask(source: ResolvedEnd, destination: ResolvedEnd, recorded: RecordedFlow, scope: Scope): Outcome | undefined {
    const tally = new Tally();
    let pairs = 0;
    for (const from of source.addresses) {
      for (const to of destination.addresses) {
        if (from.family !== to.family || !canCarry(recorded.protocol, from.family)) continue;
        if (++pairs > MAX_PAIRS) return tally.outcome();
        const flow = flowBetween(from, to, recorded);
        const verdict = viewOf(this.#judge(flow), this.#view);
        tally.add(flow, scope === 'egress' ? egressAlone(verdict) : verdict);
      }
    }
    return tally.outcome();
  }
}

class Tally {
  readonly #deciders: Decider[] = [];
  #answers = '';
  #isJudged = false;
  #example: Flow | undefined;
  #exampleVerdict = '';

  add(flow: Flow, verdict: FlowVerdict): void {
    this.#answers += verdict.verdict === 'allow' ? 'a' : 'd';
    this.#isJudged ||= verdict.egress !== null || verdict.ingress !== null;
    if (this.#example === undefined || (this.#exampleVerdict === 'allow' && verdict.verdict === 'deny')) {
      this.#example = flow;
      this.#exampleVerdict = verdict.verdict;
    }
    if (this.#deciders.length >= MAX_DECIDERS) return;
    for (const decision of decisionsOf(verdict)) {
      const decider = deciderOf(decision);
      if (!this.#deciders.some((known) => isSameDecider(known, decider))) this.#deciders.push(decider);
    }
  }

  outcome(): Outcome | undefined {
    const example = this.#example;
    if (example === undefined) return undefined;
    const isMixed = this.#answers.includes('a') && this.#answers.includes('d');
    const uniform = this.#answers.startsWith('a') ? 'allow' : 'deny';
    return {
      verdict: isMixed ? 'mixed' : uniform,
      answers: isMixed ? this.#answers : uniform,
      isJudged: this.#isJudged,
      decidedBy: this.#deciders,
      example,
    };
  }
}

function isSameDecider(a: Decider, b: Decider): boolean {
  return a === b || (a.rule === b.rule && a.direction === b.direction);
}

/** Entries are few and verdicts many: their texts are made once. */
const deciders = { egress: new WeakMap<TraceEntry, Decider>(), ingress: new WeakMap<TraceEntry, Decider>() };

export function deciderOf({ direction, entry }: Decision): Decider {
  const known = deciders[direction].get(entry);
  if (known !== undefined) return known;
  const decider = { direction, rule: formatEntry(entry), where: formatLocation(entry) };
  deciders[direction].set(entry, decider);
  return decider;
}

function flowBetween(source: Flow['source'], destination: Flow['destination'], recorded: RecordedFlow): Flow {
  const { protocol, sourcePort = EPHEMERAL_PORT, destinationPort, icmpType, icmpCode } = recorded;
  return {
    source,
    destination,
    protocol,
    sourcePort: hasPorts(protocol) ? sourcePort : 0,
    destinationPort,
    icmpType,
    icmpCode,
  };
}

/** Logs with names do not say the family; ICMP and ICMPv6 do. */
function canCarry(protocol: number, family: 4 | 6): boolean {
  if (protocol === PROTOCOL.ICMP) return family === 4;
  return protocol !== PROTOCOL.ICMPV6 || family === 6;
}

function egressAlone(verdict: FlowVerdict): FlowVerdict {
  return { verdict: verdict.egress?.verdict ?? 'allow', egress: verdict.egress, ingress: null };
}

/** Whether any rule asks about source ports; most clusters have none, and flows then differ in nothing by them. */
function usesSourcePorts(world: World): boolean {
  const owners = [...world.policies.values(), ...world.profiles.values()];
  return owners.some(({ rules }) =>
    [...rules.ingress, ...rules.egress].some(
      ({ source }) => source.ports.length > 0 || source.notPorts.length > 0 || source.service !== undefined,
    ),
  );
}
