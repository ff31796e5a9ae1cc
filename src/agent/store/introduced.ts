// Which change of the store, or of manifest files, brought a rule, or an object, as it is; and which came later. Reads history, which may be forgotten
// from some revision back.
import type { Change, Changes } from '../../analysis/why/why.ts';
import { isEqual } from '../../base/equal.ts';
import type { Direction } from '../../model/policy.ts';
import type { FileObject, HistoryEntry, ObjectChange } from './history.ts';
import type { StoredObject } from './stored-object.ts';

type Version = FileObject | StoredObject;
type AnyChange = ObjectChange<FileObject> | ObjectChange<StoredObject>;

/** Entries that are looked at for one question. */
const MAX_ENTRIES = 100_000;

/** entriesBack = the latest first; get = an object as the store has it now; isOfFile: a file defines it now, and counts. */
export function changesOf(store: {
  entriesBack(): Iterable<HistoryEntry>;
  get(id: string): StoredObject | undefined;
  isOfFile?(id: string): boolean;
}): Changes {
  return {
    introduced(id, direction, ruleIndex) {
      if (store.isOfFile?.(id) === true) return introducedByFile(changesTo(store, id), direction, ruleIndex);
      const now = store.get(id);
      return now === undefined ? undefined : introduced(changesTo(store, id), now, direction, ruleIndex).change;
    },
    since(id, time) {
      const later: Change[] = [];
      for (const { entry } of changesTo(store, id)) {
        if (Date.parse(entry.time) <= time) break;
        later.push(changeOf(entry));
      }
      return later;
    },
  };
}

interface DatedChange {
  readonly entry: HistoryEntry;
  readonly change: AnyChange;
}

/** What a file said before its first change in history was there before history began: no change brought it. */
function introducedByFile(changes: Iterable<DatedChange>, direction: Direction, ruleIndex: number): Change | undefined {
  const edits = [...changes].filter(({ entry }) => entry.verb === 'edit');
  const now = edits[0]?.change.after;
  if (now === undefined) return undefined;
  const { change, isWhole } = introduced(edits, now, direction, ruleIndex);
  return isWhole ? change : undefined;
}

/**
 * The earliest change since which the object has had the rule, or a change of it if there is no such rule. isWhole = it had
 * not before.
 */
function introduced(
  changes: Iterable<DatedChange>,
  now: Version,
  direction: Direction,
  ruleIndex: number,
): { readonly change: Change | undefined; readonly isWhole: boolean } {
  const rule = rulesOf(now, direction)[ruleIndex];
  let found: Change | undefined;
  for (const { entry, change } of changes) {
    found = changeOf(entry);
    if (change.before === undefined) return { change: found, isWhole: true };
    const before = rulesOf(change.before, direction);
    const wasThere = rule === undefined ? isSameSpec(change) : before.some((each) => isEqual(each, rule));
    if (!wasThere) return { change: found, isWhole: true };
  }
  return { change: found, isWhole: false };
}

function* changesTo(store: { entriesBack(): Iterable<HistoryEntry> }, id: string) {
  let looked = 0;
  for (const entry of store.entriesBack()) {
    if (++looked > MAX_ENTRIES) return;
    const change = (entry.changes as readonly AnyChange[]).find((each) => each.id === id);
    if (change !== undefined) yield { entry, change };
  }
}

function changeOf({ revision, time, verb, who }: HistoryEntry): Change {
  return { revision, time, verb, who };
}

function isSameSpec({ before, after }: AnyChange): boolean {
  return isEqual(specOf(before), specOf(after));
}

function specOf(object: Version | undefined): unknown {
  return (object?.manifest as { readonly spec?: unknown } | undefined)?.spec;
}

function rulesOf(object: Version, direction: Direction): readonly unknown[] {
  const spec = specOf(object) as Readonly<Record<string, unknown>> | undefined;
  const rules = spec?.[direction];
  return Array.isArray(rules) ? rules : [];
}
