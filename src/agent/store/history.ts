// What history says of each change, and how a state is found again in it. Pure: where entries are kept is not known here.
import type { Origin, Who } from './actor.ts';
import type { StoredObject } from './stored-object.ts';

export type Verb = 'create' | 'replace' | 'patch' | 'apply' | 'delete' | 'import' | 'rollback' | 'expire';

export interface ObjectChange {
  readonly id: string;
  /** undefined = was not there. */
  readonly before?: StoredObject;
  /** undefined = is gone. */
  readonly after?: StoredObject;
}

export interface HistoryEntry {
  readonly revision: number;
  /** ISO 8601. */
  readonly time: string;
  readonly who: Who;
  readonly from: Origin;
  readonly verb: Verb;
  /** Of a rollback: the revision that was brought back. */
  readonly target?: number;
  /** Was to be confirmed until then. */
  readonly confirmBy?: string;
  /** When it was. */
  readonly confirmed?: string;
  /** At least one; each object once. */
  readonly changes: readonly ObjectChange[];
}

/**
 * The objects that were different before these entries, as they were then: undefined = was not there. `entries` are all
 * later ones, the latest first.
 */
export function stateBefore(entries: Iterable<HistoryEntry>): Map<string, StoredObject | undefined> {
  const state = new Map<string, StoredObject | undefined>();
  for (const { changes } of entries) for (const { id, before } of changes) state.set(id, before);
  return state;
}
