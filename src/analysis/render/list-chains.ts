// The parts of one policy list -> chains of filter rules. Entered by jump for egress, where Allow returns to judge the
// receiver; by goto for ingress, where Allow accepts. Deny drops, Pass goes to the next part's chain.
import type { Direction, RuleAction } from '../../model/policy.ts';
import { type Conjunction, type LinearCase, linearCase, setMatches, withProtocol } from './case-rules.ts';
import { mergeRuns } from './merge-runs.ts';
import type { Action, Chain, FilterRule, Match } from './program.ts';
import { isUnconditional } from './rule-case.ts';
import { canPass, type Origin, type PartRule, type TierPart } from './tier-parts.ts';

export type RuleStyle = 'linear' | 'sets';

export interface ListShape {
  /** Of its first chain; others add to it. */
  readonly name: string;
  readonly direction: Direction;
  readonly style: RuleStyle;
  /** Who the list is for. */
  readonly comment: string;
}

/** Refuses matches that the target cannot spell; throws NOT_EXPRESSIBLE. */
export type CheckMatch = (match: Match, origin: Origin, all: readonly Match[]) => void;

/** Where nested chains leave their answer; see Match `marked`. */
export const SET_MARK: FilterRule = { matches: [], action: { kind: 'mark', isSet: true } };
export const CLEAR_MARK: FilterRule = { matches: [], action: { kind: 'mark', isSet: false } };
/** Sets the mark; what it returns to is the rule after the jump. */
export const MARKING_CHAIN = 'tortie-mark';

/** Chains of the list, the entry first. Throws NOT_EXPRESSIBLE. */
export function listChains(parts: readonly TierPart[], shape: ListShape, check: CheckMatch): Chain[] {
  const builder = new ListChains(shape, check);
  return builder.build(parts);
}

class ListChains {
  readonly #shape: ListShape;
  readonly #check: CheckMatch;
  readonly #chains: Chain[] = [];
  readonly #nested: Chain[] = [];
  #nestedCount = 0;

  constructor(shape: ListShape, check: CheckMatch) {
    this.#shape = shape;
    this.#check = check;
  }

  /** Parts that no rule passes from share a chain with the next. */
  build(parts: readonly TierPart[]): Chain[] {
    const { name, style, comment } = this.#shape;
    let rules: FilterRule[] = [];
    let titles: string[] = [];
    let own = name;
    for (const [index, part] of parts.entries()) {
      const next = `${name}-${index + 2}`;
      titles.push(part.title);
      rules = rules.concat(part.rules.flatMap((rule) => this.#rule(rule, next)));
      if (part.end === 'deny') rules.push({ matches: [], action: { kind: 'drop' }, comment: `${part.title}: rest` });
      const isShared = part.end === 'pass' && !part.rules.some(({ action }) => action === 'pass');
      if (isShared) continue;
      if (part.end === 'pass') rules.push({ matches: [], action: { kind: 'goto', chain: next } });
      const merged = style === 'sets' ? mergeRuns(rules) : rules;
      this.#chains.push({ name: own, rules: merged, comment: `${comment}: ${titles.join(', ')}` });
      [rules, titles, own] = [[], [], next];
      if (!canPass(part)) break;
    }
    return [...this.#chains, ...this.#nested];
  }

  #rule({ action, cases, origin }: PartRule, next: string): FilterRule[] {
    const rules: FilterRule[] = [];
    for (const one of cases) {
      if (isUnconditional(one)) rules.push({ matches: [], action: this.#action(action, origin, next) });
      else if (this.#shape.style === 'sets') {
        const matches = this.#checked(setMatches(one), origin);
        rules.push({ matches, action: this.#action(action, origin, next) });
      } else rules.push(...this.#linear(linearCase(one), action, origin, next));
    }
    const [first, ...rest] = rules;
    return first === undefined ? [] : [{ ...first, comment: describeOrigin(origin) }, ...rest];
  }

  #action(action: RuleAction, origin: Origin, next: string): Action {
    if (action === 'deny') return { kind: 'drop' };
    if (action === 'pass') return { kind: 'goto', chain: next };
    if (action === 'log') return { kind: 'log', prefix: `tortie ${origin.object} ` };
    return { kind: this.#shape.direction === 'egress' ? 'return' : 'accept' };
  }

  #linear(linear: LinearCase, action: RuleAction, origin: Origin, next: string): FilterRule[] {
    const { simple, choices, exceptions } = linear;
    for (const matches of [simple, ...choices.flat(), ...exceptions]) this.#checked(matches, origin);
    const [only = [[]]] = choices;
    if (exceptions.length === 0 && choices.length <= 1) {
      const final = this.#action(action, origin, next);
      return only.map((matches) => ({ matches: inUsualOrder([...simple, ...matches]), action: final }));
    }
    return this.#nest(linear, action, origin, next);
  }

  /** Exceptions return at once; each list of alternatives leads to the chain of the next, the last one to the action. */
  #nest(
    { fixed, simple, choices, exceptions }: LinearCase,
    action: RuleAction,
    origin: Origin,
    next: string,
  ): FilterRule[] {
    const isEgress = this.#shape.direction === 'egress';
    const leavesByMark = isEgress && (action === 'allow' || action === 'pass');
    const final: Action = leavesByMark ? { kind: 'goto', chain: MARKING_CHAIN } : this.#action(action, origin, next);
    const levels: (readonly Conjunction[])[] = choices.length === 0 ? [[[]]] : [...choices];
    const names = levels.map(() => `${this.#shape.name}-c${++this.#nestedCount}`);
    for (const [index, alternatives] of levels.entries()) {
      const following = names[index + 1];
      const step: Action = following === undefined ? final : { kind: 'goto', chain: following };
      const skips = index === 0 ? exceptions : [];
      this.#nested.push({
        name: names[index] as string,
        rules: [
          ...skips.map((matches): FilterRule => ({ matches, action: { kind: 'return' } })),
          ...alternatives.map((one): FilterRule => ({ matches: withProtocol(one, fixed), action: step })),
        ],
        comment: describeOrigin(origin),
      });
    }
    const entered: FilterRule = { matches: simple, action: { kind: 'jump', chain: names[0] as string } };
    return leavesByMark ? [entered, this.#whenMarked(action, origin, next)] : [entered];
  }

  /** A later part must not find the mark set. */
  #whenMarked(action: RuleAction, origin: Origin, next: string): FilterRule {
    const matches: Match[] = [{ kind: 'marked' }];
    if (action === 'allow') return { matches, action: this.#action(action, origin, next) };
    const chain = `${next}-m`;
    if (!this.#nested.some(({ name }) => name === chain)) {
      this.#nested.push({ name: chain, rules: [CLEAR_MARK, { matches: [], action: { kind: 'goto', chain: next } }] });
    }
    return { matches, action: { kind: 'goto', chain } };
  }

  #checked<T extends readonly Match[]>(matches: T, origin: Origin): T {
    for (const match of matches) this.#check(match, origin, matches);
    return matches;
  }
}

/** As rules are written by hand: protocol, addresses, the rest. */
function inUsualOrder(matches: readonly Match[]): Match[] {
  const rank = ({ kind }: Match): number => (kind === 'protocol' ? 0 : kind === 'address' ? 1 : 2);
  return [...matches].sort((a, b) => rank(a) - rank(b));
}

function describeOrigin({ object, direction, index }: Origin): string {
  return `${object} ${direction} ${index}`;
}
