// Why a flow is judged as it is: the decisions at both ends with their places, the change that brought each, what staged policies
// would have done, and what would turn the verdict. Of a flow that was recorded, also what was decided then.
import type { Flow } from '../../model/flow.ts';
import { type FlowText, formatQuestion } from '../../model/flow-question.ts';
import type { Direction } from '../../model/policy.ts';
import type { TraceEntry } from '../../model/trace.ts';
import type { FlowVerdict, SideVerdict } from '../../model/verdict.ts';
import type { World } from '../../model/world.ts';
import { explainRule } from '../explain/rule-sentence.ts';
import { Inventory } from '../inventory.ts';
import { PoliciesByTrace, parseEntry, resourceIdOf, whereOf, writtenEntry } from './entries.ts';
import { type HostSurroundings, withHostSides } from './host-sides.ts';
import { type Turn, turnOf } from './turn.ts';

/** A change of the store, as history has it. */
export interface Change {
  readonly revision: number;
  /** ISO 8601. */
  readonly time: string;
  readonly verb: string;
  readonly who: unknown;
}

/** What is known of how objects came to what they are. */
export interface Changes {
  /** The change that brought the rule as it is; without one, the object. undefined = not of the store, or forgotten. */
  introduced(id: string, direction: Direction, ruleIndex: number): Change | undefined;
  /** Changes of the object after that time, the latest first. */
  since(id: string, time: number): readonly Change[];
}

export const NO_CHANGES: Changes = { introduced: () => undefined, since: () => [] };

export interface WhyEntry {
  readonly tier: string;
  /** `<kind>:[<namespace>/]<name>`. */
  readonly policy: string;
  readonly action: string;
  readonly ruleIndex: number;
  readonly where?: string;
  /** What the rule says, of the one that decided. */
  readonly sentence?: string;
  readonly change?: Change;
}

export interface WhyVerdict {
  readonly verdict: 'allow' | 'deny';
  /** The last one decided. */
  readonly trace: readonly WhyEntry[];
}

export interface WhySide extends WhyVerdict {
  readonly direction: Direction;
  readonly endpoint: string;
  /** Were every staged policy enforced; undefined = none governs. */
  readonly staged?: WhyVerdict;
}

/** What a record says of its time. */
export interface Past {
  /** Milliseconds since 1970. */
  readonly time?: number;
  readonly verdict: 'allow' | 'deny';
  readonly direction?: Direction;
  /** Trace strings. */
  readonly enforced: readonly string[];
  readonly pending: readonly string[];
  /** Why packets were dropped. */
  readonly reason?: string;
}

export interface WhyRecorded extends Omit<Past, 'enforced' | 'pending'> {
  readonly enforced: readonly WhyEntry[];
  readonly pending: readonly WhyEntry[];
  /** Policy did not decide: what did is the reason. */
  readonly isPolicy: boolean;
  /** Of the policies that it names, since. */
  readonly changed: readonly (Change & { readonly policy: string })[];
  /** Whether it would be judged the same now. */
  readonly isSameNow: boolean;
}

export interface Why {
  readonly flow: FlowText;
  readonly verdict: 'allow' | 'deny';
  readonly sides: readonly WhySide[];
  readonly turn?: Turn;
  readonly recorded?: WhyRecorded;
}

export interface WhyInput {
  readonly world: World;
  readonly flow: Flow;
  /** Of what is in force, for workloads. */
  readonly verdict: FlowVerdict;
  /** Of whose endpoints have a say: those of all hosts, by the addresses that they list, unless given. */
  readonly host?: HostSurroundings;
  readonly changes?: Changes;
  readonly past?: Past;
}

export function whyOf(input: WhyInput): Why {
  const { world, flow, changes = NO_CHANGES, past, host = { isLocal: () => true } } = input;
  const verdict = withHostSides(world, flow, input.verdict, host);
  const writer = new EntryWriter(world, changes);
  const sides = [writer.side('egress', verdict.egress), writer.side('ingress', verdict.ingress)].filter(
    (side) => side !== undefined,
  );
  // Of hosts, what would turn it is for people to decide: one policy less, and nobody may get in to write it again.
  const turn = verdict === input.verdict ? turnOf(world, flow) : undefined;
  return {
    flow: formatQuestion(flow),
    verdict: verdict.verdict,
    sides,
    ...(turn === undefined ? {} : { turn }),
    ...(past === undefined ? {} : { recorded: recordedOf(past, writer, verdict, changes) }),
  };
}

class EntryWriter {
  readonly policies: PoliciesByTrace;
  readonly #inventory: Inventory;
  readonly #changes: Changes;

  constructor(world: World, changes: Changes) {
    this.policies = new PoliciesByTrace(world);
    this.#inventory = new Inventory(world);
    this.#changes = changes;
  }

  side(direction: Direction, side: SideVerdict | null): WhySide | undefined {
    if (side === null) return undefined;
    const { endpoint, verdict, trace, pending } = side;
    const staged = pending && { verdict: pending.verdict, trace: this.#trace(direction, pending.trace) };
    return {
      direction,
      endpoint,
      verdict,
      trace: this.#trace(direction, trace),
      ...(staged === undefined ? {} : { staged }),
    };
  }

  /** An entry of a record: with the place that the rule has now, if there still is one. */
  written(direction: Direction | undefined, text: string): WhyEntry[] {
    const entry = parseEntry(text);
    if (entry === undefined) return [];
    const policy = this.policies.at(entry.policy);
    const rule = direction && this.policies.ruleOf(entry.policy, direction, entry.ruleIndex);
    const where = whereOf(rule?.location ?? policy?.location);
    return [{ ...entry, ...(where === undefined ? {} : { where }) }];
  }

  #trace(direction: Direction, trace: readonly TraceEntry[]): WhyEntry[] {
    return trace.map((entry, at) => this.#entry(direction, entry, at === trace.length - 1));
  }

  #entry(direction: Direction, entry: TraceEntry, isLast: boolean): WhyEntry {
    const written = writtenEntry(entry);
    const where = whereOf(entry.location);
    const head: WhyEntry = { ...written, ...(where === undefined ? {} : { where }) };
    const policy = this.policies.at(written.policy);
    if (!isLast || policy === undefined) return head;
    const change = this.#changes.introduced(resourceIdOf(policy), direction, entry.ruleIndex);
    const rule = policy.rules[direction][entry.ruleIndex];
    const own = this.#inventory.selected(policy.selector);
    const sentence = rule && explainRule(rule, entry.ruleIndex, direction, this.#inventory, own).sentence;
    return { ...head, ...(sentence === undefined ? {} : { sentence }), ...(change === undefined ? {} : { change }) };
  }
}

function recordedOf(past: Past, writer: EntryWriter, now: FlowVerdict, changes: Changes): WhyRecorded {
  const { enforced, pending, ...rest } = past;
  const entries = enforced.flatMap((text) => writer.written(past.direction, text));
  const named = new Set(entries.map(({ policy }) => policy));
  const changed = [...named].flatMap((name) => {
    const policy = writer.policies.at(name);
    if (policy === undefined || past.time === undefined) return [];
    return changes.since(resourceIdOf(policy), past.time).map((change) => ({ ...change, policy: name }));
  });
  return {
    ...rest,
    enforced: entries,
    pending: pending.flatMap((text) => writer.written(past.direction, text)),
    isPolicy: past.reason === undefined || past.reason.includes('policy') || entries.length > 0,
    changed,
    isSameNow: sideNow(past.direction, now) === past.verdict,
  };
}

function sideNow(direction: Direction | undefined, now: FlowVerdict): 'allow' | 'deny' {
  return (direction === undefined ? undefined : now[direction]?.verdict) ?? now.verdict;
}
