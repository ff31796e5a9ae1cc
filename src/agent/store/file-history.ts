// Changes of manifest files in history: told of when files are read, written down once they are in force, and not in the way of
// either. Part of Agent.
//
// What an earlier agent accepted is known from AcceptedManifests, which forgets nothing of a change until it is in history: an
// agent that is killed between the two leaves the difference for the next one to find.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isEqual } from '../../base/equal.ts';
import type { Logger } from '../../base/log.ts';
import type { Resource } from '../../resources/resource.ts';
import { manifestOf } from '../live-manifests.ts';
import type { FileObject, ObjectChange } from './history.ts';
import type { EditDraft, ResourceStore } from './resource-store.ts';
import type { StoreSession } from './session.ts';

/** An object of manifest files: undefined = none defined it, or none does any more. */
export interface FileChange {
  readonly id: string;
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

export interface FileHistoryParts {
  /** Of the manifests. */
  readonly directory: string;
  readonly stored: Pick<StoreSession, 'desk'>;
  readonly log: Logger;
  /** Called when all that was noted is written down. */
  readonly onRecorded: () => void;
}

type Change = ObjectChange<FileObject>;

/** One entry has no more objects, nor much more text: what somebody reads of it, or compares, is read whole. */
const MAX_CHANGES = 200;
const MAX_ENTRY_BYTES = 1024 * 1024;
const RETRY_MS = 5000;
/** Entries in which an agent looks for what the one before it had written down, but not noted for the next. */
const LOOKED_BACK = 1000;

export class FileHistory {
  readonly #parts: FileHistoryParts;
  /** Accepted, and not in force yet, by id: of a file that changes while nothing can be put in force only the last version counts. */
  #noted = new Map<string, FileChange>();
  /** The part of it that is being put in force. */
  #taken = new Map<string, FileChange>();
  /** In force, by id. */
  #due = new Map<string, FileChange>();
  /** What came while no agent ran, which an agent that was killed may have written down. */
  #found = new Set<string>();
  #isLoaded = false;
  #isClosing = false;
  #hasFailed = false;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(parts: FileHistoryParts) {
    this.#parts = parts;
  }

  /** Something has been read that is not written down. */
  get isBehind(): boolean {
    return !this.#isLoaded || this.#noted.size > 0 || this.#taken.size > 0 || this.#due.size > 0;
  }

  /** All files were read for the first time: what is not as an earlier agent had accepted it. */
  loaded(changes: readonly FileChange[]): void {
    this.#isLoaded = true;
    this.#found = new Set(changes.map(({ id }) => id));
    const later = this.#noted;
    this.#noted = new Map();
    merge(this.#noted, changes);
    merge(this.#noted, later.values());
    if (!this.isBehind) this.#parts.onRecorded();
  }

  /** Files were read again. */
  note(changes: readonly FileChange[]): void {
    merge(this.#noted, changes);
  }

  /** To be called when all that was noted so far is being put in force; what it returns, when it is. */
  taking(): () => void {
    merge(this.#taken, this.#noted.values());
    this.#noted.clear();
    return () => {
      merge(this.#due, this.#taken.values());
      this.#taken.clear();
      if (this.#due.size > 0 && !this.#isClosing) this.#begin();
    };
  }

  /** Writes what is in force; what cannot be written is found by the next agent. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#retry);
    await this.#writing;
    if (this.#due.size > 0) await this.#write();
  }

  #begin(): void {
    this.#writing ??= this.#write();
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    clearTimeout(this.#retry);
    // Whoever put it in force goes on first.
    await nextTurn();
    try {
      while (this.#due.size > 0) await this.#writePart();
      this.#hasFailed = false;
      if (!this.isBehind) this.#parts.onRecorded();
    } catch (error) {
      if (!this.#hasFailed) this.#parts.log.warn('cannot keep changes of manifest files', { error: String(error) });
      this.#hasFailed = true;
      if (!this.#isClosing) this.#retry = setTimeout(() => this.#begin(), RETRY_MS).unref();
    } finally {
      this.#writing = undefined;
    }
  }

  /** One entry: those files' changes that have one owner, as many as an entry takes. */
  async #writePart(): Promise<void> {
    const taken: FileChange[] = [];
    try {
      await this.#parts.stored.desk.record((store) => {
        if (this.#found.size > 0) this.#skipWritten(store);
        const draft = this.#draft(taken);
        for (const { id } of taken) this.#due.delete(id);
        return draft;
      });
    } catch (error) {
      // What came meanwhile is the later version.
      for (const change of taken)
        this.#due.set(change.id, { ...(this.#due.get(change.id) ?? change), before: change.before });
      throw error;
    }
  }

  #draft(taken: FileChange[]): EditDraft | undefined {
    const changes: Change[] = [];
    const files = new Set<string>();
    let owner: { readonly uid: number | undefined } | undefined;
    let bytes = 0;
    for (const change of this.#due.values()) {
      if (changes.length >= MAX_CHANGES || bytes > MAX_ENTRY_BYTES) break;
      const described = describeChange(change);
      const location = (described?.after ?? described?.before)?.location;
      if (described === undefined || location === undefined) {
        taken.push(change);
        continue;
      }
      const uid = this.#ownerOf(location.file);
      owner ??= { uid };
      if (owner.uid !== uid) continue;
      taken.push(change);
      changes.push(described);
      files.add(location.file);
      bytes += JSON.stringify(described).length;
    }
    if (changes.length === 0) return undefined;
    const who = { kind: 'file' as const, ...(owner?.uid !== undefined && { uid: owner.uid }) };
    return { time: new Date().toISOString(), who, from: { files: [...files].sort() }, verb: 'edit', changes };
  }

  /** undefined = nobody can tell: the file is gone. */
  #ownerOf(file: string): number | undefined {
    try {
      return statSync(join(this.#parts.directory, file), { throwIfNoEntry: false })?.uid;
    } catch {
      return undefined;
    }
  }

  /** An agent that was killed may have written changes down and not got to note that it had. */
  #skipWritten(store: ResourceStore): void {
    let looked = 0;
    for (const entry of store.entriesBack()) {
      if (++looked > LOOKED_BACK || this.#found.size === 0) break;
      if (entry.verb !== 'edit') continue;
      for (const { id, after } of entry.changes) {
        const due = this.#due.get(id);
        if (!this.#found.delete(id) || due === undefined) continue;
        if (isEqual(after?.manifest, due.after && plainManifest(due.after))) this.#due.delete(id);
      }
    }
    this.#found.clear();
  }
}

/** Later changes of an object take the place of earlier ones, from what it was before these. */
function merge(into: Map<string, FileChange>, changes: Iterable<FileChange>): void {
  for (const change of changes) {
    const { before } = into.get(change.id) ?? change;
    into.set(change.id, { ...change, before });
  }
}

/** undefined = it says what it said, be it in another place. */
function describeChange({ id, before, after }: FileChange): Change | undefined {
  const [was, is] = [before && describeObject(before), after && describeObject(after)];
  if (isEqual(was?.manifest, is?.manifest)) return undefined;
  return { id, ...(was && { before: was }), ...(is && { after: is }) };
}

function describeObject(resource: Resource): FileObject {
  const { file, line } = resource.location;
  return { id: resource.id, manifest: plainManifest(resource), location: { file, line } };
}

/** As it comes back from the store. */
function plainManifest(resource: Resource): FileObject['manifest'] {
  return JSON.parse(JSON.stringify(manifestOf(resource))) as FileObject['manifest'];
}
