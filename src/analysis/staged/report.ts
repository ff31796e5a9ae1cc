// What staged policies would have done to flows that were seen, by the pending traces that were recorded with them: nothing is
// judged again. Flows come one by one; what is kept is bounded.

import type { Direction } from '../../model/policy.ts';
import { flowCount, type LoggedEnd, type LoggedFlow } from '../flow-logs/flow-log.ts';
import { parseEntry, type WrittenEntry } from '../why/entries.ts';

export interface StagedRow {
  /** Of the staged policy that would decide, or would not any more: `snp:shop/web`. */
  readonly policy: string;
  /** `<tier>|<kind>:<name>|<action>|<rule>`: what would decide. */
  readonly rule: string;
  readonly direction: Direction;
  /** What the policy in force decided. */
  readonly before: 'allow' | 'deny';
  /** What would be, were all that is staged in force. */
  readonly after: 'allow' | 'deny';
  readonly source: string;
  readonly destination: string;
  /** `TCP 5432`. */
  readonly service: string;
  readonly flows: number;
  readonly packets: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** One of them, as a question of `tortie verdict` where addresses were recorded. */
  readonly sample: StagedSample;
}

export interface StagedSample {
  readonly src: string;
  readonly dst: string;
  readonly protocol: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly time: number;
}

export interface StagedPolicySummary {
  readonly policy: string;
  /** Of the flows that it was asked about. */
  readonly flows: number;
  readonly wouldDeny: number;
  readonly wouldAllow: number;
  readonly same: number;
  readonly since: number;
  readonly until: number;
}

export interface StagedReportData {
  readonly policies: readonly StagedPolicySummary[];
  /** Those with most flows first. */
  readonly rows: readonly StagedRow[];
  readonly totals: {
    /** Reports of one end each. */
    readonly flows: number;
    readonly wouldDeny: number;
    readonly wouldAllow: number;
    /** No staged policy was asked: it was not there yet, or governs neither end. */
    readonly unasked: number;
    /** Counted above, but without a row for want of room. */
    readonly unlisted: number;
  };
}

const STAGED_KINDS: ReadonlySet<string> = new Set(['snp', 'sgnp', 'sknp']);
const MAX_ROWS = 10_000;
const MAX_POLICIES = 10_000;

type Counted = { -readonly [K in keyof StagedPolicySummary]: StagedPolicySummary[K] };
type CountedRow = { -readonly [K in keyof StagedRow]: StagedRow[K] };

export class StagedReport {
  readonly #isWanted: (policy: string) => boolean;
  readonly #maxRows: number;
  readonly #rows = new Map<string, CountedRow>();
  readonly #policies = new Map<string, Counted>();
  readonly #totals = { flows: 0, wouldDeny: 0, wouldAllow: 0, unasked: 0, unlisted: 0 };

  /** isWanted = by `<kind>:[<namespace>/]<name>`; rows and totals are of wanted policies. */
  constructor(isWanted: (policy: string) => boolean = () => true, maxRows = MAX_ROWS) {
    this.#isWanted = isWanted;
    this.#maxRows = maxRows;
  }

  add(log: LoggedFlow): void {
    const flows = flowCount(log);
    const pending = log.pending.flatMap((text) => parseEntry(text) ?? []);
    const staged = pending.filter(({ policy }) => isStaged(policy) && this.#isWanted(policy));
    this.#totals.flows += flows;
    const decider = pending.at(-1);
    if (decider === undefined || staged.length === 0) {
      this.#totals.unasked += flows;
      return;
    }
    const before = enforcedAction(log);
    const after = decider.action === 'allow' ? 'allow' : 'deny';
    for (const policy of new Set(staged.map((entry) => entry.policy))) this.#count(policy, log, flows, before, after);
    if (before === after) return;
    this.#totals[after === 'deny' ? 'wouldDeny' : 'wouldAllow'] += flows;
    // Another policy may decide what a staged one has let pass; what is new about that is the staged one.
    const responsible = isStaged(decider.policy) ? decider : (staged.at(-1) as WrittenEntry);
    this.#row(log, flows, { policy: responsible.policy, decider, before, after });
  }

  report(): StagedReportData {
    return {
      policies: [...this.#policies.values()].sort((a, b) => (a.policy < b.policy ? -1 : 1)),
      rows: [...this.#rows.values()].sort((a, b) => b.flows - a.flows || (keyOf(a) < keyOf(b) ? -1 : 1)),
      totals: { ...this.#totals },
    };
  }

  #count(policy: string, log: LoggedFlow, flows: number, before: string, after: string): void {
    const known = this.#policies.get(policy);
    if (known === undefined && this.#policies.size >= MAX_POLICIES) return;
    const counted = known ?? {
      policy,
      flows: 0,
      wouldDeny: 0,
      wouldAllow: 0,
      same: 0,
      since: log.startTime,
      until: log.endTime,
    };
    counted.flows += flows;
    counted[before === after ? 'same' : after === 'deny' ? 'wouldDeny' : 'wouldAllow'] += flows;
    counted.since = Math.min(counted.since, log.startTime);
    counted.until = Math.max(counted.until, log.endTime);
    this.#policies.set(policy, counted);
  }

  #row(
    log: LoggedFlow,
    flows: number,
    {
      policy,
      decider,
      before,
      after,
    }: { policy: string; decider: WrittenEntry; before: 'allow' | 'deny'; after: 'allow' | 'deny' },
  ): void {
    const head = {
      policy,
      rule: `${decider.tier}|${decider.policy}|${decider.action}|${decider.ruleIndex}`,
      direction: log.reporter === 'src' ? ('egress' as const) : ('ingress' as const),
      before,
      after,
      source: endName(log.source),
      destination: endName(log.destination),
      service: serviceOf(log),
    };
    const key = keyOf(head);
    const known = this.#rows.get(key);
    const packets = log.packetsIn + log.packetsOut;
    const bytes = log.bytesIn + log.bytesOut;
    if (known !== undefined) {
      known.flows += flows;
      known.packets += packets;
      known.bytes += bytes;
      known.first = Math.min(known.first, log.startTime);
      known.last = Math.max(known.last, log.endTime);
    } else if (this.#rows.size >= this.#maxRows) this.#totals.unlisted += flows;
    else {
      const times = { first: log.startTime, last: log.endTime };
      this.#rows.set(key, { ...head, flows, packets, bytes, ...times, sample: sampleOf(log) });
    }
  }
}

/** Whether a trace speaks of a staged policy: `snp:shop/web`. */
export function isStaged(policy: string): boolean {
  return STAGED_KINDS.has(policy.slice(0, policy.indexOf(':')));
}

/** `shop/web-*`, or what stands for it outside. */
export function endName({ namespace, name, aggregatedName }: LoggedEnd): string {
  const called = aggregatedName === '' ? name : aggregatedName;
  return namespace === '' || namespace === '-' ? called : `${namespace}/${called}`;
}

export function serviceOf({ protocol, destination, icmpType }: LoggedFlow): string {
  if (destination.port > 0) return `${protocol} ${destination.port}`;
  return icmpType === undefined ? protocol : `${protocol} type ${icmpType}`;
}

/** Of the reporting end alone. */
export function enforcedAction({ enforced, action }: LoggedFlow): 'allow' | 'deny' {
  const last = enforced.length === 0 ? undefined : parseEntry(enforced.at(-1) as string);
  return last?.action === 'allow' || last?.action === 'deny' ? last.action : action;
}

function sampleOf({ source, destination, protocol, endTime }: LoggedFlow): StagedSample {
  return {
    src: source.address === '' ? endName(source) : source.address,
    dst: destination.address === '' ? endName(destination) : destination.address,
    protocol,
    ...(source.port > 0 ? { srcPort: source.port } : {}),
    ...(destination.port > 0 ? { dstPort: destination.port } : {}),
    time: endTime,
  };
}

function keyOf(row: Omit<StagedRow, 'flows' | 'packets' | 'bytes' | 'first' | 'last' | 'sample'>): string {
  const { policy, rule, direction, before, source, destination, service } = row;
  return [policy, rule, direction, before, source, destination, service].join('\n');
}
