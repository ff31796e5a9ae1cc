// Every write to the store goes through here, one at a time: planned on what is there, checked as a manifest would be,
// compiled, stored, and only then in force. What is refused leaves no trace. Requests and answers are agent/api's.
import { isEqual } from '../../base/equal.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { World } from '../../model/world.ts';
import type { Resource } from '../../resources/resource.ts';
import { type Actor, AGENT_ACTOR } from './actor.ts';
import { type Confirmation, confirmationWithin, timeLeft } from './confirmation.ts';
import { type CutCheck, cutCheck, type GuardedHost } from './connection-guard.ts';
import { awaitsConfirmation, blocksUndo, changedInFiles, definedInFile, errorsOf } from './desk-errors.ts';
import {
  type EditedObject,
  editedSince,
  type FileEntry,
  filesAfter,
  type ObjectChange,
  type StoreEntry,
  stateBefore,
  type Verb,
} from './history.ts';
import type { Manifest } from './manifest.ts';
import type { EditDraft, ResourceStore } from './resource-store.ts';
import { nextVersion, readResource, type StoredObject } from './stored-object.ts';

/** By id; undefined = gone. */
type StoredResources = ReadonlyMap<string, Resource | undefined>;

/** What the desk needs of an agent. */
export interface PolicyHost extends GuardedHost {
  /** Told of each write: when it began, by performance.now(). It has ended. */
  readonly meter?: { stored(sinceMs: number): void };
  /** The file that defines the object; undefined = none does. */
  fileOf(id: string): Resource['location'] | undefined;
  /**
   * Puts resources in force in the place of stored ones (undefined = gone): `commit` is called once all compiles, and
   * nothing is in force before it returns. Throws what is wrong, and what commit throws: all is as before then.
   */
  putStored(changes: StoredResources, commit: (world: World) => void): Promise<void>;
}

/** What is to become of one object. */
export interface PlannedChange {
  readonly id: string;
  /** undefined = it goes. */
  readonly manifest: Manifest | undefined;
  /** undefined = as before. */
  readonly applied?: StoredObject['applied'];
}

export interface ChangeRequest {
  readonly actor: Actor;
  readonly verb: Verb;
  /** Called when the request's turn comes; throws what it finds wrong. Each object once. */
  readonly plan: (store: ResourceStore) => readonly PlannedChange[];
  readonly isDryRun?: boolean;
  /** Even if it cuts whoever asks off. */
  readonly isForced?: boolean;
  /** SSH_CONNECTION of whoever asks; undefined = it comes through none. */
  readonly session?: string;
  /** Comes undone after so long unless it is confirmed. */
  readonly confirmMs?: number;
  /** Of a rollback. */
  readonly target?: number;
  /** What the plan leaves as it is, because files say it; asked before the plan. */
  readonly kept?: (store: ResourceStore) => readonly EditedObject[];
}

export interface ChangeResult {
  /** Of the store afterwards; of a dry run, of the store as it is. */
  readonly revision: number;
  /** In the order of the plan; what is as it was has before === after. */
  readonly changes: readonly ObjectChange[];
  readonly confirmation?: Confirmation;
  /** Of a rollback: what stays, because files define it otherwise than they did then. */
  readonly kept?: readonly EditedObject[];
  /** Why it is stored and not in force; undefined = it is in force. It is put in force again and again. */
  readonly notInForce?: Error;
}

/** A change whose time to be confirmed is up and that could not be undone. It is tried again and again. */
export interface UndoFailure {
  readonly revision: number;
  readonly message: string;
}

/** Ends a dry run where a commit would be. */
const DRY_RUN = new Error('dry run');
const RETRY_MS = 5000;

export class ChangeDesk {
  readonly #store: ResourceStore;
  readonly #host: PolicyHost;
  readonly #log: Logger;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #undoFailure: UndoFailure | undefined;

  constructor(store: ResourceStore, host: PolicyHost, log: Logger) {
    this.#store = store;
    this.#host = host;
    this.#log = log;
  }

  /**
   * Resolves when the change is on disk and in force. Rejects with an AggregateError of what is wrong with an object, or
   * with CONFLICT, DEFINED_IN_FILE, CUTS_CONNECTION, TABLE_FULL, LIMIT_EXCEEDED, ADDRESS_CONFLICT, STORE_FAILED, and what
   * the plan throws.
   */
  submit(request: ChangeRequest): Promise<ChangeResult> {
    const turn = this.#last.then(() => this.#carryOut(request));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Brings stored objects back as they were at a revision, as a change of its own. Throws REVISION_GONE, DEFINED_IN_FILE
   * when all that has changed since is in files, and what submit does.
   */
  rollBack(target: number, request: Omit<ChangeRequest, 'plan' | 'verb'>): Promise<ChangeResult> {
    const kept = (store: ResourceStore): readonly EditedObject[] => editedSince(entriesBackTo(store, target));
    return this.submit({ ...request, verb: 'rollback', target, kept, plan: (store) => planRollback(store, target) });
  }

  /**
   * Keeps changes of manifest files, which are in force already, between those of others. `draft` is asked when their turn
   * comes; undefined = there is nothing to keep. Rejects with STORE_FAILED.
   */
  record(draft: (store: ResourceStore) => EditDraft | undefined): Promise<FileEntry | undefined> {
    const turn = this.#last.then(() => {
      const edit = draft(this.#store);
      return edit === undefined ? undefined : this.#store.record(edit);
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** The change stays. Throws NOT_FOUND. */
  async confirm(revision: number, by: Actor): Promise<StoreEntry> {
    await this.#last;
    const entry = this.#store.confirm(revision, new Date(), by.who);
    clearTimeout(this.#timer);
    return entry;
  }

  /** Of the change that still awaits a confirmation; undefined = its time is not up. */
  get undoFailure(): UndoFailure | undefined {
    return this.#undoFailure?.revision === this.#store.pending?.revision ? this.#undoFailure : undefined;
  }

  /** Waits for the confirmation that is still due, if one is. */
  watchConfirmation(): void {
    clearTimeout(this.#timer);
    const { pending } = this.#store;
    if (pending === undefined) return;
    this.#timer = setTimeout(() => void this.#expire(pending.revision), timeLeft(pending));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#last;
    clearTimeout(this.#timer);
  }

  async #carryOut(request: ChangeRequest): Promise<ChangeResult> {
    const now = new Date();
    const revision = this.#store.revision + 1;
    const kept = request.kept?.(this.#store) ?? [];
    const changes = request.plan(this.#store).map((planned): ObjectChange => this.#next(planned, { revision, now }));
    this.#requireAllowed(changes, request);
    const real = changes.filter(({ before, after }) => before !== after);
    if (real.length === 0 && kept.length > 0) throw changedInFiles(kept, request.target as number);
    if (real.length === 0) return { revision: this.#store.revision, changes };
    const resources = new Map(real.map(({ id, after }) => [id, after && readStored(id, after)]));
    await this.#requireUndoable(resources, request);
    const check = this.#cutCheck(request);
    let notInForce: Error | undefined;
    let entry: StoreEntry | undefined;
    try {
      await this.#host.putStored(resources, (world) => {
        check(world);
        if (request.isDryRun === true) throw DRY_RUN;
        const covered = real.map((change) => this.#withCover(change));
        entry = this.#commit(request, covered, now);
      });
    } catch (error) {
      if (error === DRY_RUN) return { revision: this.#store.revision, changes, ...(kept.length > 0 && { kept }) };
      // What is stored counts: it is put in force again and again.
      if (entry === undefined) throw error;
      notInForce = error instanceof Error ? error : new Error(String(error));
      this.#log.error('a change is stored and not in force yet', { revision, errors: describeErrors(error) });
    }
    this.watchConfirmation();
    const confirmation = this.#store.pending;
    return { revision, changes, confirmation, ...(kept.length > 0 && { kept }), ...(notInForce && { notInForce }) };
  }

  #next({ id, manifest, ...planned }: PlannedChange, version: { revision: number; now: Date }): ObjectChange {
    const before = this.#store.get(id);
    const applied = planned.applied ?? before?.applied;
    if (manifest === undefined) return { id, before };
    const isSame = before !== undefined && isEqual(before.manifest, manifest) && isEqual(before.applied, applied);
    return { id, before, after: isSame ? before : nextVersion(id, manifest, before, { ...version, applied }) };
  }

  #withCover(change: ObjectChange): ObjectChange {
    return this.#host.fileOf(change.id) === undefined ? change : { ...change, isCovered: true };
  }

  /** What nobody has confirmed is undone whoever it cuts off: that is what it was made for. */
  #cutCheck({ actor, verb, session, isForced }: ChangeRequest): CutCheck {
    if (isForced === true || verb === 'expire') return () => undefined;
    return cutCheck(this.#host, { connection: actor.connection, session });
  }

  /** What goes back to an earlier state is always allowed: what a file defines stays in force all the same. */
  #requireAllowed(changes: readonly ObjectChange[], { verb, confirmMs }: ChangeRequest): void {
    const { pending } = this.#store;
    if (verb === 'expire') return;
    // Undone, a rollback that ended the wait would bring back for good what nobody has confirmed.
    if (verb === 'rollback' && confirmMs !== undefined && pending !== undefined)
      throw awaitsConfirmation('another change', pending);
    if (verb === 'rollback') return;
    for (const { id } of changes) {
      const location = this.#host.fileOf(id);
      if (location !== undefined) throw definedInFile(id, location);
    }
    if (pending === undefined) return;
    if (confirmMs !== undefined) throw awaitsConfirmation('another change', pending);
    const held = new Set(this.#store.entry(pending.revision)?.changes.map(({ id }) => id));
    const touched = changes.find(({ id }) => held.has(id));
    if (touched !== undefined) throw awaitsConfirmation(touched.id, pending);
  }

  /** What is undone by the change itself: whoever waits for a confirmation of it waits no more. */
  #endsPending({ verb, target }: ChangeRequest): boolean {
    const { pending } = this.#store;
    return verb === 'expire' || (verb === 'rollback' && pending !== undefined && Number(target) < pending.revision);
  }

  /** While something awaits a confirmation, nothing may come into force that would keep it from being undone. */
  async #requireUndoable(resources: StoredResources, request: ChangeRequest): Promise<void> {
    const { pending } = this.#store;
    if (pending === undefined || this.#endsPending(request)) return;
    const undo = this.#undoOf(pending);
    if (undo === undefined) return;
    const [id = ''] = resources.keys();
    const refusal = await this.#refusalOf(new Map([...undo, ...resources]));
    // What is wrong by itself is told by itself. What could not be undone before either, as files have changed, is no fault of
    // this change, which may be to mend it.
    if (refusal === undefined || (await this.#refusalOf(resources)) !== undefined) return;
    if ((await this.#refusalOf(undo)) !== undefined) return;
    throw blocksUndo(id, pending, refusal);
  }

  /** undefined = this version cannot read what would come back. */
  #undoOf({ revision }: Confirmation): StoredResources | undefined {
    const undo = planUndo(this.#store, revision);
    try {
      return new Map(undo.map(({ id, manifest }) => [id, manifest && readStored(id, { manifest })]));
    } catch {
      return undefined;
    }
  }

  /** Why these could not be in force; undefined = they could. */
  async #refusalOf(resources: StoredResources): Promise<unknown> {
    try {
      await this.#host.putStored(resources, () => {
        throw DRY_RUN;
      });
    } catch (error) {
      return error === DRY_RUN ? undefined : error;
    }
    return undefined;
  }

  #commit(request: ChangeRequest, changes: readonly ObjectChange[], now: Date): StoreEntry {
    const { actor, verb, target, confirmMs } = request;
    const { who, from } = actor;
    const endsPending = this.#endsPending(request);
    const expires = confirmMs === undefined ? undefined : new Date(now.getTime() + confirmMs).toISOString();
    const draft = { time: now.toISOString(), who, from, verb, target, confirmBy: expires, changes };
    const pending = (revision: number): Confirmation => confirmationWithin(revision, confirmMs as number, now);
    const sinceMs = performance.now();
    const entry = this.#store.commit(draft, confirmMs !== undefined ? pending : endsPending ? null : undefined);
    this.#host.meter?.stored(sinceMs);
    return entry;
  }

  /** Nobody confirmed the change in time. Tried again for as long as it does not succeed. */
  async #expire(revision: number): Promise<void> {
    let isDue = false;
    try {
      const plan = (store: ResourceStore): readonly PlannedChange[] => {
        isDue = store.pending?.revision === revision;
        return isDue ? planUndo(store, revision) : [];
      };
      await this.submit({ actor: AGENT_ACTOR, verb: 'expire', target: revision - 1, plan });
      if (this.#store.pending?.revision === revision) this.#store.confirm(revision, new Date(), AGENT_ACTOR.who);
      if (isDue) this.#log.warn('a change was not confirmed in time and is undone', { revision });
    } catch (error) {
      if (this.#isClosed) return;
      this.#noteUndoFailure(revision, error);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#expire(revision), RETRY_MS);
    }
  }

  /** Each reason is logged once. */
  #noteUndoFailure(revision: number, error: unknown): void {
    const errors = errorsOf(error);
    const more = errors.length > 1 ? `, and ${errors.length - 1} more errors` : '';
    const message = `${errors[0] instanceof Error ? errors[0].message : String(errors[0])}${more}`;
    const { revision: before, message: said } = this.#undoFailure ?? {};
    if (before !== revision || said !== message)
      this.#log.error('a change that was not confirmed cannot be undone', { revision, errors: describeErrors(error) });
    this.#undoFailure = { revision, message };
  }
}

/** As plain data, for the log. */
function describeErrors(error: unknown): readonly unknown[] {
  return errorsOf(error).map((each) => (each instanceof DataplaneError ? each.toJSON() : String(each)));
}

/**
 * Undoes a change whose time to be confirmed has passed while no agent ran. Before anything is in force, and without
 * asking whether it compiles: it was in force once. Returns its revision. Throws STORE_FAILED.
 */
export function undoExpired(store: ResourceStore): number | undefined {
  const { pending } = store;
  if (pending === undefined || timeLeft(pending) > 0) return undefined;
  const now = new Date();
  const revision = store.revision + 1;
  // No file is read yet: what files defined is known as of then, and from what they changed since.
  const files = filesAfter(entriesBackTo(store, Math.max(pending.revision, store.compacted)));
  const { changes: undone = [] } = store.entry(pending.revision) ?? {};
  const coveredThen = new Set(
    (undone as readonly ObjectChange[]).flatMap(({ id, isCovered }) => (isCovered ? id : [])),
  );
  const changes = planUndo(store, pending.revision).map(({ id, manifest, applied }): ObjectChange => {
    const before = store.get(id);
    const after = manifest && nextVersion(id, manifest, before, { revision, now, applied });
    return { id, before, after, ...((files.get(id) ?? coveredThen.has(id)) && { isCovered: true as const }) };
  });
  const { who, from } = AGENT_ACTOR;
  const target = pending.revision - 1;
  store.commit({ time: now.toISOString(), who, from, verb: 'expire', target, changes }, null);
  return pending.revision;
}

/** What the change with that revision changed, as it was before. Nothing of it can have changed since. */
function planUndo(store: ResourceStore, revision: number): readonly PlannedChange[] {
  const entry = store.entry(revision);
  return entry === undefined || entry.verb === 'edit' ? [] : entry.changes.map(({ id, before }) => planned(id, before));
}

function planRollback(store: ResourceStore, target: number): readonly PlannedChange[] {
  return [...stateBefore(entriesBackTo(store, target))].map(([id, before]) => planned(id, before));
}

/** Later than the revision, the latest first. Throws REVISION_GONE. */
function* entriesBackTo(store: ResourceStore, target: number) {
  store.requireWayBack(target);
  for (const entry of store.entriesBack()) {
    if (entry.revision <= target) return;
    yield entry;
  }
}

function planned(id: string, before: StoredObject | undefined): PlannedChange {
  return { id, manifest: before?.manifest, applied: before?.applied };
}

function readStored(id: string, { manifest }: Pick<StoredObject, 'manifest'>): Resource {
  const resource = readResource(manifest);
  if (resource.type === 'FelixConfiguration') {
    throw new DataplaneError('INVALID_REQUEST', 'is only read from manifest files', { operation: 'write', target: id });
  }
  if (resource.id === id) return resource;
  throw new DataplaneError('INVALID_REQUEST', 'is another object than the one that is asked for', {
    operation: 'read',
    target: id,
    found: resource.id,
  });
}
