// Rows: the verdict words of one policy list for one class of peers, one word per layer-4 class.
// The walk of the reference evaluator, taken for all layer-4 classes at once.
import type { Direction } from '../model/policy.ts';
import { and, type BitSet, bitsFrom, forEachBit, isEmpty, removeAll } from './bit-sets.ts';
import { WORD } from './layout.ts';
import { candidateRules, type ListProgram, type ProgramRule, type ProgramTier } from './list-program.ts';
import type { Partition } from './number-classes.ts';
import { type RowKey, ruleHits } from './rule-hits.ts';
import type { Stories, Story } from './stories.ts';

/** Classes that took the same way so far. */
interface Group {
  readonly bits: BitSet;
  readonly story: Story | undefined;
  readonly isLogged: boolean;
}

/** One word for each layer-4 class id; ids not in use get 0. */
export function buildRow(program: ListProgram, key: RowKey, l4: Partition, stories: Stories): Uint32Array {
  const { direction } = program;
  const words = new Uint32Array(l4.idLimit);
  const candidates = candidateRules(program, key.sets.peer);
  let groups: Group[] = [{ bits: bitsFrom(l4.ids, l4.idLimit), story: undefined, isLogged: false }];
  let next = 0;
  for (const tier of program.tiers) {
    const end = tier.firstIndex + tier.rules.length;
    const first = next;
    while (next < candidates.length && (candidates[next] as number) < end) next += 1;
    const rules = candidates.slice(first, next).map((index) => tier.rules[index - tier.firstIndex] as ProgramRule);
    groups = walkTier(tier, rules, groups, { direction, words, key, l4, stories });
    if (groups.length === 0) break;
  }
  return words;
}

interface Walk {
  readonly direction: Direction;
  readonly words: Uint32Array;
  readonly key: RowKey;
  readonly l4: Partition;
  readonly stories: Stories;
}

/** Writes the words that the tier decides and returns the groups that go on to the next. */
function walkTier(tier: ProgramTier, rules: readonly ProgramRule[], entering: readonly Group[], walk: Walk): Group[] {
  const leaving: Group[] = [];
  let groups: Group[] = [...entering];
  for (const rule of rules) {
    const hits = ruleHits(rule, walk.key, walk.l4);
    if (hits === undefined) continue;
    groups = groups.flatMap((group) => applyRule(rule, hits, group, leaving, walk));
    if (groups.length === 0) break;
  }
  for (const group of groups) {
    const ended: Group = { ...group, story: walk.stories.extend(group.story ?? walk.direction, tier.end) };
    if (tier.end.action === 'pass') leaving.push(ended);
    else decide(ended, tier.end.action === 'allow', walk);
  }
  return merge(leaving);
}

/** What is left of the group after the rule. */
function applyRule(rule: ProgramRule, hits: BitSet, group: Group, leaving: Group[], walk: Walk): Group[] {
  const bits = and(group.bits, hits);
  if (isEmpty(bits)) return [group];
  const rest = group.bits.slice();
  removeAll(rest, bits);
  const others = isEmpty(rest) ? [] : [{ ...group, bits: rest }];
  if (rule.action === 'log') return [{ ...group, bits, isLogged: true }, ...others];
  const decided: Group = { ...group, bits, story: walk.stories.extend(group.story ?? walk.direction, rule.entry) };
  if (rule.action === 'pass') leaving.push(decided);
  else decide(decided, rule.action === 'allow', walk);
  return others;
}

function decide({ bits, story, isLogged }: Group, isAllowed: boolean, { words }: Walk): void {
  const flags = (isAllowed ? WORD.ALLOW : WORD.DENY) | (isLogged ? WORD.LOG : 0);
  const word = (flags | ((story?.id ?? 0) << WORD.ID_SHIFT)) >>> 0;
  forEachBit(bits, (id) => {
    words[id] = word;
  });
}

/** One group for each way, so that groups do not multiply from tier to tier. */
function merge(groups: readonly Group[]): Group[] {
  const byWay = new Map<string, Group>();
  for (const group of groups) {
    const way = `${group.story?.id ?? 0}:${group.isLogged}`;
    const same = byWay.get(way);
    if (same === undefined) byWay.set(way, { ...group, bits: group.bits.slice() });
    else forEachBit(group.bits, (id) => setBit(same.bits, id));
  }
  return [...byWay.values()];
}

function setBit(bits: BitSet, member: number): void {
  bits[member >>> 5] = (bits[member >>> 5] as number) | (1 << (member & 31));
}
