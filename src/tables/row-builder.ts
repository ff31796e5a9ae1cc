// Rows: the verdict words of one policy list for one class of peers, one word per layer-4 class.
// The walk of the reference evaluator, taken for all layer-4 classes at once.
import { addAll, and, type BitSet, bitsFrom, forEachBit, isEmpty, removeAll } from './bit-sets.ts';
import { WORD } from './layout.ts';
import { candidateRules, type ListProgram, type ProgramRule, type ProgramTier } from './list-program.ts';
import type { Partition } from './number-classes.ts';
import { type RowKey, ruleHits } from './rule-hits.ts';
import type { Stories, Story } from './stories.ts';

/** What looking at a rule costs that may not match at all, in words. */
const CANDIDATE_WORDS = 32;

/** How far each layer-4 class has come. */
interface Walk {
  readonly key: RowKey;
  readonly l4: Partition;
  readonly stories: Stories;
  readonly words: Uint32Array;
  /** By class id; undefined = no tier has said anything yet. */
  readonly told: (Story | undefined)[];
  readonly logged: BitSet;
  /** What a class without a story starts from. */
  readonly start: ListProgram['direction'];
}

/** One word for each layer-4 class id; ids not in use get 0. Throws LIMIT_EXCEEDED. */
export function buildRow(program: ListProgram, key: RowKey, l4: Partition, stories: Stories): Uint32Array {
  const words = new Uint32Array(l4.idLimit);
  const candidates = candidateRules(program, key.sets.peer);
  l4.spend(words.length + CANDIDATE_WORDS * candidates.length);
  const logged = new Uint32Array(Math.ceil(l4.idLimit / 32));
  const walk: Walk = { key, l4, stories, words, told: [], logged, start: program.direction };
  let undecided = bitsFrom(l4.ids, l4.idLimit);
  let next = 0;
  for (const tier of program.tiers) {
    const end = tier.firstIndex + tier.rules.length;
    const first = next;
    while (next < candidates.length && (candidates[next] as number) < end) next += 1;
    const rules = candidates.slice(first, next).map((index) => tier.rules[index - tier.firstIndex] as ProgramRule);
    undecided = walkTier(tier, rules, undecided, walk);
    if (isEmpty(undecided)) break;
  }
  return words;
}

/** Writes the words that the tier decides and returns the classes that go on to the next. */
function walkTier(tier: ProgramTier, rules: readonly ProgramRule[], entering: BitSet, walk: Walk): BitSet {
  const leaving = new Uint32Array(entering.length);
  const inside = entering.slice();
  for (const rule of rules) {
    const hits = ruleHits(rule, walk.key, walk.l4);
    if (hits === undefined) continue;
    const bits = and(inside, hits);
    if (isEmpty(bits)) continue;
    if (rule.action === 'log') {
      addAll(walk.logged, bits);
      continue;
    }
    settle(bits, rule.action, rule.entry, leaving, walk);
    removeAll(inside, bits);
    if (isEmpty(inside)) return leaving;
  }
  settle(inside, tier.end.action, tier.end, leaving, walk);
  return leaving;
}

/** The classes end here, or leave the tier with one more entry in their story. */
function settle(
  bits: BitSet,
  action: Exclude<ProgramRule['action'], 'log'>,
  entry: ProgramRule['entry'],
  leaving: BitSet,
  walk: Walk,
): void {
  const extended = new Map<Story | undefined, Story>();
  forEachBit(bits, (id) => {
    const before = walk.told[id];
    let story = extended.get(before);
    if (story === undefined) {
      story = walk.stories.extend(before ?? walk.start, entry);
      extended.set(before, story);
    }
    if (action === 'pass') walk.told[id] = story;
    else walk.words[id] = wordOf(story, action === 'allow', isIn(walk.logged, id));
  });
  if (action === 'pass') addAll(leaving, bits);
}

function wordOf(story: Story, isAllowed: boolean, isLogged: boolean): number {
  const flags = (isAllowed ? WORD.ALLOW : WORD.DENY) | (isLogged ? WORD.LOG : 0);
  return (flags | (story.id << WORD.ID_SHIFT)) >>> 0;
}

function isIn(bits: BitSet, member: number): boolean {
  return ((bits[member >>> 5] as number) & (1 << (member & 31))) !== 0;
}
