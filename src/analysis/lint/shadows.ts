// Who takes the packets of rules that never decide anything.
import type { Direction } from '../../model/policy.ts';
import type { TraceEntry } from '../../model/trace.ts';
import { type BitSet, isEmpty } from '../../tables/bit-sets.ts';
import type { ListProgram } from '../../tables/list-program.ts';
import { entryKey } from './context.ts';
import type { GoverningList } from './list-walks.ts';
import type { Reach } from './reach.ts';
import { intersects, recordWalk, type WalkRecord } from './walk-record.ts';

/** Entries that decide packets which a rule would match: rules, or a tier's end (rule index -1). */
export type Shadows = ReadonlyMap<string, TraceEntry>;

/** The shadows of each of these rules, given by key; exact over all lists that have the rule. */
export function findShadows(reach: Reach, wanted: ReadonlySet<string>): ReadonlyMap<string, Shadows> {
  const found = new Map<string, Map<string, TraceEntry>>([...wanted].map((key) => [key, new Map()]));
  for (const governing of reach.walks.lists) {
    for (const program of [governing.programs.enforced, governing.programs.pending]) {
      if (program !== undefined) searchProgram(reach, governing, program, found);
    }
  }
  return found;
}

function searchProgram(
  { walks }: Reach,
  governing: GoverningList,
  program: ListProgram,
  found: ReadonlyMap<string, Map<string, TraceEntry>>,
): void {
  const { direction } = governing.list;
  const isWanted = ({ entry }: { entry: TraceEntry }): boolean => found.has(entryKey(entry, direction));
  if (!program.tiers.some(({ rules }) => rules.some(isWanted))) return;
  for (const key of walks.keys(governing, program)) {
    const record = recordWalk(program, key, walks.l4);
    for (const [index, { rule, tier, hits }] of record.meetings.entries()) {
      const shadows = found.get(entryKey(rule.entry, direction));
      if (shadows === undefined) continue;
      for (const { entry, classes } of decisionsBefore(program, record, index, tier)) {
        if (intersects(classes, hits)) shadows.set(shadowKey(entry, direction), entry);
      }
    }
  }
}

/** What had been decided when evaluation came to the meeting: for good, or passed on within its own tier. */
function* decisionsBefore(
  { tiers }: ListProgram,
  { meetings, rests }: WalkRecord,
  index: number,
  ownTier: number,
): Iterable<{ entry: TraceEntry; classes: BitSet }> {
  for (const { rule, tier, taken } of meetings.slice(0, index)) {
    const isDecided = rule.action === 'allow' || rule.action === 'deny' || (rule.action === 'pass' && tier === ownTier);
    if (isDecided && !isEmpty(taken)) yield { entry: rule.entry, classes: taken };
  }
  for (const [tier, rest] of rests.slice(0, ownTier).entries()) {
    const entry = tiers[tier]?.end;
    if (entry !== undefined && entry.action !== 'pass') yield { entry, classes: rest };
  }
}

function shadowKey(entry: TraceEntry, direction: Direction): string {
  return `${entry.tier}|${entryKey(entry, direction)}`;
}
