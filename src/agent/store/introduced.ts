// Which change of the store brought a rule, or an object, as it is; and which came later. Reads history, which may be forgotten
// from some revision back.
import type { Change, Changes } from '../../analysis/why/why.ts';
import { isEqual } from '../../base/equal.ts';
import type { Direction } from '../../model/policy.ts';
import type { HistoryEntry, ObjectChange } from './history.ts';
import type { StoredObject } from './stored-object.ts';

/** Entries that are looked at for one question. */
const MAX_ENTRIES = 100_000;

/** entriesBack = the latest first; get = an object as it is now. */
export function changesOf(store: {
  entriesBack(): Iterable<HistoryEntry>;
  get(id: string): StoredObject | undefined;
}): Changes {
  return {
    introduced(id, direction, ruleIndex) {
      const now = store.get(id);
      return now === undefined ? undefined : introduced(changesTo(store, id), now, direction, ruleIndex);
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

/** The earliest change since which the object has had the rule, or a change of it if there is no such rule. */
function introduced(
  changes: Iterable<{ readonly entry: HistoryEntry; readonly change: ObjectChange }>,
  now: StoredObject,
  direction: Direction,
  ruleIndex: number,
): Change | undefined {
  const rule = rulesOf(now, direction)[ruleIndex];
  let found: Change | undefined;
  for (const { entry, change } of changes) {
    found = changeOf(entry);
    if (change.before === undefined) return found;
    const before = rulesOf(change.before, direction);
    const wasThere = rule === undefined ? isSameSpec(change) : before.some((each) => isEqual(each, rule));
    if (!wasThere) return found;
  }
  return found;
}

function* changesTo(store: { entriesBack(): Iterable<HistoryEntry> }, id: string) {
  let looked = 0;
  for (const entry of store.entriesBack()) {
    if (++looked > MAX_ENTRIES) return;
    const change = entry.changes.find((each) => each.id === id);
    if (change !== undefined) yield { entry, change };
  }
}

function changeOf({ revision, time, verb, who }: HistoryEntry): Change {
  return { revision, time, verb, who };
}

function isSameSpec({ before, after }: ObjectChange): boolean {
  return isEqual(specOf(before), specOf(after));
}

function specOf(object: StoredObject | undefined): unknown {
  return (object?.manifest as { readonly spec?: unknown } | undefined)?.spec;
}

function rulesOf(object: StoredObject, direction: Direction): readonly unknown[] {
  const spec = specOf(object) as Readonly<Record<string, unknown>> | undefined;
  const rules = spec?.[direction];
  return Array.isArray(rules) ? rules : [];
}
