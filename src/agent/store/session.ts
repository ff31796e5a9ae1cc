// The store as one agent has it: opened when it is needed first, read once, written through one desk.
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Steps } from '../../base/steps.ts';
import { parseResource } from '../../model/parse/parse-resource.ts';
import type { Resource } from '../../resources/resource.ts';
import { ChangeDesk, type PolicyHost, undoExpired } from './change-desk.ts';
import { asOfNow, type Confirmation } from './confirmation.ts';
import { errorsOf } from './desk-errors.ts';
import { ResourceStore, storeStamp } from './resource-store.ts';
import { readResource } from './stored-object.ts';

/** What status says of the store. */
export interface StoreStatus {
  readonly revision: number;
  readonly objects: number;
  readonly pending: Confirmation | null;
  /** Why `pending` is still there although its time is up; it is tried again and again. */
  readonly undoError: string | null;
}

/** A stored object that is not in force, because this version cannot read it: as of a later version. */
export interface UnreadableObject {
  readonly id: string;
  /** Of the object: another one of that name is another object. */
  readonly revision: number;
  /** At least one. */
  readonly errors: readonly DataplaneError[];
}

interface Opened {
  readonly store: ResourceStore;
  readonly desk: ChangeDesk;
}

export class StoreSession {
  readonly #stateDirectory: string;
  readonly #host: PolicyHost;
  readonly #log: Logger;
  readonly #keptRevisions: number | undefined;
  #opened: Opened | undefined;
  #status: StoreStatus | null = null;
  #unreadable: ReadonlyMap<string, UnreadableObject> = new Map();
  /** The revision as of which they are. */
  #unreadableAt = 0;

  /** keptRevisions: of history; the store's own number unless given. */
  constructor(stateDirectory: string, host: PolicyHost, log: Logger, keptRevisions?: number) {
    this.#stateDirectory = stateDirectory;
    this.#host = host;
    this.#log = log;
    this.#keptRevisions = keptRevisions;
  }

  /**
   * Every resource, object by object, once what was not confirmed in time is undone. What this version cannot read stays in
   * the store: see unreadable. An agent that nobody has sent a change has no store. Throws STORE_FAILED.
   */
  *loading(): Steps<Resource[]> {
    const resources: Resource[] = [];
    if (this.#opened === undefined && storeStamp(this.#stateDirectory) === '') return resources;
    const undone = undoExpired(this.store);
    if (undone !== undefined) {
      this.#log.warn('a change was not confirmed in time and is undone', { revision: undone });
    }
    const unreadable = new Map<string, UnreadableObject>();
    for (const { id, revision, manifest } of this.store.objects()) {
      try {
        const resource = readResource(manifest);
        const { errors } = parseResource(resource);
        if (errors.length > 0) throw new AggregateError(errors);
        resources.push(resource);
      } catch (error) {
        const errors = errorsOf(error).map((each) => toDataplaneError(id, each));
        this.#log.error('a stored object is not in force', { id, errors: errors.map(String) });
        unreadable.set(id, { id, revision, errors });
      }
      yield;
    }
    this.#unreadable = unreadable;
    this.#unreadableAt = this.store.revision;
    return resources;
  }

  /** Of what was loaded, as far as it is still stored as it was then. Of a store that cannot be read what was known last. */
  get unreadable(): ReadonlyMap<string, UnreadableObject> {
    const store = this.#opened?.store;
    if (store === undefined || this.#unreadable.size === 0 || store.revision === this.#unreadableAt)
      return this.#unreadable;
    try {
      const still = [...this.#unreadable].filter(([id, { revision }]) => store.get(id)?.revision === revision);
      this.#unreadable = new Map(still);
      this.#unreadableAt = store.revision;
    } catch (error) {
      if ((error as DataplaneError).code !== 'STORE_FAILED') throw error;
    }
    return this.#unreadable;
  }

  /** What is wrong with all of them. */
  get errors(): readonly DataplaneError[] {
    return [...this.unreadable.values()].flatMap(({ errors }) => errors);
  }

  /** Of those, what is not in force for it: no file defines it. */
  get notInForce(): readonly UnreadableObject[] {
    return [...this.unreadable.values()].filter(({ id }) => this.#host.fileOf(id) === undefined);
  }

  /** From here on what still awaits a confirmation is undone when its time is up. */
  begin(): void {
    this.#opened?.desk.watchConfirmation();
  }

  /** Throws STORE_FAILED. */
  get store(): ResourceStore {
    return this.#open().store;
  }

  /** Throws STORE_FAILED. */
  get desk(): ChangeDesk {
    return this.#open().desk;
  }

  /** Something awaits a confirmation. */
  get isPending(): boolean {
    return this.status()?.pending != null;
  }

  /** null = no change has come, or they are not loaded yet. Of a store that cannot be read what was known last. */
  status(): StoreStatus | null {
    if (this.#opened === undefined) return null;
    try {
      const { store, desk } = this.#opened;
      const { revision, objectCount, pending } = store;
      this.#status = {
        revision,
        objects: objectCount,
        pending: pending === undefined ? null : asOfNow(pending),
        undoError: desk.undoFailure?.message ?? null,
      };
    } catch (error) {
      if ((error as DataplaneError).code !== 'STORE_FAILED') throw error;
    }
    return this.#status;
  }

  /** Waits for the change that is under way. */
  async close(): Promise<void> {
    await this.#opened?.desk.close();
    await this.#opened?.store.close();
    this.#opened = undefined;
  }

  #open(): Opened {
    if (this.#opened === undefined) {
      const store = ResourceStore.open(this.#stateDirectory, this.#keptRevisions);
      this.#opened = { store, desk: new ChangeDesk(store, this.#host, this.#log) };
    }
    return this.#opened;
  }
}

function toDataplaneError(id: string, error: unknown): DataplaneError {
  if (error instanceof DataplaneError) return error;
  return new DataplaneError('INTERNAL', String(error), { operation: 'load', target: id, cause: error });
}
