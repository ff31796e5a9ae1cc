// What history says of each change, and how a state is found again in it. Pure: where entries are kept is not known here.
import { isEqual } from '../../base/equal.ts';
import type { Origin, Who } from './actor.ts';
import type { Manifest } from './manifest.ts';
import type { StoredObject } from './stored-object.ts';

/** Of changes that went through the store. */
export type Verb = 'create' | 'replace' | 'patch' | 'apply' | 'delete' | 'import' | 'rollback' | 'expire';

/** An object that a manifest file defines. The store has no version of it. */
export interface FileObject {
  readonly id: string;
  readonly manifest: Manifest;
  readonly location: { readonly file: string; readonly line: number };
}

export interface ObjectChange<V extends FileObject | StoredObject = StoredObject> {
  readonly id: string;
  /** undefined = was not there. */
  readonly before?: V;
  /** undefined = is gone. */
  readonly after?: V;
  /** Of the store: a file defined the object as well, so nothing changed of what is in force. */
  readonly isCovered?: true;
}

interface EntryHead {
  readonly revision: number;
  /** ISO 8601. */
  readonly time: string;
  readonly who: Who;
  readonly from: Origin;
}

/** A change of the store. */
export interface StoreEntry extends EntryHead {
  readonly verb: Verb;
  /** Of a rollback: the revision that was brought back. */
  readonly target?: number;
  /** Was to be confirmed until then. */
  readonly confirmBy?: string;
  /** When it was. */
  readonly confirmed?: string;
  /** Who did; undefined = an agent of the version before kept it. */
  readonly confirmedBy?: Who;
  /** At least one; each object once. */
  readonly changes: readonly ObjectChange[];
}

/** A change of manifest files, which is in force without the store. */
export interface FileEntry extends EntryHead {
  readonly verb: 'edit';
  readonly target?: undefined;
  readonly confirmBy?: undefined;
  readonly confirmed?: undefined;
  readonly confirmedBy?: undefined;
  /** At least one; each object once. */
  readonly changes: readonly ObjectChange<FileObject>[];
}

export type HistoryEntry = FileEntry | StoreEntry;

/**
 * The stored objects that were different before these entries, as they were then: undefined = was not there. `entries` are
 * all later ones, the latest first.
 */
export function stateBefore(entries: Iterable<HistoryEntry>): Map<string, StoredObject | undefined> {
  const state = new Map<string, StoredObject | undefined>();
  for (const entry of entries) {
    if (entry.verb !== 'edit') for (const { id, before } of entry.changes) state.set(id, before);
  }
  return state;
}

/** Which objects files define after these entries, or no longer do, as far as they tell; `entries` as for stateBefore. */
export function filesAfter(entries: Iterable<HistoryEntry>): Map<string, boolean> {
  const defined = new Map<string, boolean>();
  for (const entry of entries) {
    if (entry.verb !== 'edit') continue;
    for (const { id, after } of entry.changes) if (!defined.has(id)) defined.set(id, after !== undefined);
  }
  return defined;
}

/**
 * What files define otherwise than before these entries; `entries` as for stateBefore, but those of files only as far back as
 * there are any.
 */
export function editedSince(entries: Iterable<HistoryEntry>): EditedObject[] {
  const edited = new Map<string, { last: number; before: FileObject | undefined; after: FileObject | undefined }>();
  for (const entry of entries) {
    if (entry.verb !== 'edit') continue;
    for (const { id, before, after } of entry.changes) {
      const later = edited.get(id);
      edited.set(id, later === undefined ? { last: entry.revision, before, after } : { ...later, before });
    }
  }
  return [...edited].flatMap(([id, { last, before, after }]) => {
    const location = (after ?? before)?.location;
    if (location === undefined || isEqual(before?.manifest, after?.manifest)) return [];
    return [{ id, revision: last, ...location }];
  });
}

/** An object that no rollback brings back, because a file defines it, or did. */
export interface EditedObject {
  readonly id: string;
  /** Of its last change. */
  readonly revision: number;
  readonly file: string;
  readonly line: number;
}
