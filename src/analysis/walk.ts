// A policy list walked once for all layer-4 classes: which of them end up allowed, and which rules took which. The walk
// of src/tables/row-builder.ts without words and stories, open to whoever wants to watch.
import { addAll, and, type BitSet, bitsFrom, isEmpty, removeAll } from '../tables/bit-sets.ts';
import { candidateRules, type ListProgram } from '../tables/list-program.ts';
import type { Partition } from '../tables/number-classes.ts';
import type { ProgramRule } from '../tables/program-rules.ts';
import type { ProgramTier } from '../tables/program-tiers.ts';
import { type RowKey, ruleHits } from '../tables/rule-hits.ts';

/** What a walk tells, in order. Bit sets hold layer-4 class ids and must not be changed. */
export interface WalkVisitor {
  /** A rule whose conditions some class meets; `taken` are those that no rule before it in its tier had taken. */
  onRule?(rule: ProgramRule, hits: BitSet, taken: BitSet): void;
  /** Classes that no rule of the tier (or no profile) had taken. */
  onTierEnd?(tier: ProgramTier, rest: BitSet): void;
}

/** The layer-4 classes that the list allows between an endpoint and a peer with these sets. */
export function allowedClasses(program: ListProgram, key: RowKey, l4: Partition, visitor: WalkVisitor = {}): BitSet {
  const candidates = candidateRules(program, key.sets.peer);
  const allowed = bitsFrom([], l4.idLimit);
  let entering = bitsFrom(l4.ids, l4.idLimit);
  let next = 0;
  for (const tier of program.tiers) {
    const passed = bitsFrom([], l4.idLimit);
    const end = tier.firstIndex + tier.rules.length;
    const rest = entering.slice();
    for (; next < candidates.length && (candidates[next] as number) < end; next += 1) {
      const rule = tier.rules[(candidates[next] as number) - tier.firstIndex] as ProgramRule;
      const hits = ruleHits(rule, key, l4);
      if (hits === undefined || isEmpty(hits)) continue;
      const taken = and(rest, hits);
      visitor.onRule?.(rule, hits, taken);
      if (rule.action === 'log') continue;
      removeAll(rest, taken);
      if (rule.action === 'pass') addAll(passed, taken);
      if (rule.action === 'allow') addAll(allowed, taken);
    }
    visitor.onTierEnd?.(tier, rest);
    if (tier.end.action === 'pass') addAll(passed, rest);
    if (tier.end.action === 'allow') addAll(allowed, rest);
    entering = passed;
  }
  return allowed;
}
