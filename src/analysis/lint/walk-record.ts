// One walk through a policy list, written down: which rules met which layer-4 classes, and what would become of those
// classes if a rule were not there.
import { addAll, and, type BitSet, bitsFrom, isEmpty, removeAll } from '../../tables/bit-sets.ts';
import type { ListProgram } from '../../tables/list-program.ts';
import type { Partition } from '../../tables/number-classes.ts';
import type { ProgramRule } from '../../tables/program-rules.ts';
import type { ProgramTier } from '../../tables/program-tiers.ts';
import type { RowKey } from '../../tables/rule-hits.ts';
import { allowedClasses } from '../walk.ts';

/** A rule that some class meets. */
export interface Meeting {
  readonly rule: ProgramRule;
  readonly tier: number;
  readonly hits: BitSet;
  /** Those that no rule before it had taken. */
  readonly taken: BitSet;
}

export interface WalkRecord {
  /** In order of evaluation. */
  readonly meetings: readonly Meeting[];
  /** Classes that each tier's end decides or passes on, by position of the tier. */
  readonly rests: readonly BitSet[];
  /** Classes that end up allowed. */
  readonly allowed: BitSet;
}

export function recordWalk(program: ListProgram, key: RowKey, l4: Partition): WalkRecord {
  const meetings: Meeting[] = [];
  const rests: BitSet[] = [];
  const allowed = allowedClasses(program, key, l4, {
    onRule: (rule, hits, taken) => meetings.push({ rule, tier: rests.length, hits, taken }),
    onTierEnd: (_tier, rest) => rests.push(rest),
  });
  return { meetings, rests, allowed };
}

/** What becomes of classes from some point of the walk on. */
interface Fate {
  readonly allowed: BitSet;
  /** Classes that a Log rule meets on the way. */
  readonly logged: BitSet;
}

/**
 * The meetings whose rule changes nothing for the classes it takes: without it they would end alike and leave the same
 * log lines. A packet leaves one line at most, however many Log rules it meets. Log rules and rules that take nothing are
 * not among them.
 */
export function withoutEffect({ tiers }: ListProgram, { meetings }: WalkRecord, l4: Partition): Set<Meeting> {
  const found = new Set<Meeting>();
  const nothing = bitsFrom([], l4.idLimit);
  const everything = bitsFrom(l4.ids, l4.idLimit);
  const loggedAlready = loggedBeforeEach(meetings, nothing);
  let next: Fate = { allowed: nothing, logged: nothing };
  for (let tier = tiers.length - 1; tier >= 0; tier -= 1) {
    const ends: Readonly<Record<string, Fate>> = {
      allow: { allowed: everything, logged: nothing },
      deny: { allowed: nothing, logged: nothing },
      pass: next,
    };
    let behind = ends[(tiers[tier] as ProgramTier).end.action] as Fate;
    for (const meeting of meetings.filter((item) => item.tier === tier).reverse()) {
      const { rule, hits, taken } = meeting;
      if (rule.action === 'log') {
        behind = { allowed: behind.allowed, logged: union(behind.logged, hits) };
        continue;
      }
      const own = ends[rule.action] as Fate;
      const logged = loggedAlready.get(meeting) as BitSet;
      if (!isEmpty(taken) && isAlike(own, behind, taken, logged)) found.add(meeting);
      behind = { allowed: choose(hits, own.allowed, behind.allowed), logged: choose(hits, own.logged, behind.logged) };
    }
    next = behind;
  }
  return found;
}

/** For each meeting the classes that a Log rule before it has met. */
function loggedBeforeEach(meetings: readonly Meeting[], nothing: BitSet): Map<Meeting, BitSet> {
  const before = new Map<Meeting, BitSet>();
  let logged = nothing;
  for (const meeting of meetings) {
    before.set(meeting, logged);
    if (meeting.rule.action === 'log') logged = union(logged, meeting.taken);
  }
  return before;
}

/** Whether any class is in both. */
export function intersects(a: BitSet, b: BitSet): boolean {
  for (let index = 0; index < a.length; index += 1)
    if (((a[index] as number) & (b[index] as number)) !== 0) return true;
  return false;
}

/** Of these classes; those that are logged already are not logged otherwise by either. */
function isAlike(a: Fate, b: Fate, classes: BitSet, loggedAlready: BitSet): boolean {
  for (let index = 0; index < classes.length; index += 1) {
    const isAllowedDifferently = (a.allowed[index] as number) ^ (b.allowed[index] as number);
    const isLoggedDifferently =
      ((a.logged[index] as number) ^ (b.logged[index] as number)) & ~(loggedAlready[index] as number);
    if (((isAllowedDifferently | isLoggedDifferently) & (classes[index] as number)) !== 0) return false;
  }
  return true;
}

/** Members of `inside` where the mask is set, of `outside` elsewhere. */
function choose(mask: BitSet, inside: BitSet, outside: BitSet): BitSet {
  const result = outside.slice();
  removeAll(result, mask);
  addAll(result, and(inside, mask));
  return result;
}

function union(a: BitSet, b: BitSet): BitSet {
  const result = a.slice();
  addAll(result, b);
  return result;
}
