// Denials that a policy brought: counted from the flows that come after it was put in force. What was denied before is not its doing.
import { flowCount, type LoggedFlow } from '../flow-logs/flow-log.ts';
import { parseEntry } from '../why/entries.ts';
import { endName, enforcedAction, serviceOf } from './report.ts';

export interface Denial {
  readonly source: string;
  readonly destination: string;
  readonly service: string;
  /** `<tier>|<kind>:<name>|<action>|<rule>`. */
  readonly rule: string;
  readonly flows: number;
}

const MAX_KEYS = 100_000;
const MAX_SHOWN = 100;

export class DenyWatch {
  readonly #policies: ReadonlySet<string>;
  readonly #tiers: ReadonlySet<string>;
  readonly #from: number;
  readonly #before = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #denials = new Map<string, Denial & { flows: number }>();
  #flows = 0;

  /** policies = as traces name them; tiers = that they are in; from = since when they are in force. */
  constructor(policies: Iterable<string>, tiers: Iterable<string>, from: number) {
    this.#policies = new Set(policies);
    this.#tiers = new Set(tiers);
    this.#from = from;
  }

  /** Of the time before: what was denied then may be denied on. */
  addBefore(log: LoggedFlow): void {
    if (enforcedAction(log) === 'deny' && this.#before.size < MAX_KEYS) this.#before.add(keyOf(log));
  }

  /** True = it is a denial by one of the policies, or by the end of their tier. Records may come more than once. */
  add(log: LoggedFlow): boolean {
    if (log.endTime < this.#from || enforcedAction(log) !== 'deny') return false;
    const decider = log.enforced.flatMap((text) => parseEntry(text) ?? []).at(-1);
    if (decider === undefined) return false;
    const isOwn = this.#policies.has(decider.policy) || (decider.ruleIndex < 0 && this.#tiers.has(decider.tier));
    const key = keyOf(log);
    if (!isOwn || this.#before.has(key)) return false;
    const record = `${key}\n${log.startTime}\n${log.endTime}\n${log.source.address} ${log.source.port}\n${log.destination.address}\n${log.node}`;
    if (this.#seen.has(record) || this.#seen.size >= MAX_KEYS) return false;
    this.#seen.add(record);
    const flows = flowCount(log);
    this.#flows += flows;
    const known = this.#denials.get(key);
    if (known !== undefined) known.flows += flows;
    else if (this.#denials.size < MAX_SHOWN) {
      const { tier, policy, action, ruleIndex } = decider;
      const rule = `${tier}|${policy}|${action}|${ruleIndex}`;
      const place = { source: endName(log.source), destination: endName(log.destination), service: serviceOf(log) };
      this.#denials.set(key, { ...place, rule, flows });
    }
    return true;
  }

  get flows(): number {
    return this.#flows;
  }

  /** Those with most flows first. */
  get denials(): readonly Denial[] {
    return [...this.#denials.values()].sort((a, b) => b.flows - a.flows);
  }
}

function keyOf(log: LoggedFlow): string {
  return [log.reporter, endName(log.source), endName(log.destination), serviceOf(log)].join('\n');
}
