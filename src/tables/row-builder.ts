// Rows: the verdict words of one policy list for one class of peers, one word per layer-4 class. The walk of the reference
// evaluator, taken for many layer-4 classes at once: all of them, or those in which a row may differ from another.
import {
  type BitSet,
  clearIn,
  copyIn,
  intersectInto,
  isEmptyIn,
  removeAllIn,
  spanOfBits,
  uniteIn,
} from './bit-sets.ts';
import { WORD } from './layout.ts';
import type { ListProgram } from './list-program.ts';
import type { Partition } from './number-classes.ts';
import type { Ending, ProgramRule } from './program-rules.ts';
import type { ProgramTier } from './program-tiers.ts';
import { type RowKey, ruleHits } from './rule-hits.ts';
import type { Stories, Story } from './stories.ts';

/** What looking at a rule costs that may not match at all, in words. */
const CANDIDATE_WORDS = 32;
const NO_RULE = Number.POSITIVE_INFINITY;

/** For one partition of the layer-4 index. */
export class RowBuilder {
  readonly #l4: Partition;
  readonly #stories: Stories;
  #entering: BitSet;
  #leaving: BitSet;
  readonly #inside: BitSet;
  readonly #hit: BitSet;
  readonly #logged: BitSet;
  /** By class id, for classes that some tier passed on. */
  readonly #told = new Map<number, Story>();
  /** Of the walk under way. */
  #first = 0;
  #end = 0;
  #words: Uint32Array = new Uint32Array(0);

  constructor(l4: Partition, stories: Stories) {
    this.#l4 = l4;
    this.#stories = stories;
    const scratch = (): BitSet => new Uint32Array(l4.everything.length);
    this.#entering = scratch();
    this.#leaving = scratch();
    this.#inside = scratch();
    this.#hit = scratch();
    this.#logged = scratch();
  }

  /**
   * Sets the words of the ids in `cells`. `peerRules` are the positions, ascending, of rules that ask for sets of the peer;
   * others are looked at anyway. Throws LIMIT_EXCEEDED.
   */
  build(program: ListProgram, key: RowKey, peerRules: readonly number[], cells: BitSet, words: Uint32Array): void {
    const { first, end } = spanOfBits(cells);
    this.#l4.spend(32 * (end - first) + CANDIDATE_WORDS * peerRules.length);
    this.#first = first;
    this.#end = end;
    this.#words = words;
    this.#told.clear();
    clearIn(this.#logged, first, end);
    copyIn(this.#entering, cells, first, end);
    const next = { unfiltered: 0, filtered: 0 };
    for (const tier of program.tiers) {
      this.#walkTier(tier, program, peerRules, next, key);
      [this.#entering, this.#leaving] = [this.#leaving, this.#entering];
      if (isEmptyIn(this.#entering, first, end)) return;
    }
  }

  /** Decides for classes in #entering; those that go on to the next tier end up in #leaving. */
  #walkTier(
    tier: ProgramTier,
    { unfiltered, direction }: ListProgram,
    peerRules: readonly number[],
    next: { unfiltered: number; filtered: number },
    key: RowKey,
  ): void {
    const tierEnd = tier.firstIndex + tier.rules.length;
    const inside = this.#inside;
    copyIn(inside, this.#entering, this.#first, this.#end);
    clearIn(this.#leaving, this.#first, this.#end);
    let isSettled = false;
    let looked = 0;
    for (;;) {
      const general = unfiltered[next.unfiltered] ?? NO_RULE;
      const specific = peerRules[next.filtered] ?? NO_RULE;
      const index = Math.min(general, specific);
      if (index >= tierEnd) break;
      if (general < specific) next.unfiltered += 1;
      else next.filtered += 1;
      if (isSettled) continue;
      looked += 1;
      isSettled = this.#applyRule(tier.rules[index - tier.firstIndex] as ProgramRule, key, direction);
    }
    this.#l4.spend(CANDIDATE_WORDS * looked);
    if (!isSettled) this.#settle(inside, tier.ending, tier.end, direction);
  }

  /** Returns whether nothing is left for later rules of the tier. */
  #applyRule(rule: ProgramRule, key: RowKey, direction: ListProgram['direction']): boolean {
    const hits = ruleHits(rule, key, this.#l4);
    if (hits === undefined) return false;
    const [first, end] = [this.#first, this.#end];
    if (!intersectInto(this.#hit, this.#inside, hits, first, end)) return false;
    if (rule.action === 'log') {
      uniteIn(this.#logged, this.#hit, first, end);
      return false;
    }
    this.#settle(this.#hit, rule.action, rule.entry, direction);
    removeAllIn(this.#inside, this.#hit, first, end);
    return isEmptyIn(this.#inside, first, end);
  }

  /** The classes end here, or leave the tier with one more entry in their story. */
  #settle(bits: BitSet, ending: Ending, entry: ProgramRule['entry'], direction: ListProgram['direction']): void {
    let before: Story | undefined;
    let story: Story | undefined;
    for (let index = this.#first; index < this.#end; index += 1) {
      for (let left = bits[index] as number; left !== 0; left &= left - 1) {
        const id = 32 * index + 31 - Math.clz32(left & -left);
        const told = this.#told.size === 0 ? undefined : this.#told.get(id);
        if (story === undefined || told !== before) {
          story = this.#stories.extend(told ?? direction, entry);
          before = told;
        }
        if (ending === 'pass') this.#told.set(id, story);
        else this.#words[id] = wordOf(story, ending, isIn(this.#logged, id));
      }
    }
    if (ending === 'pass') uniteIn(this.#leaving, bits, this.#first, this.#end);
  }
}

const ENDING_BITS = { allow: WORD.ALLOW, deny: WORD.DENY, next: WORD.NEXT } as const;

function wordOf(story: Story, ending: keyof typeof ENDING_BITS, isLogged: boolean): number {
  const flags = ENDING_BITS[ending] | (isLogged ? WORD.LOG : 0);
  return (flags | (story.id << WORD.ID_SHIFT)) >>> 0;
}

function isIn(bits: BitSet, member: number): boolean {
  return ((bits[member >>> 5] as number) & (1 << (member & 31))) !== 0;
}
