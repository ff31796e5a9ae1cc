// Which change of the store, or of manifest files, brought a rule, or an object, as it is; and which came later. Reads history, which may be forgotten
// from some revision back, and holds one entry of it at a time.
import type { Change, Changes } from '../../analysis/why/why.ts';
import { isEqual } from '../../base/equal.ts';
import type { Direction } from '../../model/policy.ts';
import type { FileObject, HistoryEntry, ObjectChange } from './history.ts';
import type { StoredObject } from './stored-object.ts';

type Version = FileObject | StoredObject;
type AnyChange = ObjectChange<FileObject> | ObjectChange<StoredObject>;

/** What history is asked of: ResourceStore, and what files define. */
interface Source {
  /** All that change an object, the latest first; others may be among them. */
  entriesOf(id: string): Iterable<HistoryEntry>;
  /** An object as the store has it now. */
  get(id: string): StoredObject | undefined;
  /** A file defines it now, and counts. */
  isOfFile?(id: string): boolean;
}

export function changesOf(store: Source): Changes {
  return {
    introduced(id, direction, ruleIndex) {
      if (store.isOfFile?.(id) === true) return introducedByFile(editsOf(store, id), direction, ruleIndex);
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
function introducedByFile(edits: Iterable<DatedChange>, direction: Direction, ruleIndex: number): Change | undefined {
  const { change, isWhole } = introduced(edits, undefined, direction, ruleIndex);
  return isWhole ? change : undefined;
}

/**
 * The earliest change since which the object has had the rule, or a change of it if there is no such rule. isWhole = it had
 * not before. The object is what its last change has made of it unless `given`.
 */
function introduced(
  changes: Iterable<DatedChange>,
  given: Version | undefined,
  direction: Direction,
  ruleIndex: number,
): { readonly change: Change | undefined; readonly isWhole: boolean } {
  let now = given;
  let found: Change | undefined;
  for (const { entry, change } of changes) {
    now ??= change.after;
    if (now === undefined) break;
    found = changeOf(entry);
    if (change.before === undefined) return { change: found, isWhole: true };
    const rule = rulesOf(now, direction)[ruleIndex];
    const before = rulesOf(change.before, direction);
    const wasThere = rule === undefined ? isSameSpec(change) : before.some((each) => isEqual(each, rule));
    if (!wasThere) return { change: found, isWhole: true };
  }
  return { change: found, isWhole: false };
}

function* changesTo(store: Source, id: string): Generator<DatedChange> {
  for (const entry of store.entriesOf(id)) {
    const change = (entry.changes as readonly AnyChange[]).find((each) => each.id === id);
    if (change !== undefined) yield { entry, change };
  }
}

function* editsOf(store: Source, id: string): Generator<DatedChange> {
  for (const dated of changesTo(store, id)) if (dated.entry.verb === 'edit') yield dated;
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
